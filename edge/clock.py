"""The only file that reads clocks: what time it is, and how far that may be wrong."""

import ctypes
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agreed.limits import WALL_MS_MAX
from agreed.machine import NS_PER_MS, NS_PER_S, Moment, SimulatedDay, parse_simulated_day
from agreed.promises import NO_CLOCK
from agreed.records import ClockState
from agreed.words import RemedyError, say

SIMULATED_DAY_VARIABLE: Final = "DUIFU_SIMULATED_DAY"
DRIFT_PPM: Final = 500
"""What the kernel, too, assumes of a free-running clock."""

SIMULATED_BOUND_MS: Final = 50
EARLIEST_WALL_NS: Final = 1_735_689_600 * NS_PER_S
"""2025-01-01 UTC: a clock that shows less was never set."""

_STA_UNSYNC: Final = 0x0040
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Stamp:
    """The time that a record carries; fields as in `agreed.records.Record`."""

    mono_ns: int
    wall_ms: int
    bound_ms: int
    clock_state: ClockState

    @property
    def earliest_ms(self) -> int:
        """It is certainly not before this; nothing is certain while the clock is unset."""
        is_unset = self.clock_state is ClockState.UNSET
        return 0 if is_unset else max(0, self.wall_ms - self.bound_ms)

    @property
    def latest_ms(self) -> int:
        """It is certainly not after this."""
        is_unset = self.clock_state is ClockState.UNSET
        return WALL_MS_MAX if is_unset else self.wall_ms + self.bound_ms


@dataclass(frozen=True, slots=True)
class Discipline:
    """What the kernel says of its clock: whether a time source steers it, and the error in us."""

    is_synced: bool
    error_us_max: int


@dataclass(frozen=True, slots=True)
class ClockMemory:
    """What a restart of the box must not forget.

    Attributes:
        floor_ms: the latest wall time that was known to be right, ms; 0 for none.
        machine_boot: id of the machine's boot in which the clock was last synced, "" for none.
        synced_mono_ns: the monotonic clock then, ns.
        synced_wall_ns: the wall clock then, ns.
        synced_bound_ms: its error then, ms.
    """

    floor_ms: int = 0
    machine_boot: str = ""
    synced_mono_ns: int = 0
    synced_wall_ns: int = 0
    synced_bound_ms: int = 0

    def __str__(self) -> str:
        """Write the form that `parse_memory` reads."""
        numbers = (self.synced_mono_ns, self.synced_wall_ns, self.synced_bound_ms)
        return " ".join([str(self.floor_ms), self.machine_boot or "-", *map(str, numbers)])


def parse_memory(text: str) -> ClockMemory:
    """Read what `ClockMemory` wrote; an unreadable memory is no memory."""
    try:
        floor_ms, boot, mono_ns, wall_ns, bound_ms = text.split(" ")
        return ClockMemory(
            int(floor_ms), boot.strip("-") and boot, int(mono_ns), int(wall_ns), int(bound_ms)
        )
    except ValueError:
        return ClockMemory()


class BoxClock:
    """Stamps moments with the time a record carries, its bound and its state.

    Attributes:
        memory: to be kept with the journal, so that a restart still knows when time was right.
    """

    def __init__(
        self,
        memory: ClockMemory | None = None,
        day: SimulatedDay | None = None,
        *,
        kernel: Callable[[], Discipline] | None = None,
        machine_boot: str = "",
    ) -> None:
        self.memory = memory or ClockMemory()
        self._day = day
        self._kernel = kernel or kernel_discipline
        self._machine_boot = machine_boot
        self._link_lost_mono_ns: int | None = None

    def moment(self) -> Moment:
        """Read both clocks of this machine; in a simulated day the wall clock is the day's."""
        mono_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        if self._day is not None:
            return Moment(self._day.wall_ns(mono_ns), mono_ns)
        return Moment(time.clock_gettime_ns(time.CLOCK_REALTIME), mono_ns)

    def stamp(self, at: Moment) -> Stamp:
        """Give the time that a record of this moment carries."""
        wall_ms = min(max(at.wall_ns // NS_PER_MS, 0), WALL_MS_MAX)
        if self._day is not None:
            return Stamp(
                self._day.mono_ns(at.mono_ns), wall_ms, self._simulated_bound_ms(at), self._state()
            )
        state, bound_ms = self._judge(at, self._kernel())
        if state is not ClockState.UNSET:
            self._raise_floor(wall_ms - bound_ms)
        return Stamp(at.mono_ns, wall_ms, bound_ms, state)

    def now(self) -> Stamp:
        """Stamp this very moment."""
        return self.stamp(self.moment())

    def real_s(self, record_s: float) -> float:
        """Say how long to wait in real seconds for a span of the records' time."""
        return record_s / (self._day.speed if self._day is not None else 1)

    def link_changed(self, *, is_up: bool) -> None:
        """Learn whether headquarters is reachable; only a simulated clock drifts by it."""
        if is_up:
            self._link_lost_mono_ns = None
        elif self._link_lost_mono_ns is None:
            self._link_lost_mono_ns = self.moment().mono_ns

    def _state(self) -> ClockState:
        return ClockState.SYNCED if self._link_lost_mono_ns is None else ClockState.HOLDING

    def _simulated_bound_ms(self, at: Moment) -> int:
        if self._link_lost_mono_ns is None or self._day is None:
            return SIMULATED_BOUND_MS
        away_ns = max(0, at.mono_ns - self._link_lost_mono_ns) * self._day.speed
        return SIMULATED_BOUND_MS + _drift_ms(away_ns)

    def _judge(self, at: Moment, kernel: Discipline) -> tuple[ClockState, int]:
        if at.wall_ns < max(EARLIEST_WALL_NS, self.memory.floor_ms * NS_PER_MS):
            return ClockState.UNSET, NO_CLOCK
        if kernel.is_synced:
            bound_ms = min(_whole_ms(kernel.error_us_max * 1_000), NO_CLOCK)
            self.memory = ClockMemory(
                self.memory.floor_ms, self._machine_boot, at.mono_ns, at.wall_ns, bound_ms
            )
            return ClockState.SYNCED, bound_ms
        return self._hold(at)

    def _hold(self, at: Moment) -> tuple[ClockState, int]:
        """Run on from the last time that was right, unless somebody moved the clock since."""
        memory = self.memory
        if not memory.machine_boot or memory.machine_boot != self._machine_boot:
            return ClockState.UNSET, NO_CLOCK
        since_ns = max(0, at.mono_ns - memory.synced_mono_ns)
        bound_ms = memory.synced_bound_ms + _drift_ms(since_ns)
        moved_ns = abs(at.wall_ns - memory.synced_wall_ns - since_ns)
        if bound_ms >= NO_CLOCK or moved_ns > bound_ms * NS_PER_MS:
            return ClockState.UNSET, NO_CLOCK
        # A small step hides within the drift; it may have come on top of it.
        return ClockState.HOLDING, bound_ms + -(-moved_ns // NS_PER_MS)

    def _raise_floor(self, certain_ms: int) -> None:
        memory = self.memory
        if certain_ms > memory.floor_ms:
            self.memory = ClockMemory(
                certain_ms,
                memory.machine_boot,
                memory.synced_mono_ns,
                memory.synced_wall_ns,
                memory.synced_bound_ms,
            )


def make_clock(memory: ClockMemory) -> BoxClock:
    """Make the clock of a running box, from the kernel or from a demonstration's day.

    Raises:
        RemedyError: DUIFU_SIMULATED_DAY is set to something else than a day.
    """
    text = os.environ.get(SIMULATED_DAY_VARIABLE)
    try:
        day = parse_simulated_day(text) if text else None
    except ValueError:
        raise RemedyError(
            say(
                "{name} is not wall_ns:mono_ns:speed; unset it, it is for demonstrations only.",
                name=SIMULATED_DAY_VARIABLE,
            )
        ) from None
    return BoxClock(memory, day, machine_boot=_machine_boot())


def _machine_boot() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


def _whole_ms(ns: int) -> int:
    """Round up, and one more for the half millisecond that a wall time in ms hides."""
    return -(-ns // NS_PER_MS) + 1


def _drift_ms(span_ns: int) -> int:
    return _whole_ms(span_ns * DRIFT_PPM // 1_000_000)


class _Timex(ctypes.Structure):
    """Linux's struct timex; modes 0 only reads."""

    _fields_ = [  # type: ignore[mutable-override]
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


def kernel_discipline() -> Discipline:
    """Ask the kernel how its clock is steered; about a microsecond."""
    timex = _Timex()
    if _LIBC.adjtimex(ctypes.byref(timex)) < 0:
        return Discipline(is_synced=False, error_us_max=0)
    return Discipline(not timex.status & _STA_UNSYNC, max(0, timex.maxerror))


_LIBC: Final = ctypes.CDLL(None, use_errno=True)
