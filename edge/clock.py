"""The only file that reads clocks: what time it is, and how far that may be wrong."""

import ctypes
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from agreed.anchors import TIME_NS_MAX, Anchor, AnchorSource, answered
from agreed.limits import WALL_MS_MAX
from agreed.machine import NS_PER_MS, NS_PER_S, Moment, SimulatedDay, parse_simulated_day
from agreed.promises import NO_CLOCK
from agreed.records import ClockState
from agreed.timeline import DRIFT_PPM, to_times
from agreed.timex import Discipline, Timex, discipline_of
from agreed.words import RemedyError, say
from edge.anchoring import Anchoring

SIMULATED_DAY_VARIABLE: Final = "DUIFU_SIMULATED_DAY"
ASK_NS: Final = 600 * NS_PER_S
ASK_SOON_NS: Final = 30 * NS_PER_S
"""How often headquarters is asked what time it is, and how often while nobody has said."""

BATTERY_ERROR_NS: Final = 60 * NS_PER_S
BATTERY_PPM: Final = 200
"""How wrong a clock with a battery may be, and how fast it may drift while it was alone."""

SIMULATED_BOUND_MS: Final = 50
EARLIEST_WALL_NS: Final = 1_735_689_600 * NS_PER_S
"""2025-01-01 UTC: a clock that shows less was never set."""

NEAR_NS: Final = 1_000_000
NEAR_STEP_NS: Final = 50_000
"""Within so long of a moment that the kernel vouched for it is not asked again, as long as its two
clocks have not come apart by more: then nobody has set the clock, and it cannot have drifted."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
BATTERY_CLOCK: Final = Path("/sys/class/rtc/rtc0/since_epoch")


class Stamp(NamedTuple):
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
class ClockMemory:
    """What a restart of the box must not forget.

    Attributes:
        floor_ms: the latest wall time that was known to be right, ms; 0 for none.
        machine_boot: id of the machine's boot in which the time was last known, "" for none.
        synced_mono_ns: the monotonic clock then, ns.
        synced_wall_ns: the time then, ns since the epoch.
        synced_bound_ms: its error then, ms.
    """

    floor_ms: int = 0
    machine_boot: str = ""
    synced_mono_ns: int = 0
    synced_wall_ns: int = 0
    synced_bound_ms: int = 0

    def anchor(self) -> Anchor | None:
        """Say what it tells of the time in that boot; None for nothing."""
        error_ns = self.synced_bound_ms * NS_PER_MS
        lo_ns, hi_ns = self.synced_wall_ns - error_ns, self.synced_wall_ns + error_ns
        if not self.machine_boot or not 0 <= lo_ns <= hi_ns <= TIME_NS_MAX:
            return None
        return Anchor(AnchorSource.KERNEL, self.synced_mono_ns, lo_ns, hi_ns)

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
        self._anchoring = Anchoring()
        self._asked_ns: int | None = None
        self._vouched: tuple[Moment, int] | None = None
        remembered = self.memory.anchor()
        if remembered is not None and self.memory.machine_boot == machine_boot:
            self._anchoring.learn(remembered)

    def moment(self) -> Moment:
        """Read both clocks of this machine; in a simulated day the wall clock is the day's."""
        if self._day is not None:
            mono_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            return Moment(self._day.wall_ns(mono_ns), mono_ns)
        # The raw one: time services slew the other by more than any crystal drifts.
        mono_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        return Moment(time.clock_gettime_ns(time.CLOCK_REALTIME), mono_ns)

    def stamp(self, at: Moment) -> Stamp:
        """Give the time that a record of this moment carries."""
        wall_ms = at.wall_ns // NS_PER_MS
        if not 0 <= wall_ms <= WALL_MS_MAX:
            wall_ms = 0 if wall_ms < 0 else WALL_MS_MAX
        if self._day is not None:
            return Stamp(
                self._day.mono_ns(at.mono_ns), wall_ms, self._simulated_bound_ms(at), self._state()
            )
        if self._vouched is not None and _is_near(self._vouched[0], at):
            return Stamp(at.mono_ns, wall_ms, self._vouched[1], ClockState.SYNCED)
        discipline = self._kernel()
        reading = self._reading(at, discipline)
        self._vouched = None
        if reading is not None and self._anchoring.learn(reading):
            error_ns = discipline.error_us_max * 1_000
            self._vouched = at, min(_whole_ms(error_ns + 2 * NEAR_STEP_NS), NO_CLOCK)
            bound_ms = min(_whole_ms(error_ns), NO_CLOCK)
            return self._known(Stamp(at.mono_ns, wall_ms, bound_ms, ClockState.SYNCED))
        bounds = self._anchoring.bounds(at.mono_ns)
        if bounds is not None:
            held_ms, bound_ms = _middle_ms(*bounds)
            if bound_ms < NO_CLOCK:
                return self._known(Stamp(at.mono_ns, held_ms, bound_ms, ClockState.HOLDING))
        return Stamp(at.mono_ns, wall_ms, NO_CLOCK, ClockState.UNSET)

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

    def is_time_wanted(self, mono_ns: int) -> bool:
        """Say whether headquarters is to be asked now what time it is."""
        if self._day is not None:
            return False
        wait_ns = ASK_SOON_NS if self._anchoring.bounds(mono_ns) is None else ASK_NS
        is_due = self._asked_ns is None or mono_ns - self._asked_ns >= wait_ns
        if is_due:
            self._asked_ns = mono_ns
        return is_due

    def told(self, asked_ns: int, told_ns: int, error_ns: int, heard_ns: int) -> None:
        """Learn what headquarters answered; arguments as of `agreed.anchors.answered`."""
        anchor = answered(asked_ns, told_ns, error_ns, heard_ns, DRIFT_PPM)
        if anchor.hi_ns > TIME_NS_MAX or self._day is not None:
            return
        self._vouched = None  # it may contradict the kernel
        is_believed = self._anchoring.learn(anchor)
        # A floor beyond what is known now was a mistake of a time source.
        if is_believed and anchor.hi_ns // NS_PER_MS < self.memory.floor_ms:
            self.memory = replace(self.memory, floor_ms=anchor.lo_ns // NS_PER_MS)

    def learn_from_battery(self, at: Moment, battery_s: int) -> None:
        """Take in what a clock with a battery says, if it has not stood still meanwhile."""
        alone_ns = battery_s * NS_PER_S - self.memory.floor_ms * NS_PER_MS
        if self.memory.floor_ms == 0 or alone_ns < 0 or battery_s * NS_PER_S > TIME_NS_MAX // 2:
            return
        error_ns = BATTERY_ERROR_NS + alone_ns // 1_000_000 * BATTERY_PPM
        lo_ns, hi_ns = battery_s * NS_PER_S - error_ns, (battery_s + 1) * NS_PER_S + error_ns
        lo_ns = max(lo_ns, self.memory.floor_ms * NS_PER_MS)
        self._anchoring.learn(Anchor(AnchorSource.BATTERY, at.mono_ns, lo_ns, hi_ns))

    def anchors_to_journal(self) -> list[Anchor]:
        """Hand over, once, what is to become records."""
        return self._anchoring.to_journal()

    def _reading(self, at: Moment, kernel: Discipline) -> Anchor | None:
        """Say what the system clock proves; None for nothing."""
        if not kernel.is_synced or at.wall_ns < EARLIEST_WALL_NS or self._day is not None:
            return None
        error_ns = kernel.error_us_max * 1_000
        lo_ns, hi_ns = at.wall_ns - error_ns, at.wall_ns + error_ns
        if lo_ns < 0 or hi_ns > TIME_NS_MAX:
            return None
        is_before_floor = at.wall_ns < self.memory.floor_ms * NS_PER_MS
        if is_before_floor and self._anchoring.bounds(at.mono_ns) is None:
            return None
        return Anchor(AnchorSource.KERNEL, at.mono_ns, lo_ns, hi_ns)

    def _known(self, stamp: Stamp) -> Stamp:
        """Remember, for a restart, a time that is known."""
        self.memory = ClockMemory(
            max(self.memory.floor_ms, stamp.wall_ms - stamp.bound_ms),
            self._machine_boot,
            stamp.mono_ns,
            stamp.wall_ms * NS_PER_MS,
            stamp.bound_ms,
        )
        return stamp


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
    clock = BoxClock(memory, day, machine_boot=_machine_boot())
    battery_s = read_battery(BATTERY_CLOCK)
    if battery_s is not None and day is None:
        clock.learn_from_battery(clock.moment(), battery_s)
    return clock


def read_battery(path: Path) -> int | None:
    """Read a clock with a battery, s since the epoch; None if there is none."""
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None


def timeline_id(entropy: bytes) -> bytes:
    """Name the timeline of the monotonic clock, 16 bytes: the boot of the machine.

    Processes of one boot share it. Where the machine does not say, or in a simulated day, each
    process has one of its own.

    Args:
        entropy: 16 random bytes.
    """
    boot = _machine_boot()
    if not boot or os.environ.get(SIMULATED_DAY_VARIABLE):
        return entropy
    try:
        return bytes.fromhex(boot.replace("-", ""))
    except ValueError:
        return entropy


def _machine_boot() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


def _is_near(vouched: Moment, at: Moment) -> bool:
    """Say whether what holds at one moment holds at another, whatever became of the clock."""
    since_ns = at.mono_ns - vouched.mono_ns
    step_ns = at.wall_ns - vouched.wall_ns - since_ns
    return 0 <= since_ns < NEAR_NS and -NEAR_STEP_NS <= step_ns <= NEAR_STEP_NS


def _whole_ms(ns: int) -> int:
    """Round up, and one more for the half millisecond that a wall time in ms hides."""
    return -(-ns // NS_PER_MS) + 1


def _middle_ms(earliest_ns: int, latest_ns: int) -> tuple[int, int]:
    wall_ms, bound_ms = to_times(np.array([earliest_ns], np.int64), np.array([latest_ns], np.int64))
    return int(wall_ms[0]), int(bound_ms[0])


def _drift_ms(span_ns: int) -> int:
    return _whole_ms(span_ns * DRIFT_PPM // 1_000_000)


def kernel_discipline() -> Discipline:
    """Ask the kernel how its clock is steered; about a microsecond."""
    timex = Timex()
    return discipline_of(timex, _LIBC.adjtimex(ctypes.byref(timex)))


_LIBC: Final = ctypes.CDLL(None, use_errno=True)
