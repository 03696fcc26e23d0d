"""Working time on the wall clock: everything at once, against a walk through every millisecond."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreed.calendars import FAR_MS, NO_PAUSES, Calendar, Pauses, calendar
from agreed.promises import (
    NO_CLOCK,
    Facts,
    Match,
    Promise,
    PromiseColumns,
    to_promise_columns,
    to_terms,
)
from agreed.records import ClockState, Evidence, Int64s, Record, to_columns
from agreed.schedules import Schedule, calendars_by_number, scheduled
from agreed.tick import Change, OpenPromises
from tests.agreed.slow import Name, SlowPromises, judge, proofs
from tests.agreed.test_tick import ORDERS, clocks, promises, records, told

END = 60
Span = tuple[int, int]
Started = tuple[Promise, int, int]
"""A promise in working time, when it began to count, and by which calendar."""

LAST = END + 300
"""Where calendars end; promises round the clock are due long before."""


def ints(*values: int) -> Int64s:
    return np.array(values, np.int64)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Short hours and short nights, so that much falls just on an edge."""
    lengths = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=20))
    edges = np.cumsum([length for both in lengths for length in both]).tolist()
    edges = [*edges[:24], LAST - 100, LAST]
    return calendar(ints(*edges[::2]), ints(*edges[1::2]))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, object]]:
    """Puts, pauses, ends, and ticks that bring blocks of records in any order, some twice."""
    count = draw(st.integers(0, 10))
    seen = [draw(records(i + 1)) for i in range(count)]
    ends = sorted({*draw(st.lists(st.integers(1, count), max_size=3)), count}) if count else []
    blocks = [seen[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    again = draw(st.lists(st.sampled_from(blocks), max_size=2)) if blocks else []
    started = st.tuples(promises(), st.integers(0, END), st.integers(0, 2))
    from_to = st.tuples(st.integers(0, END), st.sampled_from([0, 1, 5, 20, FAR_MS]))
    pause = st.tuples(st.sampled_from(ORDERS), from_to)
    acts: list[tuple[str, object]] = [("tick", block) for block in [*blocks, *again, []]]
    acts += [("put", p) for p in draw(st.lists(st.lists(started, max_size=4), max_size=3))]
    acts += [("pause", p) for p in draw(st.lists(pause, max_size=3))]
    acts += [
        ("end", orders) for orders in draw(st.lists(st.lists(st.sampled_from(ORDERS)), max_size=1))
    ]
    return draw(st.permutations(acts))


class World:
    """Calendars, what was promised in them, and the pauses known so far."""

    def __init__(self, calendars_: list[Calendar]) -> None:
        self.calendars = calendars_
        self.fast, self.slow = OpenPromises(calendars=calendars_), SlowPromises(self.clock)
        self.started: dict[Name, Started] = {}
        self.pauses: dict[str, list[Span]] = {order: [] for order in ORDERS}
        self.clocks: dict[tuple[int, str], list[int]] = {}

    def put(self, added: list[Started]) -> None:
        added = list({(one[0].order, one[0].node): one for one in added}.values())
        if not added:
            return
        self.started |= {(one[0].order, one[0].node): one for one in added}
        columns, starts, pauses = self.columns(added)
        self.fast.put_columns(scheduled(columns, self.calendars, starts, pauses), pauses)
        self.slow.put([self.walk(*one) for one in added])

    def pause(self, order: str, span: Span) -> None:
        """A pause becomes known: the order's promises are put again."""
        start, length = span
        self.pauses[order].append((start, min(start + length, FAR_MS)))
        self.clocks.clear()
        self.put([self.started[name] for name in self.slow.promises if name[0] == order])

    def columns(self, added: list[Started]) -> tuple[PromiseColumns, Int64s, Pauses]:
        rows = [(i, *span) for i, (p, *_) in enumerate(added) for span in self.pauses[p.order]]
        pauses = Pauses(*np.array(rows, np.int64).reshape(-1, 3).T)
        starts = ints(*(start for _, start, _ in added))
        numbers = np.array([number for *_, number in added], np.uint8)
        columns = replace(to_promise_columns([p for p, *_ in added]), calendar=numbers)
        return columns, starts, pauses

    def walk(self, p: Promise, start: int, _: int) -> Promise:
        """Find the promised moment, one millisecond after the other."""
        target = self.clock(p, start) + p.promised_at_ms
        due = start
        while self.clock(p, due) < target:
            due = FAR_MS if due == FAR_MS - 1 or due == LAST else due + 1
        return replace(p, opens_at_ms=min(p.opens_at_ms, due), promised_at_ms=due)

    def clock(self, p: Promise, at_ms: int) -> int:
        """Count working time, millisecond by millisecond, up to LAST and again from FAR_MS on."""
        number = self.started[p.order, p.node][2]
        counted = self.clocks.get((number, p.order))
        if counted is None:
            is_working = [self.works(number, p.order, t) for t in range(LAST)]
            counted = [sum(is_working[:t]) for t in range(LAST + 1)]
            self.clocks[number, p.order] = counted
        lasts = any(stop == FAR_MS for _, stop in self.pauses[p.order])
        between = max(0, min(at_ms, FAR_MS) - LAST) if number == 0 and not lasts else 0
        return counted[max(0, min(at_ms, LAST))] + between + max(0, at_ms - FAR_MS)

    def works(self, number: int, order: str, t: int) -> bool:
        working = self.calendars[number - 1] if number else calendar(ints(0), ints(FAR_MS))
        spans = zip(working.start_ms.tolist(), working.stop_ms.tolist(), strict=True)
        is_open = any(start <= t < stop for start, stop in spans)
        return is_open and not any(start <= t < stop for start, stop in self.pauses[order])


@settings(max_examples=200)
@given(st.lists(calendars(), min_size=2, max_size=2), histories(), st.data())
def test_ticks_and_batch_equal_the_slow_reference_with_everything_at_once(
    working: list[Calendar], history: list[tuple[str, object]], data: st.DataObject
) -> None:
    """Promises, records, arrival, duplicates, clock bounds, evidence, calendars and pauses."""
    world = World(working)
    seen: dict[int, Record] = {}
    for act, what in history:
        if act == "tick":
            new: list[Record] = what  # type: ignore[assignment]
            seen |= {r.sequence: r for r in new}
            now, bound = data.draw(clocks)
            changes = world.fast.tick(to_columns(new) if new else None, now, bound)
            assert told(world.fast, changes) == world.slow.tick(new, now, bound)
        elif act == "put":
            world.put(what)  # type: ignore[arg-type]
        elif act == "pause":
            world.pause(*what)  # type: ignore[misc]
        else:
            world.fast.end(what)  # type: ignore[arg-type]
            world.slow.end(what)  # type: ignore[arg-type]
        assert world.fast.counts() == world.slow.counts()
        assert world.fast.at_risk() == world.slow.at_risk()
    assert batch(world, list(seen.values())) == one_by_one(world, list(seen.values()))


@settings(max_examples=100)
@given(st.lists(calendars(), min_size=2, max_size=2), st.data())
def test_every_millisecond_of_a_day_tells_what_the_slow_reference_tells(
    working: list[Calendar], data: st.DataObject
) -> None:
    world = World(working)
    pause = st.tuples(st.integers(0, END), st.sampled_from([1, 5, 20, FAR_MS]))
    for start, length in data.draw(st.lists(pause, max_size=2)):
        world.pauses[ORDERS[0]].append((start, min(start + length, FAR_MS)))
    soon = promises().map(lambda p: replace(p, promised_at_ms=p.promised_at_ms % 20, opens_at_ms=0))
    put = st.lists(st.tuples(soon, st.integers(0, 20), st.integers(0, 2)), min_size=1, max_size=3)
    drawn: list[Started] = data.draw(put)
    started = zip(ORDERS, drawn, strict=False)
    world.put([(replace(p, order=order), at, k) for order, (p, at, k) in started])
    done = {now: data.draw(records(now + 1)) for now in data.draw(st.sets(st.integers(0, 99)))}
    bound = data.draw(st.integers(0, 3))
    for now in range(150):
        new = [done[now]] if now in done else []
        changes = world.fast.tick(to_columns(new) if new else None, now, bound)
        assert told(world.fast, changes) == world.slow.tick(new, now, bound)


def one_by_one(world: World, seen: list[Record]) -> dict[Name, list[int]]:
    """Judge all at once, as the reference does."""
    promises_ = world.slow.promises
    found = proofs(promises_.values(), seen, world.clock)
    covered = world.slow.covered_ms
    return {n: [*judge(p, found.get(n), covered, world.clock)] for n, p in promises_.items()}


def batch(world: World, seen: list[Record]) -> dict[Name, list[int]]:
    """Judge all at once by arrays, with the proofs that the reference found."""
    names = list(world.slow.promises)
    found = proofs(world.slow.promises.values(), seen, world.clock)
    proof = [found.get(name) for name in names]
    unset = ClockState.UNSET
    facts = Facts(
        ints(*(r.wall_ms if r else 0 for r in proof)),
        ints(*((NO_CLOCK if r.clock_state == unset else r.bound_ms) if r else 0 for r in proof)),
        np.array([r is not None for r in proof], np.bool_),
        np.full(len(names), world.slow.covered_ms),
    )
    columns, _, pauses = world.columns([world.started[name] for name in names])
    schedule = Schedule(calendars_by_number(world.calendars), columns.calendar, pauses)
    judged = schedule.judge(to_terms([world.slow.promises[name] for name in names]), facts)
    columns_ = (judged.verdict, judged.deviation_ms, judged.score_bp)
    rows = zip(*(column.tolist() for column in columns_), strict=True)
    return {name: list(row) for name, row in zip(names, rows, strict=True)}


def in_working_time(hard: int = 20) -> PromiseColumns:
    by_order = Promise("o", "n", "", "k", Match.BY_ORDER, 0, 10, 5, hard, at_risk_ms=3)
    return to_promise_columns([by_order], calendar=1)


def test_while_a_pause_lasts_nothing_behind_it_falls_due() -> None:
    working = [calendar(ints(0, 100), ints(40, 900))]
    due = scheduled(in_working_time(), working, ints(35)).promised_at_ms
    assert due.tolist() == [105]
    lasting = Pauses(ints(0), ints(38), ints(FAR_MS))
    assert scheduled(in_working_time(), working, ints(35), lasting).promised_at_ms[0] > FAR_MS
    # Due before the pause, and its tolerance ends behind it.
    lasting = Pauses(ints(0), ints(32), ints(FAR_MS))
    after = scheduled(in_working_time(), working, ints(20), lasting)
    assert after.promised_at_ms.tolist() == [30]
    held = OpenPromises(calendars=working)
    held.put_columns(after, lasting)
    assert held.tick(None, 99_999, 0).kind.tolist() == [Change.AT_RISK]
    ended = Pauses(ints(0), ints(38), ints(200))
    assert scheduled(in_working_time(), working, ints(35), ended).promised_at_ms.tolist() == [207]


def test_a_weekend_between_tolerance_and_hard_limit_costs_no_score() -> None:
    """Due at 40, no credit after 20 more of work; the doors are closed from 45 to 1,000."""
    working = [calendar(ints(0, 1_000), ints(45, 2_000))]
    promises_ = scheduled(in_working_time(), working, ints(30))
    held = OpenPromises(calendars=working)
    held.put_columns(promises_)
    synced, device = ClockState.SYNCED, Evidence.DEVICE
    done = Record(1, 1, 1_005, 0, synced, device, "d", "k", "", "o")
    changes = held.tick(to_columns([done]), 1_005, 0)
    # Ten of work behind the promise, five behind the tolerance of five; fifteen would cost all.
    assert (changes.deviation_ms.tolist(), changes.score_bp.tolist()) == ([10], [6_667])


def test_a_calendar_that_is_too_short_or_too_long_is_refused() -> None:
    short = calendar(ints(0), ints(12))
    with pytest.raises(ValueError, match="make it longer"):
        scheduled(in_working_time(), [short], ints(0), NO_PAUSES)
    endless = calendar(ints(0), ints(FAR_MS + 1))
    with pytest.raises(ValueError, match="too long"):
        scheduled(in_working_time(), [endless], ints(0))
    with pytest.raises(ValueError, match="255"):
        calendars_by_number([short] * 256)


def test_a_calendar_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="calendar: number 1"):
        scheduled(in_working_time(), [], ints(0))
    held = OpenPromises()
    with pytest.raises(ValueError, match="calendar: number 1"):
        held.put_columns(in_working_time())
    assert len(held) == 0
