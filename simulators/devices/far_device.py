"""What every simulated device has: a name, a wire to speak on and a log that judges the box."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from firmware_interfaces.observations import Seen


@dataclass(frozen=True, slots=True)
class Emission:
    """One fact that really crossed the wire to the box.

    Attributes:
        device, seen, value, part: as the box must observe them.
        mono_ns: when its last byte was sent, or was acknowledged where the protocol does that.
    """

    device: str
    seen: Seen
    value: str
    part: int
    mono_ns: int


class Send(Protocol):
    """How a device speaks: bytes, and who is told what crossed the wire after faults."""

    def __call__(self, data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
        """Send `data`; `crossed` is called once the last byte is on the wire."""
        ...


class FarDevice:
    """A device at the far end; a wire calls these and nothing else.

    Attributes:
        name: as in the box's settings.
        emitted: what crossed the wire to the box, in order.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.emitted: list[Emission] = []
        self.send: Send = _send_nowhere

    def hear(self, data: bytes) -> None:
        """Take in bytes that the box (or its noise) put on the wire."""

    def time_passed(self) -> None:
        """Let time-outs fall due; called about every 20 ms."""

    def reset(self) -> None:
        """Lose the power and come back: what was not kept is forgotten."""

    def emit(self, seen: Seen, value: str = "", part: int = 0) -> None:
        """Log that a fact crossed the wire now."""
        emission = Emission(self.name, seen, value, part, time.monotonic_ns())
        self.emitted.append(emission)


def _send_nowhere(data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
    del data, crossed  # not plugged in
