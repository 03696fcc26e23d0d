"""Directives: what headquarters may tell a box, and how a wrong one is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.directives import (
    Code,
    CodeAction,
    Directive,
    DirectiveError,
    EndCredential,
    EndOrder,
    PromisedNode,
    PutCredential,
    PutOrder,
    Role,
    decode_directive,
    encode_directive,
)
from agreed.promises import Match
from agreed.records import Evidence

NODE = PromisedNode(
    node="arrive",
    worker="w-03",
    node_kind="gate_passed",
    match=Match.BY_WORKER,
    opens_at_ms=1_000,
    promised_at_ms=2_000,
    tolerance_ms=100,
    hard_ms=900,
)
ROUND = NODE.model_copy(
    update={
        "node": "round",
        "match": Match.BY_TURN,
        "place": "gate-3",
        "weakest_evidence": Evidence.KIOSK,
    }
)
DIRECTIVES: list[Directive] = [
    PutCredential(
        card="26:0a1b2c80", subject="r-001", role=Role.RESIDENT, valid_from_ms=0, valid_until_ms=9
    ),
    EndCredential(card="26:0a1b2c80"),
    PutOrder(
        order="o-1",
        pack="parcel",
        nodes=[NODE, ROUND],
        codes=[Code(code="D-839201", action=CodeAction.DEPOSIT, subject="w-03")],
    ),
    EndOrder(order="o-1"),
]


@pytest.mark.parametrize("directive", DIRECTIVES, ids=lambda d: d.kind)
def test_a_directive_comes_back_as_it_was(directive: Directive) -> None:
    assert decode_directive(encode_directive(directive)) == directive


def test_an_order_gives_its_promises() -> None:
    order = DIRECTIVES[2]
    assert isinstance(order, PutOrder)
    promise, turn = order.promises()
    assert (promise.order, promise.node, promise.hard_ms) == ("o-1", "arrive", 900)
    assert (turn.place, turn.weakest_evidence) == ("gate-3", Evidence.KIOSK)


def test_an_order_written_before_places_and_evidence_still_reads() -> None:
    old = NODE.model_dump(mode="json")
    del old["place"], old["weakest_evidence"]
    order = decode_directive(
        json.dumps({"kind": "put_order", "order": "o", "pack": "p", "nodes": [old]})
    )
    assert isinstance(order, PutOrder)
    assert order.nodes == [NODE]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"order": ""}, "order"),
        ({"nodes": []}, "nodes"),
        ({"colour": "red"}, "colour"),
        ({"codes": [{"code": "1", "action": "deposit", "subject": "w"}]}, "codes.0.code"),
        ({"nodes": [NODE.model_dump() | {"hard_ms": 50}]}, "hard_ms"),
        ({"nodes": [ROUND.model_dump() | {"place": ""}]}, "place"),
        ({"nodes": [NODE.model_dump() | {"weakest_evidence": 4}]}, "weakest_evidence"),
        ({"nodes": [NODE.model_dump() | {"worker": ""}]}, "worker"),
        ({"nodes": [NODE.model_dump() | {"node": "a\nb"}]}, "control characters"),
        ({"nodes": [NODE.model_dump() | {"promised_at_ms": 1.5}]}, "promised_at_ms"),
        ({"kind": "put_nothing"}, "put_nothing"),
    ],
)
def test_a_wrong_order_is_refused_by_the_name_of_the_field(
    change: dict[str, object], named: str
) -> None:
    good = json.loads(encode_directive(DIRECTIVES[2]))
    with pytest.raises(DirectiveError, match=named):
        decode_directive(json.dumps(good | change))


@given(st.one_of(st.binary(), st.text()))
def test_anything_else_raises_the_one_error(data: bytes | str) -> None:
    with pytest.raises(DirectiveError):
        decode_directive(data)


@pytest.mark.parametrize("subject", ["楼" * 22, "r\n1", ""])
def test_a_subject_that_no_record_can_carry_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match="subject"):
        Code(code="123456", action=CodeAction.START, subject=subject)
