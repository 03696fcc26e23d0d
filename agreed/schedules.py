"""Promises in working time, put on the wall clock, where the tick and headquarters judge them."""

from dataclasses import replace
from typing import Final

import numpy as np

from agreed.calendars import FAR_MS, NO_PAUSES, Calendar, Pauses, calendar, deadline_ms
from agreed.limits import SPAN_MS_MAX
from agreed.promises import PromiseColumns
from agreed.records import Bools, Int64s

_BEYOND_MS: Final = 2 * SPAN_MS_MAX


def scheduled(
    promises: PromiseColumns,
    working: Calendar,
    started_at_ms: Int64s,
    pauses: Pauses = NO_PAUSES,
) -> PromiseColumns:
    """Put promises in working time on the wall clock; put them again when a pause begins or ends.

    The promised moment, the start of the at-risk window and the hard limit are the first moments
    at which so much has elapsed, the end of the tolerance is the last at which no more has. While
    a pause lasts, what lies behind it falls due never.

    Args:
        promises: n promises whose promised_at_ms is working time since the start, ms, and whose
            tolerance_ms, hard_ms and at_risk_ms are working time, too. opens_at_ms is on the wall.
        working: the calendar; it ends before FAR_MS.
        started_at_ms: int64[n], ms since the epoch, when the time begins to count.
        pauses: of these n promises; stop_ms is FAR_MS while one lasts.

    Returns:
        n promises on the wall clock. `judge` gives them the verdicts that it gives on the axis of
        working time (`calendars.working_facts`), for any clock bound.

    Raises:
        ValueError: the calendar ends before a hard limit, or closed hours make a span longer than
            SPAN_MS_MAX.

    Source: docs/promises.md#working-time; mission, Formulas, Node.
    """
    span_ms = promises.promised_at_ms
    end_ms = span_ms + promises.tolerance_ms
    stop_ms = np.minimum(pauses.stop_ms, FAR_MS)
    pauses = replace(pauses, stop_ms=stop_ms)
    long = _extended(working)

    def moment(spent_ms: Int64s, *, is_latest: bool = False) -> Int64s:
        return deadline_ms(long, started_at_ms, spent_ms, pauses, is_latest=is_latest)

    due_ms, limit_ms = moment(span_ms), moment(span_ms + promises.hard_ms)
    is_paused = np.zeros(len(promises), np.bool_)
    is_paused[pauses.row[stop_ms == FAR_MS]] = True
    _check(due_ms, limit_ms, is_paused)
    hard_ms = np.minimum(limit_ms - due_ms, SPAN_MS_MAX)
    ends_ms = np.minimum(moment(end_ms, is_latest=True), due_ms + hard_ms - 1)
    risk_ms = moment(np.maximum(end_ms - promises.at_risk_ms, 0))
    return replace(
        promises,
        opens_at_ms=np.minimum(promises.opens_at_ms, due_ms),
        promised_at_ms=due_ms,
        tolerance_ms=ends_ms - due_ms,
        hard_ms=hard_ms,
        at_risk_ms=np.clip(ends_ms - risk_ms, 0, SPAN_MS_MAX),
    )


def _extended(working: Calendar) -> Calendar:
    """Let work go on at FAR_MS, so that every deadline has a place."""
    if working.stop_ms[-1] > FAR_MS:
        raise ValueError("the calendar is too long; let it end before FAR_MS")
    start_ms = np.append(working.start_ms, FAR_MS)
    return calendar(start_ms, np.append(working.stop_ms, FAR_MS + _BEYOND_MS))


def _check(due_ms: Int64s, limit_ms: Int64s, is_paused: Bools) -> None:
    if (limit_ms >= FAR_MS)[~is_paused].any():
        raise ValueError("the calendar ends before a deadline; make it longer")
    if (limit_ms - due_ms > SPAN_MS_MAX)[~is_paused].any():
        raise ValueError(f"a hard limit lies more than {SPAN_MS_MAX} ms behind its promise")
