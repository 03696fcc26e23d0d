"""Promises in working time: when they fall due on the wall clock, and what became of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from agreed.calendars import (
    FAR_MS,
    NO_PAUSES,
    Calendar,
    Pauses,
    calendar,
    deadline_ms,
    elapsed_ms,
    on_axis,
)
from agreed.checks import judge
from agreed.limits import SPAN_MS_MAX
from agreed.promises import Facts, Judgements, PromiseColumns, Terms
from agreed.records import Bytes8, Int64s
from agreed.runs import distinct

_BEYOND_MS: Final = 2 * SPAN_MS_MAX


def calendars_by_number(calendars: list[Calendar]) -> tuple[Calendar, ...]:
    """Number calendars from 1 on; ROUND_THE_CLOCK stands before them.

    Work goes on at FAR_MS in each, so that every deadline has a place: what lies behind a pause
    that lasts falls due never.

    Args:
        calendars: at most 255, each ending before FAR_MS.

    Raises:
        ValueError: there are more, or one ends later.
    """
    if len(calendars) > np.iinfo(np.uint8).max:
        raise ValueError("at most 255 calendars")
    if any(working.stop_ms[-1] > FAR_MS for working in calendars):
        raise ValueError("a calendar is too long; let it end before FAR_MS")
    always = calendar(np.zeros(1, np.int64), np.full(1, FAR_MS))
    return tuple(map(_extended, (always, *calendars)))


@dataclass(frozen=True, slots=True)
class Schedule:
    """In which working time n promises run.

    Attributes:
        calendars: by number, see `calendars_by_number`.
        number: uint8[n], of each promise's calendar.
        pauses: of these n promises; stop_ms is FAR_MS while one lasts.
    """

    calendars: tuple[Calendar, ...]
    number: Bytes8
    pauses: Pauses = NO_PAUSES

    def moments_ms(self, since_ms: Int64s, spent_ms: Int64s, *, is_latest: bool = False) -> Int64s:
        """Find when so much working time has passed since some moment.

        Args:
            since_ms: int64[n], ms since the epoch.
            spent_ms: int64[n], ms of working time; below 0 for a moment before.
            is_latest: give the last moment at which no more has passed, which the end of a
                tolerance is; otherwise the first at which so much has, which a hard limit is.

        Returns:
            int64[n], ms since the epoch; FAR_MS or later for never.

        Source: docs/promises.md#working-time.
        """
        if self._is_plain():
            return since_ms + spent_ms
        found_ms = np.empty(len(since_ms), np.int64)
        for rows, working, pauses in self._parts():
            beginning_ms = np.zeros(len(rows), np.int64)
            target_ms = elapsed_ms(working, beginning_ms, since_ms[rows], pauses) + spent_ms[rows]
            found_ms[rows] = deadline_ms(
                working, beginning_ms, np.maximum(target_ms, 0), pauses, is_latest=is_latest
            )
        return found_ms

    def judge(self, terms: Terms, facts: Facts) -> Judgements:
        """Judge promises in their working time, as `checks.judge` does.

        Args:
            terms: n promises; promised_at_ms is on the wall clock, spans are working time.
            facts: n facts on the wall clock.

        Returns:
            n judgements; deviation_ms is working time.

        Source: docs/promises.md#working-time; mission, Formulas, Node.
        """
        if self._is_plain():
            return judge(terms, facts)
        n = len(terms)
        out = Judgements(np.empty(n, np.uint8), np.empty(n, np.int64), np.empty(n, np.int32))
        for rows, working, pauses in self._parts():
            part = judge(*on_axis(working, terms.take(rows), facts.take(rows), pauses))
            out.verdict[rows] = part.verdict
            out.deviation_ms[rows], out.score_bp[rows] = part.deviation_ms, part.score_bp
        return out

    def _is_plain(self) -> bool:
        """Say whether working time is time."""
        return not (len(self.pauses.row) or self.number.any())

    def _parts(self) -> Iterator[tuple[Int64s, Calendar, Pauses]]:
        for number in distinct(self.number).tolist():
            rows = np.flatnonzero(self.number == number)
            yield rows, self.calendars[number], self.pauses.of(rows)


def scheduled(
    promises: PromiseColumns,
    calendars: list[Calendar],
    started_at_ms: Int64s,
    pauses: Pauses = NO_PAUSES,
) -> PromiseColumns:
    """Put promised moments on the wall clock; again when a pause begins or ends.

    Args:
        promises: n promises whose promised_at_ms is working time since the start, ms.
            opens_at_ms is on the wall clock.
        calendars: by number, from 1 on.
        started_at_ms: int64[n], ms since the epoch, when the time begins to count.
        pauses: of these n promises; stop_ms is FAR_MS while one lasts.

    Returns:
        n promises on the wall clock, for `OpenPromises.put_columns` with the same calendars and
        pauses. None opens later than it is due.

    Raises:
        ValueError: a calendar ends before a hard limit, or a promise names none of them.

    Source: docs/promises.md#working-time; mission, Formulas, Node.
    """
    if (promises.calendar > len(calendars)).any():
        raise ValueError(f"calendar: number {promises.calendar.max()} of {len(calendars)}")
    schedule = Schedule(calendars_by_number(calendars), promises.calendar, pauses)
    due_ms = schedule.moments_ms(started_at_ms, promises.promised_at_ms)
    limit_ms = schedule.moments_ms(due_ms, promises.hard_ms)
    is_paused = np.zeros(len(promises), np.bool_)
    is_paused[pauses.row[pauses.stop_ms >= FAR_MS]] = True
    if (limit_ms >= FAR_MS)[~is_paused].any():
        raise ValueError("a calendar ends before a deadline; make it longer")
    opens_at_ms = np.minimum(promises.opens_at_ms, due_ms)
    return replace(promises, opens_at_ms=opens_at_ms, promised_at_ms=due_ms)


def _extended(working: Calendar) -> Calendar:
    start_ms = np.append(working.start_ms, FAR_MS)
    return calendar(start_ms, np.append(working.stop_ms, FAR_MS + _BEYOND_MS))
