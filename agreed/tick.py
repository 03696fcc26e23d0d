"""The tick: open promises advance with new records and with time; only transitions come out.

A tick looks at the promises that new records could prove, at those that open and at those whose
next deadline has come; it judges them by the same functions as the batch, and at no others.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from agreed.calendars import NO_PAUSES, Calendar, Pauses
from agreed.held import Held, Stage
from agreed.limits import WALL_MS_MAX
from agreed.promises import (
    NO_CLOCK,
    Facts,
    Judgements,
    Match,
    Promise,
    PromiseColumns,
    Verdict,
    to_promise_columns,
)
from agreed.proofs import Seen, Wanted, prove
from agreed.records import Bools, Bytes8, Int32s, Int64s, RecordColumns
from agreed.runs import KEY_MAX, ROWS_MAX, Runs, UInt64s, distinct
from agreed.sightings import SIGHTINGS_MAX, Sightings, index_keys

RETENTION_MS: Final = 24 * 3_600_000
"""A decided promise is held at least this long after its hard limit, for records that come late."""

_DEAD_SHARE: Final = 8
"""Rows are freed when more than one of this many is dead, so that each is moved but rarely."""


class Change(IntEnum):
    """What happened to a promise in a tick; the numbers are never reused."""

    AT_RISK = 1  # open, and its at-risk window has begun
    LATE_RUNNING = 2  # open, and certainly past its tolerance with nothing seen
    DECIDED = 3  # kept, late, missed or undecidable
    CHANGED = 4  # was decided and is now otherwise, because a record or a promise came late;
    # its verdict may be OPEN again when its record proves a promise that is due earlier


_KIND_OF_STAGE: Final = np.zeros(len(Stage), np.uint8)
_KIND_OF_STAGE[Stage.AT_RISK] = Change.AT_RISK
_KIND_OF_STAGE[Stage.LATE_RUNNING] = Change.LATE_RUNNING
_KIND_OF_STAGE[Stage.DECIDED] = Change.DECIDED


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


_NONE: Final = np.empty(0, np.int64)
_NOTHING: Final = Transitions(
    _NONE,
    np.empty(0, np.uint8),
    np.empty(0, np.uint8),
    _NONE,
    np.empty(0, np.int32),
    _NONE,
)


class OpenPromises:
    """Holds open promises and what was decided lately; no I/O, no clock.

    Its state is a function of the promises put, the set of records seen, the furthest `now_ms` and
    the furthest `now_ms - bound_ms`: not of the order of arrival, nor of how records were cut into
    ticks. It equals the batch (`prove`, then `judge`) as long as nothing came later than what it
    needed was forgotten; docs/promises.md#tick says when that is.
    """

    def __init__(
        self,
        *,
        retention_ms: int = RETENTION_MS,
        sightings_max: int = SIGHTINGS_MAX,
        rows_max: int = ROWS_MAX,
        calendars: list[Calendar] | None = None,
    ) -> None:
        """Hold nothing.

        Args:
            retention_ms: ms; a decided promise is held so long after its hard limit.
            sightings_max: how many sightings are remembered beside those that prove something.
            rows_max: most promises at once, at most ROWS_MAX.
            calendars: in whose working time promises may run, by number from 1 on.

        Raises:
            ValueError: there are more than 255 calendars, or one ends after FAR_MS.
        """
        self._retention_ms = retention_ms
        self._held = Held(rows_max, calendars)
        self._sightings = Sightings(sightings_max)
        self._by_key = Runs()  # promises that have opened
        self._waiting = Runs()  # by opens_at_ms
        self._by_risk = Runs()  # open ones, by the start of their at-risk window
        self._by_limit = Runs()  # at risk or later, by the end of their tolerance or hard limit
        self._freed: list[int] = []  # keys of turns whose record lost its promise
        self._opened_ms = self._now_ms = -1
        self._covered_ms = -NO_CLOCK
        self._bound_ms = NO_CLOCK
        self._verdicts = np.zeros(len(Verdict), np.int64)
        self._stages = np.zeros(len(Stage), np.int64)

    def __len__(self) -> int:
        """Count the promises held: open, or decided lately."""
        return int(self._stages[: Stage.GONE].sum())

    @property
    def nbytes(self) -> int:
        """Bytes held in arrays."""
        runs = (self._by_key, self._waiting, self._by_risk, self._by_limit)
        return self._held.nbytes + self._sightings.nbytes + sum(run.nbytes for run in runs)

    def name(self, index: int) -> tuple[str, str]:
        """Give the (order, node) of a transition's index."""
        return self._held.name(index)

    def put(self, promises: list[Promise]) -> None:
        """Open promises, or replace those of the same (order, node): see `put_columns`."""
        if promises:
            self.put_columns(to_promise_columns(promises))

    def put_columns(self, promises: PromiseColumns, pauses: Pauses = NO_PAUSES) -> None:
        """Open promises, or replace those of the same (order, node); the next tick judges them.

        A replaced promise starts anew: what decided it is announced again. Of two with the same
        name the last one counts.

        Args:
            promises: n promises, one at least.
            pauses: of these n promises, as they were when `scheduled` put them on the wall clock.

        Raises:
            ValueError: there would be more than rows_max, or a promise runs by a calendar that is
                not there; nothing has changed then.
        """
        self._held.check(promises)
        last = _last_of_each(promises)
        latest = promises.take(last)
        self._make_room(len(latest))
        replaced = self._held.find_any(latest)
        self._verdicts -= _counts(self._held.verdict[replaced], self._verdicts)
        self._leave(replaced)
        rows = self._held.add(latest, pauses.of(last))
        self._verdicts[Verdict.OPEN] += len(rows)
        self._stages[Stage.WAITING] += len(rows)
        is_by_order = latest.match == Match.BY_ORDER
        self._waiting.add(_queue_keys(np.where(is_by_order, 0, latest.opens_at_ms)), rows)

    def end(self, orders: list[str]) -> None:
        """Cancel or close orders: what is still open of them; what is decided stays decided."""
        rows = self._held.find(orders)
        rows = rows[self._held.verdict[rows] == Verdict.OPEN]
        self._verdicts[Verdict.OPEN] -= len(rows)
        self._leave(rows)

    def tick(self, records: RecordColumns | None, now_ms: int, bound_ms: int) -> Transitions:
        """Advance to `now_ms`, with the records journaled since the last tick.

        Args:
            records: the new records, or None; a record that comes twice counts once.
            now_ms: the box's wall clock, ms since the epoch.
            bound_ms: ms, its error, >= 0; NO_CLOCK or more while it was never set: then no
                deadline falls due.

        Returns:
            What changed.
        """
        seen = _NONE
        self._opened_ms = max(self._opened_ms, now_ms)
        if records is not None and len(records):
            seen = self._sightings.add(records)
            self._opened_ms = max(self._opened_ms, int(records.wall_ms.max()))
        self._bound_ms = bound_ms
        if bound_ms < NO_CLOCK:
            self._now_ms = max(self._now_ms, now_ms)
            self._covered_ms = max(self._covered_ms, now_ms - bound_ms)
        fresh = self._alive(self._waiting.pop_through(self._opened_ms))
        proven = self._prove(fresh, seen)
        due = (
            self._by_risk.pop_through(self._now_ms),
            self._by_limit.pop_through(self._covered_ms),
        )
        due_rows = self._alive(np.concatenate(due))
        due_rows = due_rows[self._held.verdict[due_rows] == Verdict.OPEN]
        rows = np.concatenate((fresh, proven, due_rows))
        transitions = self._settle(distinct(rows)) if len(rows) else _NOTHING
        if self._sightings.is_full():
            self._forget_sightings()
        return transitions

    def counts(self) -> dict[Verdict, int]:
        """Count the promises, open and decided since the start, by current verdict."""
        return {verdict: int(self._verdicts[verdict]) for verdict in Verdict}

    def at_risk(self) -> int:
        """Count the open promises inside their at-risk window or past their tolerance."""
        return int(self._stages[Stage.AT_RISK] + self._stages[Stage.LATE_RUNNING])

    def next_deadline_ms(self) -> int | None:
        """Say when a tick without records may next change something: ms since the epoch.

        Never too late while the clock's bound stays as at the last tick; possibly early, by
        promises decided meanwhile. None when there is nothing to wait for.
        """
        times = [0 if self._freed else self._waiting.first_key()]
        if self._bound_ms < NO_CLOCK:
            limit_ms = self._by_limit.first_key()
            times.append(self._by_risk.first_key())
            times.append(None if limit_ms is None else limit_ms + self._bound_ms)
        return min((time for time in times if time is not None), default=None)

    def _alive(self, rows: Int64s) -> Int64s:
        is_alive: Bools = self._held.stage[rows] != Stage.GONE
        return rows[is_alive]

    def _leave(self, rows: Int64s) -> None:
        """Take promises out of everything but the counts of verdicts."""
        held = self._held
        is_freed = (held.match(rows) == Match.BY_TURN) & (held.proof[rows] >= 0)
        self._freed.extend(held.key[rows[is_freed]].tolist())
        self._stages -= _counts(held.stage[rows], self._stages)
        held.stage[rows] = Stage.GONE
        held.proof[rows] = -1

    def _make_room(self, rows: int) -> None:
        """Drop what is gone, and forget what was decided retention_ms past its hard limit."""
        held = self._held
        if len(held) + rows <= len(held.stage):
            return
        everyone = np.arange(len(held))
        limit_ms = held.limit_ms(everyone)
        stage = held.stage[: len(held)]
        is_old = (stage == Stage.DECIDED) & (limit_ms + self._retention_ms <= self._covered_ms)
        is_dead = is_old | (stage == Stage.GONE)
        if _DEAD_SHARE * np.count_nonzero(is_dead) > len(held):
            # A record stays with its turn when the promise is forgotten: it proves no other.
            is_spent = is_old & (held.match(everyone) == Match.BY_TURN)
            spent = held.proof[: len(held)][is_spent]
            self._sightings.use_up(spent[spent >= 0].astype(np.int64))
            self._stages[Stage.DECIDED] -= np.count_nonzero(is_old)
            row_after = held.drop(is_dead)
            for runs in (self._by_key, self._waiting, self._by_risk, self._by_limit):
                runs.renumber(row_after)
        held.reserve(rows)

    def _forget_sightings(self) -> None:
        proof = self._held.proof[: len(self._held)]
        proven = np.flatnonzero(proof >= 0)
        proof[proven] = self._sightings.forget(proof[proven].astype(np.int64))[proof[proven]]

    def _prove(self, fresh: Int64s, seen: Int64s) -> Int64s:
        """Match what could have changed again, and give the promises whose proof is another.

        Whoever is proven keeps his record unless an earlier one turns up. So promises proven before
        anything that is new need no second look, and in turns neither do the records before.
        """
        if not (len(fresh) or len(seen) or self._freed):
            return _NONE
        held, sightings = self._held, self._sightings
        self._by_key.add(index_keys(held.key[fresh]), fresh)
        fresh_turns = fresh[held.match(fresh) == Match.BY_TURN]
        news_ms = np.concatenate((sightings.at_ms[seen], held.opens_at_ms[fresh_turns]))
        since_ms = 0 if self._freed else int(news_ms.min(initial=WALL_MS_MAX))
        freed = np.array(self._freed, np.uint64)
        self._freed = []
        touched = distinct(index_keys(np.concatenate((sightings.key[seen], freed))))
        rows = np.concatenate((fresh, self._movable(self._by_key.find(touched), since_ms)))
        # A promise in turn may hand on its record to any other of its key.
        turns = held.key[rows[held.match(rows) == Match.BY_TURN]]
        others = self._by_key.find(distinct(index_keys(turns)))
        rows = self._alive(distinct(np.concatenate((rows, self._movable(others, since_ms)))))
        before = held.proof[rows].astype(np.int64)
        handed_on = sightings.find(turns)
        handed_on = handed_on[sightings.at_ms[handed_on] >= since_ms]
        searched = sightings.find(held.key[fresh[held.match(fresh) != Match.BY_TURN]])
        sighted = np.concatenate((seen, handed_on, searched, before[before >= 0]))
        after = self._match(rows, distinct(sighted))
        held.proof[rows] = after
        is_other: Bools = after != before
        return rows[is_other]

    def _movable(self, rows: Int64s, since_ms: int) -> Int64s:
        """Leave out promises that nothing since a moment can move."""
        held, at_ms = self._held, self._sightings.at_ms
        proof = held.proof[rows]
        rows = rows[(proof < 0) | (at_ms[np.maximum(proof, 0)] >= since_ms)]
        is_open: Bools = held.match(rows) == Match.BY_ORDER
        is_open |= held.limit_ms(rows) >= since_ms
        return rows[is_open]

    def _match(self, rows: Int64s, sighted: Int64s) -> Int64s:
        """Give for each promise the sighting that proves it, -1 for none."""
        held, sightings = self._held, self._sightings
        keys = distinct(held.key[rows])
        if not len(keys):
            return np.full(len(rows), -1, np.int64)
        place = np.minimum(np.searchsorted(keys, sightings.key[sighted]), len(keys) - 1)
        is_sought = keys[place] == sightings.key[sighted]
        sighted, place = sighted[is_sought], place[is_sought]
        by_sequence = np.argsort(sightings.sequence[sighted], kind="stable")
        sighted, place = sighted[by_sequence], place[by_sequence]
        by_name = self._in_order_of_ties(rows)
        found = np.empty(len(rows), np.int64)
        seen = Seen(place, sightings.at_ms[sighted], sightings.evidence[sighted])
        found[by_name] = prove(self._wanted(rows[by_name], keys), seen)
        after = np.full(len(rows), -1, np.int64)
        after[found >= 0] = sighted[found[found >= 0]]
        return after

    def _wanted(self, rows: Int64s, keys: UInt64s) -> Wanted:
        held = self._held
        return Wanted(
            held.match(rows).astype(np.uint8),
            np.searchsorted(keys, held.key[rows]),
            held.opens_at_ms[rows],
            held.promised_at_ms[rows],
            held.limit_ms(rows) - held.promised_at_ms[rows],
            held.weakest_evidence(rows).astype(np.uint8),
        )

    def _in_order_of_ties(self, rows: Int64s) -> Int64s:
        """Give places in rows such that turns due at the same time come in order of name."""
        held = self._held
        turns = np.flatnonzero(held.match(rows) == Match.BY_TURN)
        due_ms, key = held.promised_at_ms[rows[turns]], held.key[rows[turns]]
        by_due = np.lexsort((due_ms, key))
        is_tie = (np.diff(due_ms[by_due]) == 0) & (key[by_due][1:] == key[by_due][:-1])
        if not is_tie.any():
            return np.arange(len(rows))
        by_name = sorted(turns.tolist(), key=lambda place: held.name(int(rows[place])))
        others = np.setdiff1d(np.arange(len(rows)), turns)
        return np.concatenate((others, np.array(by_name, np.int64)))

    def _settle(self, rows: Int64s) -> Transitions:
        """Judge rows, move them to their stage, queue their next deadline, say what changed."""
        held = self._held
        judged = self._judge(rows)
        verdict_before, stage_before = held.verdict[rows], held.stage[rows]
        stage = self._queue(rows, judged.verdict)
        held.verdict[rows], held.stage[rows] = judged.verdict, stage
        self._verdicts += _counts(judged.verdict, self._verdicts)
        self._verdicts -= _counts(verdict_before, self._verdicts)
        self._stages += _counts(stage, self._stages) - _counts(stage_before, self._stages)

        kind = np.where(stage > np.maximum(stage_before, Stage.OPEN), _KIND_OF_STAGE[stage], 0)
        kind[verdict_before != Verdict.OPEN] = Change.CHANGED
        told = np.flatnonzero(kind)
        proof = held.proof[rows[told]]
        return Transitions(
            rows[told],
            kind[told].astype(np.uint8),
            judged.verdict[told],
            judged.deviation_ms[told],
            judged.score_bp[told],
            np.where(proof >= 0, self._sightings.sequence[np.maximum(proof, 0)], 0),
        )

    def _judge(self, rows: Int64s) -> Judgements:
        proof = self._held.proof[rows]
        sighted = np.maximum(proof, 0)
        facts = Facts(
            self._sightings.at_ms[sighted],
            self._sightings.bound_ms[sighted],
            proof >= 0,
            np.broadcast_to(np.int64(self._covered_ms), len(rows)),
        )
        return self._held.schedule(rows).judge(self._held.terms(rows), facts)

    def _queue(self, rows: Int64s, verdict: Bytes8) -> Bytes8:
        """Find the stage of promises just judged, and queue the next deadline of open ones."""
        held = self._held
        end_ms, risk_ms = held.end_ms(rows), held.risk_ms(rows)
        is_late = end_ms < self._covered_ms
        stage = np.where(is_late, Stage.LATE_RUNNING, Stage.OPEN + (risk_ms <= self._now_ms))
        stage = np.where(verdict == Verdict.OPEN, stage, Stage.DECIDED).astype(np.uint8)
        limit_ms = np.where(is_late, held.limit_ms(rows), end_ms + 1)
        is_early = stage == Stage.OPEN
        is_running = (stage == Stage.AT_RISK) | (stage == Stage.LATE_RUNNING)
        self._by_risk.add(_queue_keys(risk_ms[is_early]), rows[is_early])
        self._by_limit.add(_queue_keys(limit_ms[is_running]), rows[is_running])
        return stage


def _queue_keys(at_ms: Int64s) -> UInt64s:
    # Past the year 2109 a deadline comes up early, changes nothing and is queued again.
    return np.minimum(at_ms, KEY_MAX).astype(np.uint64)


def _last_of_each(promises: PromiseColumns) -> Int64s:
    """Give the rows of promises without those that a later one of the same name replaces."""
    (_, order), (nodes, node) = promises.texts["order"], promises.texts["node"]
    name = order.astype(np.int64) * len(nodes) + node
    by_name = np.argsort(name, kind="stable")
    is_last = np.concatenate((np.diff(name[by_name]) > 0, [True]))
    return np.sort(by_name[is_last])


def _counts(values: Bytes8, like: Int64s) -> Int64s:
    return np.bincount(values, minlength=len(like))
