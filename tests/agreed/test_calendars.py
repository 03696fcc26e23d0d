import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.calendars import (
    CLOSED,
    DAY_MS,
    Calendar,
    Pauses,
    calendar,
    deadline_ms,
    elapsed_ms,
    on_axis,
    service_hours,
    weekdays,
    worked_ms,
)
from agreed.checks import judge
from agreed.promises import NO_CLOCK, Facts, Match, Promise, Terms
from agreed.records import ClockState, Evidence, Int64s, Record
from tests.agreed import slow

END = 80  # moments of the small worlds below


def ints(*values: int) -> Int64s:
    return np.array(values, np.int64)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    edges = draw(st.lists(st.integers(0, END), min_size=2, max_size=12, unique=True))
    edges = sorted(edges)[: len(edges) // 2 * 2]
    far = [*edges, END + 200, END + 600]
    return calendar(ints(*far[::2]), ints(*far[1::2]))


spans = st.tuples(st.integers(0, END), st.integers(0, 30)).map(lambda s: (s[0], s[0] + s[1]))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Calendar, list[int], list[list[tuple[int, int]]]]:
    starts = draw(st.lists(st.integers(0, END), min_size=1, max_size=4))
    pauses = [draw(st.lists(spans, max_size=4)) for _ in starts]
    return draw(calendars()), starts, pauses


def flat(pauses: list[list[tuple[int, int]]]) -> Pauses:
    rows = [(i, *span) for i, spans_ in enumerate(pauses) for span in spans_]
    return Pauses(*np.array(rows, np.int64).reshape(-1, 3).T)


def slow_elapsed(world: Calendar, start: int, at: int, pauses: list[tuple[int, int]]) -> int:
    """Count the milliseconds one by one."""
    spans_ = list(zip(world.start_ms.tolist(), world.stop_ms.tolist(), strict=True))
    return sum(
        any(a <= t < b for a, b in spans_) and not any(a <= t < b for a, b in pauses)
        for t in range(start, at)
    )


@given(worlds(), st.integers(0, END + 20))
def test_elapsed_time_counts_every_millisecond_once(
    world: tuple[Calendar, list[int], list[list[tuple[int, int]]]], at: int
) -> None:
    working, starts, pauses = world
    got = elapsed_ms(working, ints(*starts), np.full(len(starts), at), flat(pauses))
    assert got.tolist() == [
        slow_elapsed(working, s, at, p) for s, p in zip(starts, pauses, strict=True)
    ]


@given(worlds(), st.integers(0, 100))
def test_deadlines_invert_elapsed_time(
    world: tuple[Calendar, list[int], list[list[tuple[int, int]]]], span: int
) -> None:
    working, starts, pauses = world
    n = len(starts)
    for is_latest in (False, True):
        found = deadline_ms(
            working, ints(*starts), np.full(n, span), flat(pauses), is_latest=is_latest
        )
        for i, at in enumerate(found.tolist()):
            assert slow_elapsed(working, starts[i], at, pauses[i]) == span
            beside = at + 1 if is_latest else at - 1
            if beside >= starts[i]:
                other = slow_elapsed(working, starts[i], beside, pauses[i])
                assert other == (span + 1 if is_latest else span - 1)


@given(
    calendars(),
    st.lists(spans, max_size=3),
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 10), st.integers(1, 10)),
    st.booleans(),
)
def test_every_moment_and_bound_is_judged_by_counted_milliseconds(
    working: Calendar,
    pauses: list[tuple[int, int]],
    promise: tuple[int, int, int, int],
    is_seen: bool,
) -> None:
    start, span, tolerance, more = promise
    cases = [(at, bound) for at in range(END) for bound in (0, 1, 2, 4, 7, NO_CLOCK)]
    n = len(cases)
    starts_ms, stops_ms = (np.repeat(ints(*(p[i] for p in pauses)), n) for i in (0, 1))
    paused = Pauses(np.tile(np.arange(n), len(pauses)), starts_ms, stops_ms)
    due = deadline_ms(working, np.full(n, start), np.full(n, span), paused, is_latest=False)
    none = np.zeros(n, np.int64)
    terms = Terms(due, np.full(n, tolerance), np.full(n, tolerance + more), none, none)
    at, bound = ints(*(case[0] for case in cases)), ints(*(case[1] for case in cases))
    facts = Facts(at, bound, np.full(n, is_seen), at)
    judged = judge(*on_axis(working, terms, facts, paused))
    hard = tolerance + more
    promised = Promise("o", "n", "", "k", Match.BY_ORDER, 0, int(due[0]), tolerance, hard)
    is_working = [slow_elapsed(working, t, t + 1, pauses) for t in range(END + 300)]
    counted = np.concatenate(([0], np.cumsum(is_working))).tolist()
    for i, (at_ms, bound_ms) in enumerate(cases):
        state, device = ClockState.SYNCED, Evidence.DEVICE
        record = Record(1, 1, at_ms, bound_ms, state, device, "", "k", "", "o")
        seen = record if is_seen else None
        expected = slow.judge(promised, seen, at_ms, lambda _, t: counted[max(0, t)])
        got = judged.verdict[i], judged.deviation_ms[i], judged.score_bp[i]
        assert tuple(map(int, got)) == tuple(map(int, expected))


@given(
    st.lists(st.tuples(st.integers(0, 4), spans), max_size=6),
    st.lists(st.integers(0, 4), unique=True),
)
def test_pauses_of_some_promises_are_those_of_their_rows(
    pauses: list[tuple[int, tuple[int, int]]], rows: list[int]
) -> None:
    everyone = Pauses(*np.array([(row, *span) for row, span in pauses], np.int64).reshape(-1, 3).T)
    some = everyone.of(ints(*rows))
    got = zip(some.row.tolist(), some.start_ms.tolist(), some.stop_ms.tolist(), strict=True)
    assert [(rows[row], (start, stop)) for row, start, stop in got] == [
        (row, span) for row, span in pauses if row in rows
    ]
    both = some.with_(everyone)
    assert both.stop_ms.tolist() == some.stop_ms.tolist() + everyone.stop_ms.tolist()
    assert both.nbytes == 24 * len(both.row)


def test_a_pause_over_the_weekend_costs_nobody_the_weekend() -> None:
    """The mistake of helpdesk PR #2449 and erpnext PR #49414."""
    hours = np.array([[d, 9 * 3_600_000, 18 * 3_600_000] for d in range(5)], np.int64)
    monday = 20_409  # 2025-11-17
    working = service_hours(hours, monday, weekdays(monday, 14), 8 * 3_600_000)
    friday_17 = (monday + 4) * DAY_MS + 9 * 3_600_000  # 17:00 in Shanghai
    monday_10 = (monday + 7) * DAY_MS + 2 * 3_600_000  # 10:00
    pause = Pauses(ints(0), ints(friday_17), ints(monday_10))
    at = ints(monday_10 + 3_600_000)
    assert elapsed_ms(working, ints(friday_17 - 3_600_000), at).tolist() == [4 * 3_600_000]
    assert elapsed_ms(working, ints(friday_17 - 3_600_000), at, pause).tolist() == [2 * 3_600_000]


def test_a_holiday_is_closed_and_a_sunday_may_stand_in_for_it() -> None:
    hours = np.array([[d, 0, DAY_MS // 2] for d in range(5)], np.int64)
    days = weekdays(4, 7)
    assert days.tolist() == [0, 1, 2, 3, 4, 5, 6]
    days[0], days[6] = CLOSED, 0
    working = service_hours(hours, 4, days, 0)
    assert (working.start_ms // DAY_MS).tolist() == [5, 6, 7, 8, 10]
    assert worked_ms(working, ints(0, 5 * DAY_MS, 99 * DAY_MS)).tolist() == [0, 0, 5 * DAY_MS // 2]


@pytest.mark.parametrize(
    ("start", "stop"), [([], []), ([1], [1]), ([0, 5], [6, 9]), ([5, 0], [6, 1]), ([0], [1, 2])]
)
def test_a_calendar_has_ordered_disjoint_spans(start: list[int], stop: list[int]) -> None:
    with pytest.raises(ValueError, match="spans"):
        calendar(ints(*start), ints(*stop))


def test_a_deadline_past_the_calendar_is_refused() -> None:
    working = calendar(ints(0), ints(10))
    assert deadline_ms(working, ints(0), ints(10), is_latest=False).tolist() == [10]
    with pytest.raises(ValueError, match="longer"):
        deadline_ms(working, ints(0), ints(10), is_latest=True)
