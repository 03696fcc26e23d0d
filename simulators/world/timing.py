"""One boot of a box that begins in 1970: are its records' true times within their stated bounds?"""

from dataclasses import dataclass, field
from random import Random
from typing import Final

import numpy as np

from agreed.anchors import Anchor, AnchorSource, answered, to_anchors
from agreed.machine import NS_PER_MS, NS_PER_S
from agreed.records import GATE_PASSED, Bools, ClockState, Evidence, Int64s, Record, to_columns
from agreed.timeline import DRIFT_PPM, agree, correct
from agreed.timex import Discipline
from edge.clock import BoxClock
from simulators.world.clocks import ERROR_US_MAX, ZERO_WALL_MS, Crystal, true_wall_ms

HOURS: Final = 8
DRIFT_PPM_MAX: Final = 100
NTP_S: Final = 3_600
"""When a time source is heard of for the first time."""

STEP_MS: Final = 8 * 3_600_000
RECORD_S_MEAN: Final = 20.0
ROUND_S_MEAN: Final = 120.0
HEADQUARTERS_ERROR_MS: Final = 20


@dataclass(slots=True)
class Timed:
    """What came of a boot, or of many; claimed is what the box stamped at once.

    Attributes:
        records: how many.
        claimed_unset, corrected_unset: those without a time.
        claimed_beyond, corrected_beyond: those whose true time lies outside their bound.
        claimed_ms, corrected_ms: bounds of those with a time, ms.
    """

    records: int = 0
    claimed_unset: int = 0
    corrected_unset: int = 0
    claimed_beyond: int = 0
    corrected_beyond: int = 0
    claimed_ms: list[Int64s] = field(default_factory=list)
    corrected_ms: list[Int64s] = field(default_factory=list)

    def add(self, other: "Timed") -> None:
        """Count what another boot came to."""
        self.records += other.records
        self.claimed_unset += other.claimed_unset
        self.corrected_unset += other.corrected_unset
        self.claimed_beyond += other.claimed_beyond
        self.corrected_beyond += other.corrected_beyond
        self.claimed_ms += other.claimed_ms
        self.corrected_ms += other.corrected_ms


def time_boot(seed: int, *, is_control: bool = False) -> Timed:
    """Play a boot: 1970, a time source after an hour, somebody who moves the clock there and back.

    Args:
        seed: the same gives the same.
        is_control: a kernel that says that its clock is right at all times; must be found out.
    """
    dice = Random(seed)
    crystal = Crystal(dice, DRIFT_PPM_MAX)
    crystal.power_cut(0, _NoBattery())
    trusting = Discipline(is_synced=True, error_us_max=ERROR_US_MAX)
    clock = BoxClock(
        kernel=(lambda: trusting) if is_control else crystal.discipline,
        machine_boot=crystal.machine_boot,
    )
    moves = _moves(crystal, dice)
    records: list[Record] = []
    anchors: list[Anchor] = []
    true_ms: list[int] = []
    now_ns, round_ns = 0, 0
    while now_ns < HOURS * 3_600 * NS_PER_S:
        now_ns += int(dice.expovariate(1 / RECORD_S_MEAN) * NS_PER_S)
        while moves and moves[0][0] <= now_ns:
            moves.pop(0)[1]()
        if now_ns > NTP_S * NS_PER_S / 2 and now_ns > round_ns:
            anchors.append(_asked(crystal, now_ns, dice))
            round_ns = now_ns + int(dice.expovariate(1 / ROUND_S_MEAN) * NS_PER_S)
        if crystal.is_steered:
            anchors.append(_steered(crystal, now_ns))
        true_ms.append(true_wall_ms(now_ns))
        records.append(_record(len(records) + 1, clock, crystal, now_ns))
    return _judged(records, anchors, np.array(true_ms, np.int64))


class _NoBattery(Random):
    """Dice that leave a box without a battery."""

    def random(self) -> float:
        """Give the most."""
        return 0.999


def _moves(crystal: Crystal, dice: Random) -> list[tuple[int, "_Move"]]:
    moves: list[tuple[int, _Move]] = [(NTP_S * NS_PER_S, _Move(crystal, 0))]
    for hour in sorted(dice.uniform(1.5, HOURS) for _ in range(4)):
        at_ns = int(hour * 3_600 * NS_PER_S)
        moves.append((at_ns, _Move(crystal, at_ns)))
        back_ns = at_ns + int(dice.uniform(10, 1_800) * NS_PER_S)
        moves.append((back_ns, _Move(crystal, 0)))
    return sorted(moves, key=lambda move: move[0])


@dataclass(frozen=True, slots=True)
class _Move:
    """Moves the wall clock by eight hours at a time, or lets the time source have it."""

    crystal: Crystal
    at_ns: int

    def __call__(self) -> None:
        if self.at_ns:
            self.crystal.move(self.at_ns, STEP_MS)
        else:
            self.crystal.steer()


def _asked(crystal: Crystal, now_ns: int, dice: Random) -> Anchor:
    asked_ns = now_ns - int(dice.expovariate(1 / 0.08) * NS_PER_S)
    told_ns = dice.randint(max(0, asked_ns), now_ns) + ZERO_WALL_MS * NS_PER_MS
    error_ns = HEADQUARTERS_ERROR_MS * NS_PER_MS
    told_ns += dice.randint(-error_ns, error_ns)
    asked_mono, heard_mono = crystal.mono_ns(max(0, asked_ns)), crystal.mono_ns(now_ns)
    return answered(asked_mono, told_ns, error_ns, heard_mono, DRIFT_PPM)


def _steered(crystal: Crystal, now_ns: int) -> Anchor:
    moment = crystal.moment(now_ns)
    error_ns = ERROR_US_MAX * 1_000
    return Anchor(
        AnchorSource.KERNEL, moment.mono_ns, moment.wall_ns - error_ns, moment.wall_ns + error_ns
    )


def _record(sequence: int, clock: BoxClock, crystal: Crystal, now_ns: int) -> Record:
    stamp = clock.stamp(crystal.moment(now_ns))
    return Record(
        sequence,
        stamp.mono_ns,
        stamp.wall_ms,
        stamp.bound_ms,
        stamp.clock_state,
        Evidence.DEVICE,
        "gate-1",
        GATE_PASSED,
    )


def _judged(records: list[Record], anchors: list[Anchor], true_ms: Int64s) -> Timed:
    columns = to_columns(records)
    times = correct(agree(to_anchors(anchors)), columns)
    timed = Timed(records=len(records))
    is_set = columns.clock_state != ClockState.UNSET
    timed.claimed_unset = int((~is_set).sum())
    timed.claimed_beyond = _beyond(true_ms, columns.wall_ms, columns.bound_ms, is_set)
    timed.claimed_ms.append(columns.bound_ms[is_set])
    is_set = times.clock_state != ClockState.UNSET
    timed.corrected_unset = int((~is_set).sum())
    timed.corrected_beyond = _beyond(true_ms, times.wall_ms, times.bound_ms, is_set)
    timed.corrected_ms.append(times.bound_ms[is_set])
    return timed


def _beyond(true_ms: Int64s, wall_ms: Int64s, bound_ms: Int64s, is_set: Bools) -> int:
    return int((is_set & (np.abs(wall_ms - true_ms) > bound_ms)).sum())
