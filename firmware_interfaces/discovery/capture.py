"""What crossed a wire, as lines that a person and the simulator can read.

One JSON object a line: `{"ms": 1203, "from": "device", "hex": "02..."}`; `from` is device or box,
ms counts from the start. A line may also be what was observed: `{"ms": .., "seen": "CARD", ..}`.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.driver import LineMachine
from firmware_interfaces.observations import Command, Observation

FROM_DEVICE: Final = "device"
FROM_BOX: Final = "box"
LINE_CHARACTERS_MAX: Final = 200_000


@dataclass(frozen=True, slots=True)
class Crossing:
    """Bytes that crossed a wire.

    Attributes:
        ms: since the start.
        is_from_device: else from the box.
        data: the bytes.
    """

    ms: int
    is_from_device: bool
    data: bytes


class CapturedMachine:
    """A line's machine that also tells what crosses the wire; it changes nothing.

    Give it to `driver.Line` in place of the machine that it wraps.
    """

    def __init__(
        self,
        machine: LineMachine,
        write: Callable[[str], None],
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._machine = machine
        self._write = write
        self._is_wanted = is_wanted
        self._start_ns: int | None = None
        self._now_ms = 0

    def line_opened(self, now: Moment) -> list[Observation]:
        """See `LineMachine`."""
        return self._observed(self._machine.line_opened(now), now)

    def line_lost(self, now: Moment) -> list[Observation]:
        """See `LineMachine`."""
        return self._observed(self._machine.line_lost(now), now)

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """See `LineMachine`."""
        return self._observed(self._machine.command(command, now), now)

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """See `LineMachine`."""
        ms = self._ms(now)
        if self._is_wanted():
            self._write(written({"ms": ms, "from": FROM_DEVICE, "hex": data.hex()}))
        return self._observed(self._machine.bytes_received(data, now), now)

    def time_passed(self, now: Moment) -> list[Observation]:
        """See `LineMachine`."""
        return self._observed(self._machine.time_passed(now), now)

    def bytes_to_send(self) -> bytes:
        """See `LineMachine`; the time is that of the last call that had one."""
        data = self._machine.bytes_to_send()
        if data and self._is_wanted():
            self._write(written({"ms": self._now_ms, "from": FROM_BOX, "hex": data.hex()}))
        return data

    def deadline_ns(self) -> int | None:
        """See `LineMachine`."""
        return self._machine.deadline_ns()

    def _observed(self, said: list[Observation], now: Moment) -> list[Observation]:
        ms = self._ms(now)
        for one in said if self._is_wanted() else ():
            row = {"ms": ms, "device": one.device, "seen": one.seen.name}
            self._write(written(row | {"value": one.value, "part": one.part}))
        return said

    def _ms(self, now: Moment) -> int:
        if self._start_ns is None:
            self._start_ns = now.mono_ns
        self._now_ms = (now.mono_ns - self._start_ns) // NS_PER_MS
        return self._now_ms


def written(row: dict[str, object]) -> str:
    """Write one line, without its end."""
    return json.dumps(row, ensure_ascii=False)


def crossings(lines: Iterable[str]) -> Iterator[Crossing]:
    """Read what crossed the wire; lines of anything else are passed over.

    Raises:
        ValueError: a line is no such object; the message names its number.
    """
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line[:LINE_CHARACTERS_MAX]) if line.strip() else {}
            if "hex" in row:
                yield Crossing(
                    int(row["ms"]), row["from"] == FROM_DEVICE, bytes.fromhex(row["hex"])
                )
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"line {number}: no capture: {error}") from error
