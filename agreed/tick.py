"""The tick: open promises advance with new records and with time; only transitions come out."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from agreed.checks import count_verdicts, judge
from agreed.promises import NO_CLOCK, Facts, Judgements, Match, Promise, Verdict, to_terms
from agreed.records import Bytes8, ClockState, Int32s, Int64s, Record, RecordColumns, to_records

RETENTION_MS: Final = 24 * 3_600_000
"""A decided promise is held at least this long after its hard limit, for records that come late."""


class Change(IntEnum):
    """What happened to a promise in a tick; the numbers are never reused."""

    AT_RISK = 1  # open, and its at-risk window has begun
    LATE_RUNNING = 2  # open, and certainly past its tolerance with nothing seen
    DECIDED = 3  # kept, late, missed or undecidable
    CHANGED = 4  # was decided and is now otherwise, because a record or a promise came late;
    # its verdict may be OPEN again when its record proves a promise that is due earlier


@dataclass(frozen=True, slots=True)
class Transitions:
    """What changed in one tick; at most one row per promise, by rising index.

    Attributes:
        index: int64[n], for `OpenPromises.name`; valid until the next `put` or `end`.
        kind: uint8[n], `Change` values.
        verdict: uint8[n], `Verdict` values.
        deviation_ms: int64[n], ms, as in `Judgements`; 0 where nothing is seen.
        score_bp: int32[n], bp, as in `Judgements`; 0 where OPEN.
        sequence: int64[n], the proving record's sequence; 0 for none.
    """

    index: Int64s
    kind: Bytes8
    verdict: Bytes8
    deviation_ms: Int64s
    score_bp: Int32s
    sequence: Int64s

    def __len__(self) -> int:
        """Count the transitions."""
        return len(self.index)


@dataclass(slots=True)
class _Held:
    promise: Promise
    verdict: int = Verdict.OPEN
    stage: int = 0
    sequence: int = 0


class OpenPromises:
    """Holds open promises and what was decided lately; no I/O, no clock.

    Its state is a function of the promises put, the set of records seen, the furthest `now_ms` and
    the furthest `now_ms - bound_ms`: not of the order of arrival, nor of how records were cut into
    ticks. It equals the batch, see docs/promises.md#tick.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], _Held] = {}
        self._names: list[tuple[str, str]] = []
        self._records: dict[int, Record] = {}
        self._now_ms = -1
        self._covered_ms = -NO_CLOCK

    def __len__(self) -> int:
        """Count the promises held, open or decided lately."""
        return len(self._held)

    def name(self, index: int) -> tuple[str, str]:
        """Give the (order, node) of a transition's index."""
        return self._names[index]

    def put(self, promises: list[Promise]) -> None:
        """Open promises, or replace those of the same (order, node); the next tick judges them."""
        for promise in promises:
            self._held[promise.order, promise.node] = _Held(promise)
        self._names = sorted(self._held)

    def end(self, order: str) -> None:
        """Cancel what is still open of an order; what is decided stays decided."""
        gone = [k for k, h in self._held.items() if k[0] == order and h.verdict == Verdict.OPEN]
        for key in gone:
            del self._held[key]
        self._names = sorted(self._held)

    def tick(self, records: RecordColumns | None, now_ms: int, bound_ms: int) -> Transitions:
        """Advance to `now_ms`, with the records journaled since the last tick.

        Args:
            records: the new records, or None; a record that comes twice counts once.
            now_ms: the box's wall clock, ms since the epoch.
            bound_ms: ms, its error; NO_CLOCK or more while it was never set: then no deadline falls
                due.

        Returns:
            What changed.
        """
        if records is not None:
            self._records.update((r.sequence, r) for r in to_records(records))
        if bound_ms < NO_CLOCK:
            self._now_ms = max(self._now_ms, now_ms)
            self._covered_ms = max(self._covered_ms, now_ms - bound_ms)
        proofs = self._proofs()
        sequence = np.array([proofs.get(name, 0) for name in self._names], np.int64)
        judged = self._judge(sequence)
        rows = [self._step(i, judged, sequence) for i in range(len(self._names))]
        kind = np.array(rows, np.uint8)
        index = np.flatnonzero(kind)
        return Transitions(
            index,
            kind[index],
            judged.verdict[index],
            judged.deviation_ms[index],
            judged.score_bp[index],
            sequence[index],
        )

    def counts(self) -> dict[Verdict, int]:
        """Count the promises, open and decided since the start, by current verdict."""
        return count_verdicts(np.array([h.verdict for h in self._held.values()], np.uint8))

    def at_risk(self) -> int:
        """Count the open promises inside their at-risk window or past their tolerance."""
        return sum(h.verdict == Verdict.OPEN and h.stage > 0 for h in self._held.values())

    def next_deadline_ms(self) -> int | None:
        """Say when a tick without records may next change something: ms since the epoch.

        Never too late; possibly early, by the clock's error and by promises decided meanwhile.
        None when nothing is open.
        """
        times = [self._next_ms(h) for h in self._held.values() if h.verdict == Verdict.OPEN]
        return min(times, default=None)

    def _next_ms(self, held: _Held) -> int:
        p = held.promise
        late_ms = p.promised_at_ms + p.tolerance_ms + 1
        return (_risk_ms(p), late_ms, p.promised_at_ms + p.hard_ms)[held.stage]

    def _judge(self, sequence: Int64s) -> Judgements:
        promises = [self._held[name].promise for name in self._names]
        seen = [self._records.get(s) for s in sequence.tolist()]
        facts = Facts(
            np.array([r.wall_ms if r else 0 for r in seen], np.int64),
            np.array([_bound_ms(r) if r else 0 for r in seen], np.int64),
            sequence > 0,
            np.full(len(promises), self._covered_ms, np.int64),
        )
        return judge(to_terms(promises), facts)

    def _step(self, i: int, judged: Judgements, sequence: Int64s) -> int:
        held = self._held[self._names[i]]
        before, held.verdict = held.verdict, int(judged.verdict[i])
        proof, held.sequence = held.sequence, int(sequence[i])
        if before != Verdict.OPEN:
            is_other = before != held.verdict or proof != held.sequence
            return Change.CHANGED if is_other else 0
        if held.verdict != Verdict.OPEN:
            return Change.DECIDED
        stage = 1 if self._now_ms >= _risk_ms(held.promise) else 0
        if self._covered_ms > held.promise.promised_at_ms + held.promise.tolerance_ms:
            stage = 2
        stage, held.stage = (stage if stage > held.stage else 0), max(stage, held.stage)
        return stage

    def _proofs(self) -> dict[tuple[str, str], int]:
        by_due = sorted(
            (h.promise for h in self._held.values()),
            key=lambda p: (p.promised_at_ms, p.order, p.node),
        )
        proofs: dict[tuple[str, str], int] = {}
        for record in sorted(self._records.values(), key=lambda r: (r.wall_ms, r.sequence)):
            for p in by_due:
                if (p.order, p.node) not in proofs and _admits(p, record):
                    proofs[p.order, p.node] = record.sequence
                    if p.match == Match.BY_TURN:
                        break
        return proofs


def _risk_ms(promise: Promise) -> int:
    due_ms = promise.promised_at_ms + promise.tolerance_ms
    return max(promise.opens_at_ms, due_ms - promise.at_risk_ms)


def _bound_ms(record: Record) -> int:
    return NO_CLOCK if record.clock_state == ClockState.UNSET else record.bound_ms


def _admits(promise: Promise, record: Record) -> bool:
    if record.node_kind != promise.node_kind:
        return False
    if promise.match == Match.BY_ORDER:
        return record.reference == promise.order
    is_open = promise.opens_at_ms <= record.wall_ms <= promise.promised_at_ms + promise.hard_ms
    is_place = promise.match == Match.BY_WORKER or record.device == promise.place
    return is_open and is_place and record.subject == promise.worker
