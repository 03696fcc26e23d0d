"""Verdicts follow from the set of records, not from how they came."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agreed.promises import Match, Promise, Verdict
from agreed.records import ClockState, Evidence
from cloud.fulfilment.deciding import Witness, decide, is_done

MINUTE = 60_000
NOON = 1_000_000 * MINUTE


def promise(node: str = "n", **more: object) -> Promise:
    fields: dict[str, object] = {
        "order": "o-1",
        "worker": "w-1",
        "node_kind": "task_finished",
        "match": Match.BY_ORDER,
        "opens_at_ms": NOON - 60 * MINUTE,
        "promised_at_ms": NOON,
        "tolerance_ms": 10 * MINUTE,
        "hard_ms": 60 * MINUTE,
    }
    return Promise(node=node, **(fields | more))  # type: ignore[arg-type]


def witness(at_ms: int = NOON, **more: object) -> Witness:
    fields: dict[str, object] = {
        "box": "b",
        "epoch": b"e" * 16,
        "sequence": 1,
        "bound_ms": 100,
        "clock_state": ClockState.SYNCED,
        "evidence": Evidence.KIOSK,
        "device": "g-1",
        "node_kind": "task_finished",
        "subject": "w-1",
        "reference": "o-1",
        "block_first": 1,
    }
    return Witness(wall_ms=at_ms, **(fields | more))  # type: ignore[arg-type]


def test_the_first_record_of_the_order_proves_it() -> None:
    seen = [witness(NOON + 5 * MINUTE, sequence=2), witness(NOON + 1, sequence=3)]
    [decision] = decide([promise()], seen, 0)
    assert decision.verdict is Verdict.KEPT
    assert decision.witness is seen[1]
    assert (decision.deviation_ms, decision.score_bp, decision.bound_ms) == (1, 10_000, 100)


def test_records_of_others_prove_nothing() -> None:
    others = [witness(reference="o-2"), witness(node_kind="gate_passed", sequence=2)]
    [decision] = decide([promise()], others, NOON)
    assert (decision.verdict, decision.witness) == (Verdict.OPEN, None)
    assert decide([promise()], others, NOON + 60 * MINUTE)[0].verdict is Verdict.MISSED


def test_one_arrival_proves_several_orders_but_only_inside_the_window() -> None:
    arrivals = [witness(NOON - 90 * MINUTE, sequence=1), witness(NOON - MINUTE, sequence=2)]
    by_worker = [promise(order=o, match=Match.BY_WORKER) for o in ("o-1", "o-2")]
    for decision in decide(by_worker, arrivals, NOON):
        assert decision.witness is arrivals[1]
    too_late = [witness(NOON + 61 * MINUTE)]
    assert decide(by_worker, too_late, NOON)[0].witness is None


def test_a_clock_that_was_never_set_decides_nothing_but_pays() -> None:
    unset = witness(0, clock_state=ClockState.UNSET, bound_ms=0)
    [decision] = decide([promise()], [unset], NOON)
    assert decision.verdict is Verdict.UNDECIDABLE
    assert (decision.score_bp, decision.bound_ms) == (10_000, None)


def test_less_than_the_bound_is_undecidable() -> None:
    near = witness(NOON + 10 * MINUTE + 50)
    assert decide([promise()], [near], NOON)[0].verdict is Verdict.UNDECIDABLE
    assert decide([promise()], [replace(near, bound_ms=0)], NOON)[0].verdict is Verdict.LATE


def test_evidence_too_weak_for_a_promise_is_passed_over() -> None:
    claim = witness(NOON - MINUTE, evidence=Evidence.MANUAL, sequence=1)
    seen = witness(NOON + 20 * MINUTE, evidence=Evidence.DEVICE, sequence=2)
    strict, lenient = decide(
        [promise("strict", weakest_evidence=Evidence.KIOSK), promise("lenient")], [seen, claim], 0
    )
    assert (strict.verdict, strict.witness) == (Verdict.LATE, seen)
    assert (lenient.verdict, lenient.witness) == (Verdict.KEPT, claim)


def test_in_turns_a_record_proves_one_promise_whose_place_it_comes_from() -> None:
    turns = [
        promise(node, match=Match.BY_TURN, place=place)
        for node, place in (("b", "g-1"), ("a", "g-1"), ("c", "g-2"))
    ]
    decisions = {d.node: d for d in decide(turns, [witness()], NOON)}
    assert {node for node, d in decisions.items() if d.witness} == {"a"}


def test_nothing_asked_is_nothing_answered() -> None:
    assert decide([], [witness()], NOON) == []


witnesses = st.lists(
    st.builds(
        witness,
        st.integers(NOON - 120 * MINUTE, NOON + 120 * MINUTE),
        box=st.sampled_from(["a", "b"]),
        epoch=st.sampled_from([b"d" * 16, b"e" * 16]),
        sequence=st.integers(1, 9),
        bound_ms=st.integers(0, 20 * MINUTE),
        clock_state=st.sampled_from(list(ClockState)),
        node_kind=st.sampled_from(["task_finished", "gate_passed"]),
        subject=st.sampled_from(["w-1", "w-2", ""]),
        reference=st.sampled_from(["o-1", "o-2", ""]),
    ),
    max_size=12,
    unique_by=lambda w: w.identity,
)
promises = [
    promise(order=order, node=f"{kind}-{match}", worker=worker, node_kind=kind, match=match)
    for order, worker in (("o-1", "w-1"), ("o-2", "w-2"))
    for kind in ("task_finished", "gate_passed")
    for match in (Match.BY_ORDER, Match.BY_WORKER)
]


@given(seen=witnesses, data=st.data())
def test_order_of_records_and_of_promises_is_irrelevant(
    seen: list[Witness], data: st.DataObject
) -> None:
    there = decide(promises, seen, NOON)
    asked = data.draw(st.permutations(promises))
    back = decide(asked, data.draw(st.permutations(seen)), NOON)
    found = {(d.order, d.node): d for d in back}
    assert [found[d.order, d.node] for d in there] == there


@given(seen=witnesses)
def test_promises_do_not_disturb_each_other(seen: list[Witness]) -> None:
    together = decide(promises, seen, NOON)
    assert [decide([p], seen, NOON)[0] for p in promises] == together


def test_an_order_is_done_when_its_codes_are_needed_no_more() -> None:
    order, worker = Match.BY_ORDER, Match.BY_WORKER
    assert is_done([(order, Verdict.KEPT), (worker, Verdict.MISSED)])
    assert is_done([(order, Verdict.LATE), (order, Verdict.UNDECIDABLE)])
    assert not is_done([(order, Verdict.KEPT), (worker, Verdict.OPEN)])
    # A missed parcel can still be collected.
    assert not is_done([(order, Verdict.MISSED)])
