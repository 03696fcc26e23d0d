"""Badges of staff are noticed where they are, strangers never."""

from agreed.directives import PutCredential, Role
from agreed.records import BEACON_GONE, BEACON_SEEN, STAFF_LEFT, STAFF_PRESENT
from edge.decisions import NOTHING, Decision
from edge.known import Known
from edge.place import NEAR_COUNT_MAX, Place

BADGE, CART = "eid:w-17", "uid:00:01"


def place(*, role: Role = Role.WORKER, is_known: bool = True) -> tuple[Place, Known]:
    known = Known()
    if is_known:
        learn(known, role)
    return Place("lobby", {CART: "cart-3"}, known), known


def learn(known: Known, role: Role = Role.WORKER) -> None:
    known.learn(
        PutCredential(card=BADGE, subject="w-17", role=role, valid_from_ms=100, valid_until_ms=200)
    )


def facts(decision: Decision) -> list[tuple[str, str, str]]:
    return [(draft.node_kind, draft.subject, draft.detail) for draft in decision.drafts]


def test_staff_is_present_and_leaves() -> None:
    made, _ = place()
    assert facts(made.entered(BADGE, 150, 150)) == [(STAFF_PRESENT, "w-17", "")]
    assert made.learned(150, 150) == []
    assert facts(made.left(BADGE)) == [(STAFF_LEFT, "w-17", "")]
    assert made.left(BADGE) is NOTHING


def test_a_beacon_is_called_by_its_name() -> None:
    made, _ = place()
    assert facts(made.entered(CART, 0, 0)) == [(BEACON_SEEN, "", "cart-3")]
    assert facts(made.left(CART)) == [(BEACON_GONE, "", "cart-3")]


def test_residents_strangers_and_badges_out_of_date_are_not_written_down() -> None:
    for made, at_ms in (
        (place(role=Role.RESIDENT)[0], 150),
        (place(is_known=False)[0], 150),
        (place()[0], 300),
    ):
        assert made.entered(BADGE, at_ms, at_ms) is NOTHING
        assert made.left(BADGE) is NOTHING


def test_who_is_there_before_headquarters_told_is_noticed_then() -> None:
    made, known = place(is_known=False)
    assert made.entered(BADGE, 150, 150) is NOTHING
    assert list(made.learned(150, 150)) == [NOTHING]
    learn(known)
    (decision,) = made.learned(150, 150)
    assert facts(decision) == [(STAFF_PRESENT, "w-17", "")]
    assert made.learned(150, 150) == []


def test_a_crowd_is_bounded() -> None:
    made, _ = place()
    for number in range(NEAR_COUNT_MAX):
        made.entered(f"uid:{number}", 150, 150)
    assert made.entered(BADGE, 150, 150) is NOTHING
