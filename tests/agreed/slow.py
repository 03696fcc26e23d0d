"""The reference that the hot loop is tested against: slow, obvious, one promise at a time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from agreed.limits import SPAN_MS_MAX
from agreed.promises import NO_CLOCK, Match, Promise, Verdict
from agreed.records import ClockState, Record
from agreed.tick import Change

Name = tuple[str, str]
Clock = Callable[[Promise, int], int]
"""What counts of the time until a moment, for a promise: all of it, or working time."""


def every_ms(_: Promise, at_ms: int) -> int:
    return at_ms


def score_bp(promise: Promise, deviation_ms: int) -> int:
    if deviation_ms < -promise.tolerance_ms:
        early_ms = -deviation_ms - promise.tolerance_ms
        early_bp = early_ms * promise.early_bp_per_hour // 3_600_000
        return 10_000 + min(early_bp, promise.early_bp_max)
    if deviation_ms <= promise.tolerance_ms:
        return 10_000
    left = Fraction(promise.hard_ms - deviation_ms, promise.hard_ms - promise.tolerance_ms)
    return round(10_000 * max(left, Fraction(0)))  # a Fraction rounds half to even


def judge(
    promise: Promise, record: Record | None, covered_ms: int, clock: Clock = every_ms
) -> tuple[Verdict, int, int]:
    """Give verdict, deviation in ms and score in bp."""

    def past(at_ms: int) -> int:
        return clock(promise, at_ms) - clock(promise, promise.promised_at_ms)

    if record is None:
        is_missed = past(covered_ms) >= promise.hard_ms
        return (Verdict.MISSED if is_missed else Verdict.OPEN), 0, 0
    d = max(-SPAN_MS_MAX, min(SPAN_MS_MAX, past(record.wall_ms)))
    is_set = record.clock_state != ClockState.UNSET and record.bound_ms < NO_CLOCK
    if is_set and past(record.wall_ms - record.bound_ms) > promise.tolerance_ms:
        return Verdict.LATE, d, score_bp(promise, d)
    if is_set and past(record.wall_ms + record.bound_ms) <= promise.tolerance_ms:
        return Verdict.KEPT, d, score_bp(promise, d)
    return Verdict.UNDECIDABLE, d, 10_000


def admits(promise: Promise, record: Record, clock: Clock) -> bool:
    if record.node_kind != promise.node_kind or record.evidence > promise.weakest_evidence:
        return False
    if promise.match == Match.BY_ORDER:
        return record.reference == promise.order
    # Up to the first moment of the hard limit: a millisecond sooner it was not yet reached.
    past_ms = clock(promise, record.wall_ms - 1) - clock(promise, promise.promised_at_ms)
    is_inside = promise.opens_at_ms <= record.wall_ms and past_ms < promise.hard_ms
    is_there = promise.match == Match.BY_WORKER or record.device == promise.place
    return is_inside and is_there and record.subject == promise.worker


def proofs(
    promises: Iterable[Promise], records: Iterable[Record], clock: Clock = every_ms
) -> dict[Name, Record]:
    """In order of time, every record proves what it can; in turns only the earliest due."""
    by_due = sorted(promises, key=lambda p: (p.promised_at_ms, p.order, p.node))
    found: dict[Name, Record] = {}
    for record in sorted(records, key=lambda r: (r.wall_ms, r.sequence)):
        is_used = False
        for p in by_due:
            if (p.order, p.node) in found or not admits(p, record, clock):
                continue
            if p.match == Match.BY_TURN and is_used:
                continue
            is_used |= p.match == Match.BY_TURN
            found[p.order, p.node] = record
    return found


@dataclass
class Told:
    """What one row of `Transitions` should say."""

    kind: int
    verdict: int
    deviation_ms: int
    score_bp: int
    sequence: int


class SlowPromises:
    """What `OpenPromises` does, with everything judged anew in each tick and nothing forgotten."""

    def __init__(self, clock: Clock = every_ms) -> None:
        self.clock = clock
        self.promises: dict[Name, Promise] = {}
        self.standing: dict[Name, tuple[int, int, int]] = {}  # verdict, stage, sequence
        self.records: dict[int, Record] = {}
        self.now_ms = -1
        self.covered_ms = -NO_CLOCK

    def put(self, promises: list[Promise]) -> None:
        for p in promises:
            self.promises[p.order, p.node] = p
            self.standing[p.order, p.node] = (Verdict.OPEN, 0, 0)

    def end(self, orders: list[str]) -> None:
        for name in [n for n in self.promises if n[0] in orders]:
            if self.standing[name][0] == Verdict.OPEN:
                del self.promises[name], self.standing[name]

    def tick(self, records: list[Record], now_ms: int, bound_ms: int) -> dict[Name, Told]:
        self.records.update((r.sequence, r) for r in records)
        if bound_ms < NO_CLOCK:
            self.now_ms = max(self.now_ms, now_ms)
            self.covered_ms = max(self.covered_ms, now_ms - bound_ms)
        found = proofs(self.promises.values(), self.records.values(), self.clock)
        told = {}
        for name, p in self.promises.items():
            verdict, d, score = judge(p, found.get(name), self.covered_ms, self.clock)
            sequence = found[name].sequence if name in found else 0
            stage = self._stage(p)
            before, stage_before, sequence_before = self.standing[name]
            self.standing[name] = (verdict, stage, sequence)
            kind = 0
            if before != Verdict.OPEN:
                is_other = sequence != sequence_before or verdict != before
                kind = Change.CHANGED if is_other else 0
            elif verdict != Verdict.OPEN:
                kind = Change.DECIDED
            elif stage > stage_before:
                kind = (Change.AT_RISK, Change.LATE_RUNNING)[stage - 1]
            if kind:
                told[name] = Told(kind, verdict, d, score, sequence)
        return told

    def _stage(self, p: Promise) -> int:
        due_ms = self.clock(p, p.promised_at_ms) + p.tolerance_ms
        if self.clock(p, self.covered_ms) > due_ms:
            return 2
        is_close = self.clock(p, self.now_ms) >= due_ms - p.at_risk_ms
        return 1 if self.now_ms >= p.opens_at_ms and is_close else 0

    def at_risk(self) -> int:
        return sum(v == Verdict.OPEN and stage > 0 for v, stage, _ in self.standing.values())

    def counts(self) -> dict[Verdict, int]:
        verdicts = [v for v, _, _ in self.standing.values()]
        return {v: verdicts.count(v) for v in Verdict}
