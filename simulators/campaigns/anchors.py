"""Plays clocks that boot in 1970, are put right, moved and drift, against what records claim.

Truth is known here: every record's true time must lie within its bound, as its box claimed it and
as headquarters computes it again from the anchors that the box journaled. The control trusts the
wall clock, and must fail.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from agreed.anchors import Anchor, to_anchors
from agreed.machine import NS_PER_MS, NS_PER_S, Moment
from agreed.records import ClockState, Evidence, Record, to_columns
from agreed.timeline import agree, correct
from agreed.timex import Discipline
from edge.clock import BoxClock, Stamp, parse_memory

DRIFT_PPM_MAX: Final = 100
BOOT_TRUE_NS: Final = 1_795_000_000 * NS_PER_S
HOUR_NS: Final = 3_600 * NS_PER_S
STEP_NS: Final = 8 * HOUR_NS
ACTS_MAX: Final = 120
ROUND_NS_MAX: Final = 20 * NS_PER_S
TRUSTED_BOUND_MS: Final = 1_000
"""What the control believes of any wall clock."""

Stamper = Callable[[BoxClock, Moment], Stamp]


@dataclass(slots=True)
class Machine:
    """One boot of a machine as it is in truth.

    Attributes:
        true_ns: true time, ns since the epoch.
        mono_ns: its monotonic clock.
        offset_ns: its wall clock less true time, while nobody steers it.
        is_steered: whether a time source does.
        ppm: how fast the monotonic clock drifts now.
        error_ns: what the kernel says the wall clock may be wrong by, while it is steered.
        wander_ppm_max: how much ppm changes whenever time passes.
    """

    dice: random.Random
    true_ns: int
    mono_ns: int = 0
    offset_ns: int = 0
    is_steered: bool = False
    ppm: int = 0
    error_ns: int = 0
    wander_ppm_max: int = 3

    def pass_time(self, span_ns: int) -> None:
        """Let true time pass; the crystal wanders a little."""
        self.true_ns += span_ns
        drift_ns = span_ns * self.ppm // 1_000_000
        self.mono_ns += span_ns + drift_ns
        if not self.is_steered:
            self.offset_ns += drift_ns
        wander = self.ppm + self.dice.randint(-self.wander_ppm_max, self.wander_ppm_max)
        self.ppm = max(-DRIFT_PPM_MAX, min(DRIFT_PPM_MAX, wander))

    def moment(self) -> Moment:
        """Read both clocks."""
        return Moment(max(0, self.true_ns + self.offset_ns), self.mono_ns)

    def discipline(self) -> Discipline:
        """Say what the kernel says."""
        return Discipline(self.is_steered, -(-self.error_ns // 1_000))

    def steer(self) -> None:
        """Let a time source put the wall clock right, within an error that it knows."""
        self.is_steered = True
        self.error_ns = self.dice.randint(100_000, 100 * NS_PER_MS)
        self.offset_ns = self.dice.randint(-self.error_ns, self.error_ns)

    def step(self, span_ns: int) -> None:
        """Let somebody move the wall clock: the kernel says no longer that it is steered."""
        self.is_steered = False
        self.offset_ns += span_ns


@dataclass(slots=True)
class Life:
    """What one boot left behind: records with their true times, and anchors."""

    records: list[Record] = field(default_factory=list)
    true_ns: list[int] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """What many seeds came to; bounds are ms of records whose time is known."""

    seeds: int = 0
    records: int = 0
    anchors: int = 0
    steps: int = 0
    unset_claimed: int = 0
    unset_corrected: int = 0
    false_claims: int = 0
    false_corrections: int = 0
    contradictions: int = 0
    failed: list[int] = field(default_factory=list)
    claimed_ms: list[int] = field(default_factory=list)
    corrected_ms: list[int] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Give the figures as they are printed."""
        numbers = {
            name: getattr(self, name)
            for name in (
                "seeds",
                "records",
                "anchors",
                "steps",
                "unset_claimed",
                "unset_corrected",
                "false_claims",
                "false_corrections",
                "contradictions",
            )
        }
        return numbers | {
            "claimed_bound_ms": percentiles(self.claimed_ms),
            "corrected_bound_ms": percentiles(self.corrected_ms),
            "failed_seeds": self.failed[:20],
        }


def percentiles(values: list[int]) -> dict[str, int]:
    """Give p50, p90, p99 and the largest; nothing for nothing."""
    if not values:
        return {}
    found = np.percentile(values, [50, 90, 99, 100], method="higher").astype(np.int64).tolist()
    return dict(zip(("p50", "p90", "p99", "max"), found, strict=True))


def honest(clock: BoxClock, at: Moment) -> Stamp:
    """Stamp as the box does."""
    return clock.stamp(at)


def trusting(clock: BoxClock, at: Moment) -> Stamp:
    """Stamp as a box that trusts its wall clock: the control."""
    clock.stamp(at)
    return Stamp(at.mono_ns, at.wall_ns // NS_PER_MS, TRUSTED_BOUND_MS, ClockState.SYNCED)


def play(seed: int, tally: Tally, stamper: Stamper = honest) -> None:
    """Play one box over one to three boots, and hold its records against the truth."""
    dice = random.Random(seed)
    memory = ""
    true_ns = BOOT_TRUE_NS + dice.randint(0, 10**6) * NS_PER_S
    faults = tally.false_claims + tally.false_corrections
    for number in range(dice.randint(1, 3)):
        life = Life()
        is_flat = dice.random() < 0.7
        machine = Machine(dice, true_ns, ppm=dice.randint(-DRIFT_PPM_MAX, DRIFT_PPM_MAX))
        machine.offset_ns = -true_ns if is_flat else dice.randint(-HOUR_NS, HOUR_NS)
        memory = _live(machine, life, memory, f"boot-{number}", (tally, stamper))
        _judge(life, tally)
        true_ns = machine.true_ns + dice.randint(1, 48) * HOUR_NS
    tally.seeds += 1
    if tally.false_claims + tally.false_corrections > faults:
        tally.failed.append(seed)


def play_day(tally: Tally, stamper: Stamper = honest) -> None:
    """Play the day that boards live through, a record a minute, without headquarters.

    Boot in 1970, a time source after an hour, the wall clock moved by +8 h an hour later and
    back after another, then free: the crystal drifts 100 ppm all the while.
    """
    dice = random.Random(0)
    machine = Machine(dice, BOOT_TRUE_NS, ppm=DRIFT_PPM_MAX, wander_ppm_max=0)
    machine.offset_ns = -BOOT_TRUE_NS
    life, clock = Life(), _start(machine, "", "boot-0")
    for minute in range(24 * 60):
        if minute == 60:
            machine.steer()
        elif minute in {120, 180}:
            machine.step(STEP_NS if minute == 120 else -STEP_NS)
        _record(machine, life, stamper(clock, machine.moment()))
        life.anchors += clock.anchors_to_journal()
        machine.pass_time(60 * NS_PER_S)
    tally.seeds, tally.steps = tally.seeds + 1, tally.steps + 2
    _judge(life, tally)
    if tally.false_claims + tally.false_corrections:
        tally.failed.append(0)


def _live(machine: Machine, life: Life, memory: str, boot: str, how: tuple[Tally, Stamper]) -> str:
    """Let a boot go by: an hour in 1970 at first, then whatever happens to clocks."""
    tally, stamper = how
    dice = machine.dice
    clock = _start(machine, memory, boot)
    first_source_ns = machine.true_ns + dice.randint(0, 2) * HOUR_NS
    stepped_ns = 0
    for _ in range(dice.randint(20, ACTS_MAX)):
        machine.pass_time(dice.randint(0, 30 * 60) * NS_PER_S)
        act = dice.random()
        if act < 0.1 and machine.true_ns >= first_source_ns:
            machine.steer()
            stepped_ns = 0
        elif act < 0.2:  # +8 h, and back with the next step
            moved_ns = -stepped_ns if stepped_ns else dice.choice((STEP_NS, -STEP_NS))
            machine.step(moved_ns)
            stepped_ns = 0 if stepped_ns else moved_ns
            tally.steps += 1
        elif act < 0.25:
            machine.is_steered = False
        elif act < 0.35:
            _ask(machine, clock)
        elif act < 0.4:
            clock = _start(machine, str(clock.memory), boot)
        _record(machine, life, stamper(clock, machine.moment()))
        life.anchors += clock.anchors_to_journal()
    return str(clock.memory)


def _start(machine: Machine, memory: str, boot: str) -> BoxClock:
    return BoxClock(parse_memory(memory), kernel=machine.discipline, machine_boot=boot)


def _ask(machine: Machine, clock: BoxClock) -> None:
    """Ask headquarters over a line that may be slow in either direction."""
    dice, asked_ns = machine.dice, machine.mono_ns
    machine.pass_time(dice.randint(1, ROUND_NS_MAX))
    error_ns = dice.randint(0, 200 * NS_PER_MS)
    told_ns = machine.true_ns + dice.randint(-error_ns, error_ns)
    machine.pass_time(dice.randint(1, ROUND_NS_MAX))
    clock.told(asked_ns, told_ns, error_ns, machine.mono_ns)


def _record(machine: Machine, life: Life, stamp: Stamp) -> None:
    life.true_ns.append(machine.true_ns)
    life.records.append(
        Record(
            len(life.records) + 1,
            stamp.mono_ns,
            stamp.wall_ms,
            stamp.bound_ms,
            stamp.clock_state,
            Evidence.DEVICE,
            "gate-1",
            "gate_passed",
        )
    )


def _judge(life: Life, tally: Tally) -> None:
    columns = to_columns(life.records)
    agreement = agree(to_anchors(life.anchors))
    times = correct(agreement, columns)
    true_ms = np.array(life.true_ns, np.int64) // NS_PER_MS
    tally.records += len(columns)
    tally.anchors += len(life.anchors)
    tally.contradictions += agreement.contradicting
    for one, false, unset, widths in (
        (columns, "false_claims", "unset_claimed", tally.claimed_ms),
        (times, "false_corrections", "unset_corrected", tally.corrected_ms),
    ):
        is_set = one.clock_state != ClockState.UNSET
        is_false = is_set & (np.abs(true_ms - one.wall_ms) > one.bound_ms)
        setattr(tally, false, getattr(tally, false) + int(is_false.sum()))
        setattr(tally, unset, getattr(tally, unset) + int((~is_set).sum()))
        widths.extend(one.bound_ms[is_set].tolist())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when every bound held, or when the control failed as it must."""
    parser = argparse.ArgumentParser(prog="python -m simulators.campaigns.anchors")
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--control", action="store_true", help="trust the wall clock; must fail")
    parser.add_argument("--day", action="store_true", help="play one day of a small board")
    options = parser.parse_args(arguments)
    tally = Tally()
    if options.day:
        play_day(tally, trusting if options.control else honest)
        options.seeds = 0
    for seed in range(options.first, options.first + options.seeds):
        play(seed, tally, trusting if options.control else honest)
    sys.stdout.write(json.dumps(tally.summary() | {"from": options.first}, indent=2) + "\n")
    is_broken = bool(tally.failed)
    return int(is_broken != options.control)


if __name__ == "__main__":
    sys.exit(main())
