"""Working time: service hours without holidays, and pauses that count only where work does.

A calendar is a change of axis: `on_axis` puts moments on the axis of working time, where `judge`
is exact; `deadline_ms` finds on the wall clock when something falls due.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from agreed.promises import NO_CLOCK, Facts, Terms
from agreed.records import Int64s

DAY_MS: Final = 24 * 3_600_000
FAR_MS: Final = 200_000_000_000_000
"""Ends a pause that still lasts, ms since the epoch."""

CLOSED: Final = -1
"""The weekday of a day without service."""

_FIRST_MONDAY: Final = 4  # 1970-01-05, in days since the epoch


@dataclass(frozen=True, slots=True)
class Calendar:
    """When work counts.

    Attributes:
        start_ms: int64[k], ms since the epoch, rising.
        stop_ms: int64[k], ms since the epoch; spans are half-open and disjoint; k >= 1.
        worked_ms: int64[k], ms, working time before each span.
    """

    start_ms: Int64s
    stop_ms: Int64s
    worked_ms: Int64s


@dataclass(frozen=True, slots=True)
class Pauses:
    """Spans in which the clock of a promise stands still; they may overlap, in any order.

    Attributes:
        row: int64[p], [0, n), the promise each belongs to.
        start_ms: int64[p], ms since the epoch.
        stop_ms: int64[p], ms since the epoch, >= start_ms; FAR_MS while it lasts.
    """

    row: Int64s
    start_ms: Int64s
    stop_ms: Int64s

    def of(self, rows: Int64s) -> "Pauses":
        """Give the pauses of some promises, int64[m] rows, each once; row is the place in rows."""
        by_row = np.argsort(rows)
        place = np.searchsorted(rows[by_row], self.row)
        is_asked = np.isin(self.row, rows)
        return Pauses(by_row[place[is_asked]], self.start_ms[is_asked], self.stop_ms[is_asked])

    def with_(self, others: "Pauses") -> "Pauses":
        """Give these and others."""
        mine, theirs = ((p.row, p.start_ms, p.stop_ms) for p in (self, others))
        return Pauses(*(np.concatenate(pair) for pair in zip(mine, theirs, strict=True)))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.row.nbytes + self.start_ms.nbytes + self.stop_ms.nbytes


NO_PAUSES: Final = Pauses(*(np.empty(0, np.int64) for _ in range(3)))


def calendar(start_ms: Int64s, stop_ms: Int64s) -> Calendar:
    """Make a calendar of working spans.

    Args:
        start_ms: int64[k], ms since the epoch; k >= 1.
        stop_ms: int64[k], ms since the epoch.

    Raises:
        ValueError: no span, an empty one, or spans that overlap or are out of order.
    """
    if not len(start_ms) or len(start_ms) != len(stop_ms):
        raise ValueError("spans: as many starts as stops, one at least")
    if (stop_ms <= start_ms).any() or (start_ms[1:] < stop_ms[:-1]).any():
        raise ValueError("spans: must be in order, disjoint, and none empty")
    spans_ms = stop_ms - start_ms
    return Calendar(start_ms, stop_ms, np.cumsum(spans_ms) - spans_ms)


def service_hours(
    weekly_ms: Int64s, first_day: int, weekday: Int64s, utc_offset_ms: int
) -> Calendar:
    """Spell out weekly service hours over a stretch of days.

    Args:
        weekly_ms: int64[w, 3], rows (weekday 0 for Monday to 6, start, stop), ms since local
            midnight, in order and disjoint within a day.
        first_day: local days since 1970-01-01.
        weekday: int64[d], for each day the weekday whose hours it has, CLOSED for a holiday: a
            Sunday worked instead of a holiday has those of a Monday, say. See `weekdays`.
        utc_offset_ms: ms, local time minus UTC.

    Raises:
        ValueError: the days have no service at all, or hours overlap.
    """
    by_day, hours = np.nonzero(weekday[:, np.newaxis] == weekly_ms[:, 0])
    midnight_ms = (first_day + by_day) * DAY_MS - utc_offset_ms
    return calendar(midnight_ms + weekly_ms[hours, 1], midnight_ms + weekly_ms[hours, 2])


def weekdays(first_day: int, days: int) -> Int64s:
    """Give the weekdays of consecutive days, int64[days], 0 for Monday; edit them for holidays."""
    numbers: Int64s = (np.arange(days) + first_day - _FIRST_MONDAY) % 7
    return numbers


def worked_ms(working: Calendar, at_ms: Int64s) -> Int64s:
    """Measure the working time from the calendar's beginning to each moment.

    Args:
        working: the calendar.
        at_ms: int64[n], ms since the epoch; outside the calendar nothing is worked.

    Returns:
        int64[n], ms, >= 0, rising with at_ms.

    Source: docs/promises.md#working-time.
    """
    span = np.maximum(np.searchsorted(working.start_ms, at_ms, side="right") - 1, 0)
    length_ms = working.stop_ms[span] - working.start_ms[span]
    into_ms = np.clip(at_ms - working.start_ms[span], 0, length_ms)
    total_ms: Int64s = working.worked_ms[span] + into_ms
    return total_ms


def elapsed_ms(
    working: Calendar, started_at_ms: Int64s, at_ms: Int64s, pauses: Pauses = NO_PAUSES
) -> Int64s:
    """Measure working time since each start: x = Σ(calendar ∩ [start, at]) - Σ(calendar ∩ pauses).

    Pauses are intersected with the calendar and with each other: closed hours are not subtracted
    twice, nor is a pause within a pause.

    Args:
        working: the calendar.
        started_at_ms: int64[n], ms since the epoch.
        at_ms: int64[n], ms since the epoch; before the start nothing has elapsed.
        pauses: of these n promises.

    Returns:
        int64[n], ms, >= 0.

    Source: docs/promises.md#working-time; mission, Formulas, Node.
    """
    at_ms = np.maximum(at_ms, started_at_ms)
    elapsed = worked_ms(working, at_ms) - worked_ms(working, started_at_ms)
    piece = _pieces(pauses, started_at_ms)
    until_ms = at_ms[piece.row]
    stop_ms, start_ms = np.minimum(piece.stop_ms, until_ms), np.minimum(piece.start_ms, until_ms)
    np.subtract.at(elapsed, piece.row, worked_ms(working, stop_ms) - worked_ms(working, start_ms))
    return elapsed


def deadline_ms(
    working: Calendar,
    started_at_ms: Int64s,
    span_ms: Int64s,
    pauses: Pauses = NO_PAUSES,
    *,
    is_latest: bool,
) -> Int64s:
    """Find when a span of working time has elapsed since each start.

    Args:
        working: the calendar; it must reach far enough.
        started_at_ms: int64[n], ms since the epoch.
        span_ms: int64[n], ms, >= 0.
        pauses: of these n promises.
        is_latest: give the last moment at which no more has elapsed, which the end of a tolerance
            is; otherwise the first at which so much has elapsed, which a hard limit is.

    Returns:
        int64[n], ms since the epoch.

    Raises:
        ValueError: the calendar ends before a deadline.

    Source: docs/promises.md#working-time.
    """
    target_ms = worked_ms(working, started_at_ms) + span_ms
    piece = _pieces(pauses, started_at_ms)
    begin_ms = worked_ms(working, piece.start_ms)
    paused_ms = worked_ms(working, piece.stop_ms) - begin_ms
    # Net of the pauses before it, has the target been reached when this pause begins?
    net_ms = begin_ms - _sum_before(piece.row, paused_ms)
    is_counted = net_ms <= target_ms[piece.row] if is_latest else net_ms < target_ms[piece.row]
    np.add.at(target_ms, piece.row, paused_ms * is_counted)
    end_ms = int(working.worked_ms[-1] + working.stop_ms[-1] - working.start_ms[-1])
    if (target_ms >= end_ms).any() if is_latest else (target_ms > end_ms).any():
        raise ValueError("the calendar ends before a deadline; make it longer")
    if is_latest:
        span = np.searchsorted(working.worked_ms, target_ms, side="right") - 1
    else:
        span = np.maximum(np.searchsorted(working.worked_ms, target_ms) - 1, 0)
    found_ms = working.start_ms[span] + target_ms - working.worked_ms[span]
    is_at_once = (span_ms == 0) & (not is_latest)
    return np.where(is_at_once, started_at_ms, np.maximum(found_ms, started_at_ms))


def on_axis(
    working: Calendar, terms: Terms, facts: Facts, pauses: Pauses = NO_PAUSES
) -> tuple[Terms, Facts]:
    """Put moments on the axis of working time, where `judge` is exact.

    There a moment is the working time from the calendar's beginning, without pauses. The clock's
    bound becomes what it means there: none at all in the middle of a night.

    Args:
        working: the calendar.
        terms: n promises; promised_at_ms is on the wall clock, spans are working time.
        facts: n facts on the wall clock.
        pauses: of these n promises.

    Returns:
        n promises and n facts for `judge`.

    Source: docs/promises.md#working-time; mission, Formulas, Node: d = x - p.
    """
    beginning_ms = np.zeros(len(terms), np.int64)

    def on(at_ms: Int64s) -> Int64s:
        return elapsed_ms(working, beginning_ms, at_ms, pauses)

    terms = replace(terms, promised_at_ms=on(terms.promised_at_ms))
    actual_ms = on(facts.actual_at_ms)
    bound_ms = np.minimum(facts.bound_ms, NO_CLOCK)
    later_ms = on(facts.actual_at_ms + bound_ms) - actual_ms
    sooner_ms = actual_ms - on(facts.actual_at_ms - bound_ms)
    # Only the side towards the end of the tolerance can change a verdict.
    is_late = actual_ms > terms.promised_at_ms + terms.tolerance_ms
    bound_ms = np.where(bound_ms >= NO_CLOCK, NO_CLOCK, np.where(is_late, sooner_ms, later_ms))
    return terms, Facts(actual_ms, bound_ms, facts.is_seen, on(facts.covered_until_ms))


def _pieces(pauses: Pauses, started_at_ms: Int64s) -> Pauses:
    """Cut pauses into disjoint pieces after the start, in order of (row, time)."""
    order = np.lexsort((pauses.start_ms, pauses.row))
    row = pauses.row[order]
    start_ms = np.maximum(pauses.start_ms[order], started_at_ms[row])
    stop_ms = np.maximum(pauses.stop_ms[order], start_ms)
    # The furthest stop so far within the row: ranks keep rows apart in one running maximum.
    stops = np.sort(stop_ms)
    stride = len(stops) + 1
    reach = np.maximum.accumulate(row * stride + np.searchsorted(stops, stop_ms))
    before = np.concatenate((np.full(min(1, len(row)), -1), reach[:-1]))
    is_same_row = before >= row * stride
    reached_ms = stops[np.where(is_same_row, before - row * stride, 0)] if len(row) else stops
    start_ms = np.where(is_same_row, np.maximum(start_ms, reached_ms), start_ms)
    return Pauses(row, start_ms, np.maximum(stop_ms, start_ms))


def _sum_before(row: Int64s, value: Int64s) -> Int64s:
    """Sum the values before each within its row; rows come in order."""
    total = np.cumsum(value) - value
    is_first = np.concatenate((np.ones(min(1, len(row)), np.bool_), row[1:] != row[:-1]))
    begins = np.flatnonzero(is_first)
    counts = np.diff(np.append(begins, len(row)))
    sums: Int64s = total - np.repeat(total[begins], counts)
    return sums
