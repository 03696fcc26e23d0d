import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreed.checks import judge
from agreed.promises import NO_CLOCK, Facts, Match, Promise, Verdict, to_terms
from agreed.proofs import Seen, Wanted, prove
from agreed.records import ClockState, Evidence, Record, to_columns
from agreed.runs import KEY_MAX
from agreed.tick import RETENTION_MS, Change, OpenPromises, Transitions
from tests.agreed.receipt import LATE_CASES, needs_receipt, promises_and_facts
from tests.agreed.slow import Name, SlowPromises, Told

WORKERS, PLACES, KINDS, ORDERS = ["w1", "w2"], ["g1", "g2"], ["k1", "k2"], ["o1", "o2", "o3", "o4"]
times = st.integers(0, 60)
Acts = list[tuple[str, object]]


@st.composite
def promises(draw: st.DrawFn) -> Promise:
    match = draw(st.sampled_from(Match))
    promised = draw(times)
    tolerance = draw(st.integers(0, 8))
    return Promise(
        draw(st.sampled_from(ORDERS)),
        draw(st.sampled_from(["n1", "n2", "n3"])),
        draw(st.sampled_from(WORKERS)),
        draw(st.sampled_from(KINDS)),
        match,
        max(0, promised - draw(st.integers(0, 20))),
        promised,
        tolerance,
        tolerance + draw(st.integers(1, 20)),
        at_risk_ms=draw(st.integers(0, 30)),
        early_bp_per_hour=draw(st.sampled_from([0, 10_000])),
        early_bp_max=10_000,
        place=draw(st.sampled_from(PLACES)) if match == Match.BY_TURN else "",
        weakest_evidence=draw(st.sampled_from(Evidence)),
    )


@st.composite
def records(draw: st.DrawFn, sequence: int) -> Record:
    return Record(
        sequence,
        sequence,
        draw(times),
        draw(st.sampled_from([0, 0, 1, 3])),
        draw(st.sampled_from([ClockState.SYNCED, ClockState.HOLDING, ClockState.UNSET])),
        draw(st.sampled_from(Evidence)),
        draw(st.sampled_from([*PLACES, ""])),
        draw(st.sampled_from(KINDS)),
        draw(st.sampled_from([*WORKERS, ""])),
        draw(st.sampled_from([*ORDERS, ""])),
    )


@st.composite
def histories(draw: st.DrawFn) -> Acts:
    """Puts, ends, and ticks that bring blocks of records in any order, some of them twice."""
    count = draw(st.integers(0, 12))
    seen = [draw(records(i + 1)) for i in range(count)]
    cuts = sorted(draw(st.lists(st.integers(1, count), max_size=4))) if count else []
    ends = [*dict.fromkeys(cuts), count]
    blocks = [seen[a:b] for a, b in zip([0, *ends], ends, strict=False) if a < b]
    again = draw(st.lists(st.sampled_from(blocks), max_size=2)) if blocks else []
    acts: list[tuple[str, object]] = [("tick", block) for block in blocks + again]
    acts += [("tick", [])] * draw(st.integers(0, 3))
    acts += [("put", p) for p in draw(st.lists(st.lists(promises(), max_size=5), max_size=4))]
    acts += [
        ("end", orders) for orders in draw(st.lists(st.lists(st.sampled_from(ORDERS)), max_size=2))
    ]
    return draw(st.permutations(acts))


clocks = st.tuples(st.integers(0, 100), st.sampled_from([0, 0, 2, 10, NO_CLOCK]))


def told(held: OpenPromises, changes: Transitions) -> dict[Name, Told]:
    columns = (
        changes.kind,
        changes.verdict,
        changes.deviation_ms,
        changes.score_bp,
        changes.sequence,
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {held.name(i): Told(*row) for i, row in zip(changes.index.tolist(), rows, strict=True)}


def play(held: OpenPromises | SlowPromises, history: Acts) -> None:
    for act, what in history:
        if act == "put":
            held.put(what)  # type: ignore[arg-type]
        elif act == "end":
            held.end(what)  # type: ignore[arg-type]


@settings(max_examples=400)
@given(histories(), st.data())
def test_every_tick_tells_what_the_slow_reference_tells(history: Acts, data: st.DataObject) -> None:
    fast, slow = OpenPromises(), SlowPromises()
    for act, what in history:
        play(fast, [(act, what)])
        play(slow, [(act, what)])
        if act == "tick":
            new: list[Record] = what  # type: ignore[assignment]
            now, bound = data.draw(clocks)
            changes = fast.tick(to_columns(new) if new else None, now, bound)
            assert told(fast, changes) == slow.tick(new, now, bound)
        assert fast.counts() == slow.counts()
        assert fast.at_risk() == slow.at_risk()


def batch(promises_: list[Promise], seen: list[Record], covered_ms: int) -> dict[Name, list[int]]:
    """Judge all at once, as headquarters does, with the keys spelled out."""
    promises_ = sorted(promises_, key=lambda p: (p.order, p.node))
    numbers: dict[object, int] = {}

    def number(*key: object) -> int:
        return numbers.setdefault(key, len(numbers))

    offers = [
        (number(match, *texts), r)
        for r in sorted(seen, key=lambda r: r.sequence)
        for match, texts in (
            (Match.BY_ORDER, (r.reference, r.node_kind)),
            (Match.BY_WORKER, (r.subject, r.node_kind, "")),
            (Match.BY_TURN, (r.subject, r.node_kind, r.device)),
        )
        if texts[0]
    ]
    sought = [
        number(p.match, p.order, p.node_kind)
        if p.match == Match.BY_ORDER
        else number(p.match, p.worker, p.node_kind, p.place)
        for p in promises_
    ]
    terms = to_terms(promises_)
    wanted = Wanted(
        np.array([p.match for p in promises_], np.uint8),
        np.array(sought, np.int64),
        np.array([p.opens_at_ms for p in promises_], np.int64),
        terms.promised_at_ms,
        terms.hard_ms,
        np.array([p.weakest_evidence for p in promises_], np.uint8),
    )
    offered = Seen(
        np.array([k for k, _ in offers], np.int64),
        np.array([r.wall_ms for _, r in offers], np.int64),
        np.array([r.evidence for _, r in offers], np.uint8),
    )
    found = prove(wanted, offered).tolist()
    proof = [offers[i][1] if i >= 0 else None for i in found]
    unset = ClockState.UNSET
    facts = Facts(
        np.array([r.wall_ms if r else 0 for r in proof], np.int64),
        np.array(
            [NO_CLOCK if r and r.clock_state == unset else r.bound_ms if r else 0 for r in proof],
            np.int64,
        ),
        np.array([r is not None for r in proof], np.bool_),
        np.full(len(proof), covered_ms),
    )
    judged = judge(terms, facts)
    columns = (judged.verdict, judged.deviation_ms, judged.score_bp)
    rows = zip(*(c.tolist() for c in columns), strict=True)
    return {
        (p.order, p.node): [*row, r.sequence if r else 0]
        for p, row, r in zip(promises_, rows, proof, strict=True)
    }


class Standing:
    """What a listener to the transitions believes."""

    def __init__(self) -> None:
        self.held = OpenPromises()
        self.rows: dict[Name, list[int]] = {}

    def put(self, promises_: list[Promise]) -> None:
        self.held.put(promises_)
        self.rows |= {(p.order, p.node): [0, 0, 0, 0] for p in promises_}

    def tick(self, new: list[Record], now: int, bound: int) -> None:
        changes = self.held.tick(to_columns(new) if new else None, now, bound)
        for name, t in told(self.held, changes).items():
            self.rows[name] = [t.verdict, t.deviation_ms, t.score_bp, t.sequence]


@given(histories(), st.permutations(range(12)), st.lists(clocks, min_size=1, max_size=4))
def test_cuts_and_order_of_arrival_do_not_show_and_the_batch_agrees(
    history: Acts, dice: list[int], moments: list[tuple[int, int]]
) -> None:
    """Live, restarted with the blocks in another order, and judged at headquarters: the same."""
    puts: list[list[Promise]] = [what for act, what in history if act == "put"]  # type: ignore[misc]
    blocks: list[list[Record]] = [what for act, what in history if act == "tick"]  # type: ignore[misc]
    live, again = Standing(), Standing()
    ticks = iter(enumerate(blocks))
    for act, what in history:
        if act == "put":
            live.put(what)  # type: ignore[arg-type]
        elif act == "tick":
            i, new = next(ticks)
            live.tick(new, *moments[i % len(moments)])
    for now, bound in moments:
        live.tick([], now, bound)

    for promises_ in puts:
        again.put(promises_)
    for now, bound in sorted(moments):
        again.tick([], now, bound)
    for _, block in sorted(zip(dice[: len(blocks)], blocks, strict=True), key=lambda pair: pair[0]):
        again.tick(block, 0, NO_CLOCK)

    latest = {(p.order, p.node): p for promises_ in puts for p in promises_}
    records_ = {r.sequence: r for block in blocks for r in block}
    covered = max((now - bound for now, bound in moments if bound < NO_CLOCK), default=-NO_CLOCK)
    expected = batch(list(latest.values()), list(records_.values()), covered)
    assert live.rows == expected
    assert again.rows == expected
    assert live.held.counts() == again.held.counts() == count(expected)


def count(rows: dict[Name, list[int]]) -> dict[Verdict, int]:
    return {v: sum(row[0] == v for row in rows.values()) for v in Verdict}


@given(histories(), clocks)
def test_nothing_changes_before_the_next_deadline(history: Acts, last: tuple[int, int]) -> None:
    held_ = OpenPromises()
    for act, what in history:
        play(held_, [(act, what)])
        if act == "tick":
            held_.tick(to_columns(what) if what else None, 5, 0)  # type: ignore[arg-type]
    now, bound = last[0], min(last[1], 10)
    held_.tick(None, now, bound)
    for _ in range(200):
        deadline = held_.next_deadline_ms()
        if deadline is None:
            break
        before = held_.counts(), held_.at_risk()
        assert len(held_.tick(None, deadline - 1, bound)) == 0
        assert (held_.counts(), held_.at_risk()) == before
        held_.tick(None, deadline, bound)
    assert held_.next_deadline_ms() is None
    assert held_.counts()[Verdict.OPEN] == 0


def promise(node: str, promised: int = 1_000, order: str = "o", place: str = "") -> Promise:
    match = Match.BY_TURN if place else Match.BY_ORDER
    return Promise(order, node, "w", "k", match, 0, promised, 10, 100, at_risk_ms=50, place=place)


def record(sequence: int, at: int, reference: str = "o") -> Record:
    synced = ClockState.SYNCED
    return Record(sequence, 1, at, 0, synced, Evidence.DEVICE, "g", "k", "w", reference)


def test_stages_are_told_once_each() -> None:
    held_ = OpenPromises()
    held_.put([promise("n")])
    assert held_.next_deadline_ms() == 0
    seen = [(now, held_.tick(None, now, 1)) for now in (1, 959, 960, 1_011, 1_012, 1_100, 1_101)]
    assert [(now, c.kind[0]) for now, c in seen if len(c)] == [
        (960, Change.AT_RISK),
        (1_012, Change.LATE_RUNNING),
        (1_101, Change.DECIDED),
    ]
    assert held_.next_deadline_ms() is None
    late = held_.tick(to_columns([record(7, 1_055)]), 1_200, 1)
    assert told(held_, late) == {("o", "n"): Told(Change.CHANGED, Verdict.LATE, 55, 5_000, 7)}


def test_a_clock_that_was_never_set_lets_no_deadline_fall_due() -> None:
    held_ = OpenPromises()
    held_.put([promise("n")])
    assert len(held_.tick(None, 10**12, NO_CLOCK)) == 0
    assert held_.next_deadline_ms() is None
    assert len(held_.tick(None, 10**12, 0)) == 1


def test_a_promise_past_the_year_2109_waits_its_time() -> None:
    held_ = OpenPromises()
    far = 8_000_000_000_000
    held_.put([promise("n", far)])
    for now in (0, KEY_MAX - 1, KEY_MAX + 1, KEY_MAX + 2):
        assert len(held_.tick(None, now, 0)) == 0
    assert held_.tick(None, far, 0).kind.tolist() == [Change.AT_RISK]


def test_nothing_is_put_and_nothing_ended() -> None:
    held_ = OpenPromises()
    held_.put([])
    held_.end(["unknown"])
    assert len(held_) == held_.nbytes - held_.nbytes == 0


def test_turns_due_at_the_same_time_go_by_name() -> None:
    held_ = OpenPromises()
    held_.put([promise("b", place="g"), promise("a", place="g"), promise("z")])
    changes = told(held_, held_.tick(to_columns([record(1, 990, "")]), 990, 0))
    assert [name for name, t in changes.items() if t.kind == Change.DECIDED] == [("o", "a")]


def test_what_was_decided_long_ago_is_forgotten_and_stays_counted() -> None:
    held_ = OpenPromises()
    held_.put([promise(f"n{i}", place="g") for i in range(8)])
    held_.tick(to_columns([record(1, 990, "")]), 2_000, 0)
    assert list(held_.counts().values()) == [0, 1, 0, 7, 0]
    held_.tick(None, 1_100 + RETENTION_MS, 0)
    held_.put([promise("new", place="g")])
    assert len(held_) == 1
    assert sum(held_.counts().values()) == 9
    # The record was used up by a promise that is forgotten.
    changes = told(held_, held_.tick(None, 1_200 + RETENTION_MS, 0))
    assert [t.verdict for t in changes.values()] == [Verdict.MISSED]


def test_memory_is_bounded_while_promises_and_records_come_and_go() -> None:
    held_, sizes = OpenPromises(retention_ms=1_000, sightings_max=64), []
    for day in range(60):
        now = 10_000 * (day + 1)
        orders = [f"o-{day}-{i}" for i in range(20)]
        held_.put([promise("n", now, order) for order in orders])
        done = [record(20 * day + i + 1, now, order) for i, order in enumerate(orders)]
        assert len(held_.tick(to_columns(done), now, 0)) == 20
        sizes.append(held_.nbytes)
    assert max(sizes[10:]) == max(sizes[40:]) < 12_000
    assert held_.counts()[Verdict.KEPT] == 1_200


def test_a_promise_costs_at_most_64_bytes() -> None:
    held_ = OpenPromises()
    for first in range(0, 40_000, 1_000):
        held_.put(
            [
                Promise(f"2025-{i // 4:08d}", f"n{i % 4}", f"w{i % 50}", "k", m, i, i + 9, 1, 9)
                for i in range(first, first + 1_000)
                for m in [Match(1 + i % 2)]
            ]
        )
    held_.tick(None, 20_000, 0)
    assert held_.nbytes / 40_000 <= 64


def test_more_promises_than_rows_are_refused_and_what_is_held_stays() -> None:
    held_ = OpenPromises(rows_max=3)
    held_.put([promise("a"), promise("b")])
    with pytest.raises(ValueError, match="more than 3 promises"):
        held_.put([promise("a", 2_000), promise("d")])
    assert held_.counts()[Verdict.OPEN] == len(held_) == 2
    assert held_.tick(None, 950, 0).kind.tolist() == []
    assert held_.tick(None, 960, 0).kind.tolist() == [Change.AT_RISK] * 2


def test_of_two_promises_with_one_name_the_last_one_counts() -> None:
    held_ = OpenPromises()
    held_.put([promise("a", 1_000), promise("b", 1_000), promise("a", 5_000)])
    assert len(held_) == 2
    assert [held_.name(i) for i in held_.tick(None, 1_000, 0).index.tolist()] == [("o", "b")]


@needs_receipt
@pytest.mark.parametrize(("end", "target", "late", "total"), LATE_CASES)
def test_the_public_log_has_its_known_number_of_late_cases_in_ticks(
    end: str, target: str, late: int, total: int
) -> None:
    pairs = promises_and_facts(end, target)
    held_ = OpenPromises()
    held_.put([p for p, _ in pairs])
    for first in range(0, total, 100):
        held_.tick(to_columns([r for _, r in pairs[first : first + 100]]), 0, 0)
    counts = held_.counts()
    assert (counts[Verdict.LATE], counts[Verdict.KEPT]) == (late, total - late)
