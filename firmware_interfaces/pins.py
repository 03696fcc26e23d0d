"""The pins of a GPIO chip behind the shape of a port: levels as frames, both ways."""

import asyncio
import errno
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

from firmware_interfaces.contacts.codec import Level, LevelReader, written
from firmware_interfaces.contacts.settings import ContactsLine
from firmware_interfaces.errors import (
    PortBusyError,
    PortClosedError,
    PortError,
    PortMissingError,
    PortOptionError,
)
from firmware_interfaces.permission import DENIED, denied, own_groups

ARRIVED_BYTES_MAX = 65_536  # levels that were not taken; past this only the newest state is told
CONSUMER = "duifu"

_BIASES = {"pull_up": Bias.PULL_UP, "pull_down": Bias.PULL_DOWN, "none": Bias.AS_IS}


class Pins(Protocol):
    """The requested pins of one chip; every method may raise OSError when the chip is gone."""

    def fileno(self) -> int:
        """A descriptor that is readable when an input moved."""
        ...

    def moves(self) -> list[Level]:
        """Take what moved, oldest first; the kernel may have dropped some of a flood."""
        ...

    def inputs(self) -> list[Level]:
        """Read every input as it is now."""
        ...

    def switch(self, level: Level) -> Level | None:
        """Set one output and read it back; None when it is no output of ours."""
        ...

    def close(self) -> None:
        """Give the pins back."""
        ...


class GpiodPins:
    """Pins by the kernel's own interface."""

    def __init__(self, settings: ContactsLine) -> None:
        """Ask the kernel for the pins; strikes begin at rest.

        Raises:
            OSError: the chip is not there, or does not give them.
        """
        self._inputs, self._outputs = settings.inputs(), settings.outputs()
        at_rest = Value.INACTIVE if settings.strike_on else Value.ACTIVE
        config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None] = {
            tuple(self._inputs): gpiod.LineSettings(
                direction=Direction.INPUT, edge_detection=Edge.BOTH, bias=_BIASES[settings.bias]
            ),
            tuple(self._outputs): gpiod.LineSettings(
                direction=Direction.OUTPUT, output_value=at_rest
            ),
        }
        wanted = {pins: how for pins, how in config.items() if pins}
        self._request = gpiod.request_lines(settings.port, consumer=CONSUMER, config=wanted)

    def fileno(self) -> int:
        """See `Pins`."""
        return self._request.fd

    def moves(self) -> list[Level]:
        """See `Pins`."""
        events = self._request.read_edge_events()
        rising = gpiod.EdgeEvent.Type.RISING_EDGE
        return [Level(event.line_offset, event.event_type is rising) for event in events]

    def inputs(self) -> list[Level]:
        """See `Pins`."""
        values = self._request.get_values(self._inputs) if self._inputs else []
        pairs = zip(self._inputs, values, strict=True)
        return [Level(pin, value is Value.ACTIVE) for pin, value in pairs]

    def switch(self, level: Level) -> Level | None:
        """See `Pins`."""
        if level.pin not in self._outputs:
            return None
        self._request.set_value(level.pin, Value.ACTIVE if level.is_high else Value.INACTIVE)
        return Level(level.pin, self._request.get_value(level.pin) is Value.ACTIVE)

    def close(self) -> None:
        """See `Pins`."""
        self._request.release()


def open_pins(settings: ContactsLine) -> Pins:
    """Open the pins that a line needs.

    Raises:
        PortError: as `ports.open_port`.
    """
    try:
        return GpiodPins(settings)
    except (OSError, ValueError) as error:
        raise _opening_error(settings.port, error) from error


def _opening_error(port: str, error: OSError | ValueError) -> PortError:
    number = getattr(error, "errno", None)
    if number in DENIED:
        return denied(port, number, own_groups())
    if number == errno.EBUSY:
        return PortBusyError(port, "another program holds a pin; stop that program")
    if not Path(port).exists():
        return PortMissingError(port, "not there; “gpiodetect” lists the chips of this machine")
    return PortOptionError(port, f"the chip does not give these pins ({error})")


class PinPort:
    """Pins as a `ports.Port`: every input is told at the opening and whenever it moves."""

    def __init__(self, pins: Pins, port: str, wake: Callable[[], None]) -> None:
        self._pins = pins
        self._port = port
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._arrived = bytearray()
        self._asked = LevelReader()
        self._ended: PortError | None = None
        self._is_open = True
        self._loop.add_reader(pins.fileno(), self._readable)
        self._tell(pins.inputs)

    def take(self) -> bytes:
        """See `ports.Port`."""
        data = bytes(self._arrived)
        self._arrived.clear()
        if not data and self._ended is not None:
            raise self._ended
        return data

    async def write(self, data: bytes) -> None:
        """See `ports.Port`; an output is read back at once."""
        for level in self._asked.feed(data):
            if self._ended is not None:
                raise self._ended
            self._tell(partial(self._switched, level))

    def close(self) -> None:
        """See `ports.Port`; the kernel leaves or resets the outputs as the chip does."""
        if not self._is_open:
            return
        self._is_open = False
        self._ended = self._ended or PortClosedError(self._port, "closed by us")
        self._loop.remove_reader(self._pins.fileno())
        self._pins.close()

    def _switched(self, level: Level) -> list[Level | None]:
        return [self._pins.switch(level)]

    def _readable(self) -> None:
        self._tell(self._moves)

    def _moves(self) -> list[Level]:
        # What the kernel's queue dropped in a flood still shows in the state after it.
        return [*self._pins.moves(), *self._pins.inputs()]

    def _tell(self, look: Callable[[], Sequence[Level | None]]) -> None:
        try:
            levels = look()
        except OSError as error:
            self._ended = PortClosedError(self._port, f"the chip is gone ({error.strerror})")
            self._loop.remove_reader(self._pins.fileno())
        else:
            if len(self._arrived) > ARRIVED_BYTES_MAX:
                self._arrived.clear()
            self._arrived += b"".join(written(level) for level in levels if level is not None)
        self._wake()
