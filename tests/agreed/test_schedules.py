"""Working time on the wall clock: everything at once, against a walk through every millisecond."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreed.calendars import FAR_MS, NO_PAUSES, Calendar, Pauses, calendar, working_facts
from agreed.checks import judge
from agreed.limits import SPAN_MS_MAX
from agreed.promises import (
    NO_CLOCK,
    Facts,
    Match,
    Promise,
    PromiseColumns,
    to_promise_columns,
    to_terms,
)
from agreed.records import ClockState, Int64s, Record, to_columns
from agreed.schedules import scheduled
from agreed.tick import OpenPromises
from tests.agreed.slow import Name, SlowPromises, proofs
from tests.agreed.test_tick import ORDERS, batch, clocks, promises, records, told

END = 60
Span = tuple[int, int]
Started = tuple[Promise, int]
"""A promise in working time, and when it began to count."""


def ints(*values: int) -> Int64s:
    return np.array(values, np.int64)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    edges = draw(st.lists(st.integers(0, END), max_size=8, unique=True))
    edges = [*sorted(edges)[: len(edges) // 2 * 2], END + 20, END + 300]
    return calendar(ints(*edges[::2]), ints(*edges[1::2]))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, object]]:
    """Puts, pauses, ends, and ticks that bring blocks of records in any order, some twice."""
    count = draw(st.integers(0, 10))
    seen = [draw(records(i + 1)) for i in range(count)]
    ends = sorted({*draw(st.lists(st.integers(1, count), max_size=3)), count}) if count else []
    blocks = [seen[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    again = draw(st.lists(st.sampled_from(blocks), max_size=2)) if blocks else []
    started = st.tuples(promises(), st.integers(0, END))
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
    """A calendar, what was promised in it, and the pauses known so far."""

    def __init__(self, working: Calendar) -> None:
        self.working = working
        self.fast, self.slow = OpenPromises(), SlowPromises()
        self.started: dict[Name, Started] = {}
        self.pauses: dict[str, list[Span]] = {order: [] for order in ORDERS}

    def put(self, added: list[Started]) -> None:
        added = list({(p.order, p.node): (p, start) for p, start in added}.values())
        if not added:
            return
        self.started |= {(p.order, p.node): (p, start) for p, start in added}
        self.fast.put_columns(scheduled(*self.columns(added)))
        self.slow.put([self.walk(*one) for one in added])

    def pause(self, order: str, span: Span) -> None:
        """A pause becomes known: the order's promises are put again."""
        start, length = span
        self.pauses[order].append((start, min(start + length, FAR_MS)))
        names = [name for name in self.slow.promises if name[0] == order]
        self.put([self.started[name] for name in names])

    def columns(self, added: list[Started]) -> tuple[PromiseColumns, Calendar, Int64s, Pauses]:
        rows = [(i, *span) for i, (p, _) in enumerate(added) for span in self.pauses[p.order]]
        pauses = Pauses(*np.array(rows, np.int64).reshape(-1, 3).T)
        starts = ints(*(start for _, start in added))
        return to_promise_columns([p for p, _ in added]), self.working, starts, pauses

    def walk(self, p: Promise, start: int) -> Promise:
        """Put a promise on the wall clock, one millisecond after the other."""
        span, end = p.promised_at_ms, p.promised_at_ms + p.tolerance_ms
        due = self.moments(p.order, start, span)[0]
        limit = self.moments(p.order, start, span + p.hard_ms)[0]
        hard = min(limit - due, SPAN_MS_MAX)
        ends = min(self.moments(p.order, start, end)[1], due + hard - 1)
        risk = self.moments(p.order, start, max(end - p.at_risk_ms, 0))[0]
        at_risk = max(0, min(ends - risk, SPAN_MS_MAX))
        opens = min(p.opens_at_ms, due)
        return replace(
            p,
            opens_at_ms=opens,
            promised_at_ms=due,
            tolerance_ms=ends - due,
            hard_ms=hard,
            at_risk_ms=at_risk,
        )

    def moments(self, order: str, start: int, target: int) -> Span:
        """Give the first moment at which so much has elapsed, and the last at which no more has."""
        spans = list(zip(self.working.start_ms, self.working.stop_ms, strict=True))
        elapsed, first, t = 0, -1, start
        while True:
            if elapsed == target and first < 0:
                first = t
            is_open = t >= FAR_MS or any(a <= t < b for a, b in spans)
            if is_open and not any(a <= t < b for a, b in self.pauses[order]):
                if elapsed == target:
                    return first, t
                elapsed += 1
            t = FAR_MS if t == END + 300 else t + 1


@settings(max_examples=200)
@given(calendars(), histories(), st.data())
def test_ticks_and_batch_equal_the_slow_reference_with_everything_at_once(
    working: Calendar, history: list[tuple[str, object]], data: st.DataObject
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
    world.slow.tick([], 0, NO_CLOCK)
    on_wall = list(world.slow.promises.values())
    judged = batch(on_wall, list(seen.values()), world.slow.covered_ms)
    assert {name: [row[0], row[3]] for name, row in judged.items()} == {
        name: [verdict, sequence] for name, (verdict, _, sequence) in world.slow.standing.items()
    }
    assert on_the_axis(world, list(seen.values())) == {n: row[0] for n, row in judged.items()}


def on_the_axis(world: World, seen: list[Record]) -> dict[Name, int]:
    """Judge in working time, with the proofs that the wall clock found."""
    found = proofs(world.slow.promises.values(), seen)
    names = list(world.slow.promises)
    proof = [found.get(name) for name in names]
    unset = ClockState.UNSET
    facts = Facts(
        ints(*(r.wall_ms if r else 0 for r in proof)),
        ints(*((NO_CLOCK if r.clock_state == unset else r.bound_ms) if r else 0 for r in proof)),
        np.array([r is not None for r in proof], np.bool_),
        np.full(len(names), world.slow.covered_ms),
    )
    _, working, starts, pauses = world.columns([world.started[name] for name in names])
    terms = to_terms([world.started[name][0] for name in names])
    judged = judge(terms, working_facts(working, starts, terms, facts, pauses))
    return dict(zip(names, judged.verdict.tolist(), strict=True))


def in_working_time(hard: int = 20) -> PromiseColumns:
    by_order = Promise("o", "n", "", "k", Match.BY_ORDER, 0, 10, 5, hard, at_risk_ms=3)
    return to_promise_columns([by_order])


def test_while_a_pause_lasts_nothing_behind_it_falls_due() -> None:
    working = calendar(ints(0, 100), ints(40, 900))
    due = scheduled(in_working_time(), working, ints(35)).promised_at_ms
    assert due.tolist() == [105]
    lasting = Pauses(ints(0), ints(38), ints(FAR_MS))
    assert scheduled(in_working_time(), working, ints(35), lasting).promised_at_ms[0] > FAR_MS
    # Due before the pause, and its tolerance ends behind it.
    after = scheduled(in_working_time(), working, ints(20), Pauses(ints(0), ints(32), ints(FAR_MS)))
    assert after.promised_at_ms.tolist() == [30]
    assert after.hard_ms.tolist() == [SPAN_MS_MAX]
    ended = Pauses(ints(0), ints(38), ints(200))
    assert scheduled(in_working_time(), working, ints(35), ended).promised_at_ms.tolist() == [207]


def test_a_calendar_that_is_too_short_or_too_long_is_refused() -> None:
    short = calendar(ints(0), ints(12))
    with pytest.raises(ValueError, match="make it longer"):
        scheduled(in_working_time(), short, ints(0), NO_PAUSES)
    endless = calendar(ints(0), ints(FAR_MS + 1))
    with pytest.raises(ValueError, match="too long"):
        scheduled(in_working_time(), endless, ints(0))
    sparse = calendar(ints(0, SPAN_MS_MAX + 12), ints(12, SPAN_MS_MAX + 99))
    with pytest.raises(ValueError, match="hard limit"):
        scheduled(in_working_time(), sparse, ints(0))
