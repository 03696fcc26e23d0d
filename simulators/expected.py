"""What must follow from what happened: verdicts, scores and pay, worked out a second time; pure.

Nothing here uses `agreed.checks` or `agreed.money`: it is the other implementation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from agreed.promises import Match, Verdict
from simulators.evidence import PromiseRow, RecordRow

_FULL_BP: Final = 10_000
_HOUR_MS: Final = 3_600_000
_UNSET: Final = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """One happening that could prove a promise.

    Attributes:
        node_kind: what happened.
        subject: who did it; "" where the wire does not show it.
        order: for which order; "" for none.
        at_ms: when, ms since the epoch.
        bound_ms: how far that may be wrong; None when the clock was never set.
    """

    node_kind: str
    subject: str
    order: str
    at_ms: int
    bound_ms: int | None = 0


def facts_of(records: Iterable[RecordRow]) -> list[Fact]:
    """Read records as facts, in order of time and then of identity."""
    ordered = sorted(records, key=lambda record: (record.wall_ms, *record.identity))
    return [
        Fact(
            record.node_kind,
            record.subject,
            record.reference,
            record.wall_ms,
            None if record.clock_state == _UNSET else record.bound_ms,
        )
        for record in ordered
    ]


def proof_of(promise: PromiseRow, facts: list[Fact]) -> Fact | None:
    """Find the first fact that proves a promise; facts are in order of time."""
    for fact in facts:
        if fact.node_kind != promise.node_kind:
            continue
        if promise.match == Match.BY_ORDER:
            if fact.order == promise.order:
                return fact
        elif fact.subject == promise.worker and _is_in_window(promise, fact.at_ms):
            return fact
    return None


def verdict_of(promise: PromiseRow, fact: Fact | None, covered_until_ms: int) -> Verdict:
    """Judge one promise by the sentences of the mission, in whole numbers."""
    if fact is None:
        is_past = covered_until_ms >= promise.promised_at_ms + promise.hard_ms
        return Verdict.MISSED if is_past else Verdict.OPEN
    if fact.bound_ms is None:
        return Verdict.UNDECIDABLE
    over_ms = fact.at_ms - promise.promised_at_ms - promise.tolerance_ms
    if over_ms > fact.bound_ms:
        return Verdict.LATE
    return Verdict.KEPT if over_ms + fact.bound_ms <= 0 else Verdict.UNDECIDABLE


def pay_fen(promise: PromiseRow, fact: Fact | None, verdict: Verdict) -> int:
    """Work out what one node earns: piece rate times score, rounded half to even."""
    score_bp = _score_bp(promise, fact, verdict)
    return round(Fraction(promise.rate_fen * score_bp, _FULL_BP))


def _score_bp(promise: PromiseRow, fact: Fact | None, verdict: Verdict) -> int:
    if fact is None:
        return 0
    if verdict is Verdict.UNDECIDABLE:
        return _FULL_BP
    deviation_ms = fact.at_ms - promise.promised_at_ms
    if deviation_ms > promise.tolerance_ms:
        left_ms = max(0, promise.hard_ms - deviation_ms)
        return round(Fraction(left_ms * _FULL_BP, promise.hard_ms - promise.tolerance_ms))
    early_ms = max(0, -deviation_ms - promise.tolerance_ms)
    early_bp = early_ms * promise.early_bp_per_hour // _HOUR_MS
    return _FULL_BP + min(early_bp, promise.early_bp_max)


def possible_verdicts(
    promise: PromiseRow, facts: list[Fact], covered_until_ms: int, latency_ms: int
) -> set[Verdict]:
    """Say which verdicts true deeds allow, when each is recorded up to `latency_ms` later.

    Args:
        promise: what was promised.
        facts: what was really done, in order of time, without a clock error.
        covered_until_ms: had it happened by then, headquarters would know.
        latency_ms: ms of the simulated day from the wire to the record's time, at most.
    """
    allowed = set()
    for shift_ms in (0, latency_ms):
        shifted = [
            Fact(f.node_kind, f.subject, f.order, f.at_ms + shift_ms, f.bound_ms)
            for f in facts
            if f.node_kind == promise.node_kind
        ]
        allowed.add(verdict_of(promise, proof_of(promise, shifted), covered_until_ms))
    # Between kept and late lies what the clock's error cannot decide.
    if {Verdict.KEPT, Verdict.LATE} <= allowed:
        allowed.add(Verdict.UNDECIDABLE)
    return allowed


def _is_in_window(promise: PromiseRow, at_ms: int) -> bool:
    return promise.opens_at_ms <= at_ms <= promise.promised_at_ms + promise.hard_ms
