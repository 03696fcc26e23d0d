"""Where another controller decides, the box says what it heard, and no more."""

from agreed.directives import PutCredential, Role
from agreed.machine import NS_PER_S, Moment
from agreed.records import CARD_SEEN, GATE_PASSED, Durability
from edge.decisions import NOTHING, Decision, keyed_digest
from edge.known import Known
from edge.overheard import DECIDES_S_MAX, OverheardGate

CARD = "26:0a1b2c80"


def gate() -> OverheardGate:
    known = Known()
    known.learn(
        PutCredential(
            card=CARD, subject="r-7", role=Role.RESIDENT, valid_from_ms=100, valid_until_ms=200
        )
    )
    return OverheardGate("gate", known, keyed_digest(bytes(32)))


def at_s(seconds: float) -> Moment:
    return Moment(0, int(seconds * NS_PER_S))


def facts(decision: Decision) -> tuple[str, str, str]:
    (draft,) = decision.drafts
    assert decision.at_once == decision.when_durable == ()
    assert decision.durability is Durability.PASSAGE
    return draft.node_kind, draft.subject, draft.detail


def test_a_tap_is_seen_and_becomes_a_passage_when_the_controller_opens() -> None:
    made = gate()
    assert facts(made.card(CARD, at_s(1))) == (CARD_SEEN, "r-7", "resident")
    assert facts(made.moved(at_s(1.2))) == (GATE_PASSED, "r-7", "resident other_controller")
    assert made.moved(at_s(1.4)) is NOTHING  # told twice for one card


def test_an_unknown_card_that_the_controller_lets_in_is_a_stranger_and_not_written_down() -> None:
    made = gate()
    seen, passed = facts(made.card("26:ff", at_s(1))), facts(made.moved(at_s(2)))
    assert (seen[:2], passed[:2]) == ((CARD_SEEN, ""), (GATE_PASSED, ""))
    assert "26:ff" not in seen[2] + passed[2]


def test_a_gate_that_opens_without_a_card_or_long_after_one_is_nobodys_passage() -> None:
    made = gate()
    assert made.moved(at_s(0)) is NOTHING
    made.card(CARD, at_s(1))
    assert made.moved(at_s(1.1 + DECIDES_S_MAX)) is NOTHING
    assert made.moved(at_s(1.2 + DECIDES_S_MAX)) is NOTHING


def test_the_last_of_two_cards_is_let_in() -> None:
    made = gate()
    made.card("26:ff", at_s(1))
    made.card(CARD, at_s(2))
    assert facts(made.moved(at_s(2.5)))[1] == "r-7"
