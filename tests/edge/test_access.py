"""A gate decides from what was learned; doubt about the time is decided for the person."""

from time import perf_counter_ns

import pytest

from agreed.directives import EndCredential, PutCredential, Role
from agreed.records import CARD_SEEN, EXIT_PRESSED, GATE_PASSED, GATE_REFUSED, Durability
from edge.access import ADMITTED_COUNT_MAX, Admission, Gate, GateWiring, judge_card
from edge.decisions import NOTHING, keyed_digest
from edge.known import Credential, Known
from firmware_interfaces.observations import Admit, Refuse

CARD = "26:0a1b2c80"


def gate() -> tuple[Gate, Known]:
    known = Known()
    known.learn(
        PutCredential(
            card=CARD, subject="r-7", role=Role.RESIDENT, valid_from_ms=100, valid_until_ms=200
        )
    )
    return Gate(GateWiring("gate", "gate", 2_000), known, keyed_digest(bytes(32))), known


@pytest.mark.parametrize(
    ("earliest_ms", "latest_ms", "expected"),
    [
        (100, 100, Admission.ADMITTED),
        (199, 199, Admission.ADMITTED),
        (200, 200, Admission.EXPIRED),
        (99, 99, Admission.NOT_YET),
        (199, 250, Admission.ADMITTED),
        (50, 100, Admission.ADMITTED),
        (0, 10**12, Admission.ADMITTED),
    ],
)
def test_validity_is_half_open(earliest_ms: int, latest_ms: int, expected: Admission) -> None:
    credential = Credential("r-7", Role.RESIDENT, 100, 200)
    assert judge_card(credential, earliest_ms, latest_ms) is expected


def test_a_known_card_moves_the_gate_at_once_and_is_journaled_beside_it() -> None:
    decision = gate()[0].card(CARD, 150, 150)
    assert decision.at_once == (Admit("gate", 2_000),)
    assert decision.durability is Durability.PASSAGE
    (draft,) = decision.drafts
    assert (draft.node_kind, draft.subject, draft.detail) == (GATE_PASSED, "r-7", "resident")


def test_an_unknown_card_is_never_written_down() -> None:
    decision = gate()[0].card("26:ffffffff", 150, 150)
    assert decision.at_once == (Refuse("gate"),)
    (draft,) = decision.drafts
    assert (draft.node_kind, draft.subject) == (GATE_REFUSED, "")
    assert "ffff" not in draft.detail
    assert draft.detail == gate()[0].card("26:ffffffff", 0, 0).drafts[0].detail
    assert draft.detail != gate()[0].card("26:fffffffe", 0, 0).drafts[0].detail


def test_an_expired_or_ended_card_is_refused() -> None:
    machine, known = gate()
    (draft,) = machine.card(CARD, 300, 300).drafts
    assert (draft.node_kind, draft.subject, draft.detail) == (GATE_REFUSED, "r-7", "expired")
    known.learn(EndCredential(card=CARD))
    assert machine.card(CARD, 150, 150).drafts[0].subject == ""


def test_typed_digits_open_nothing_and_are_not_written_down() -> None:
    decision = gate()[0].keys()
    assert decision.at_once == (Refuse("gate"),)
    assert decision.drafts[0].detail == "keys_not_used"


def test_a_gate_that_did_not_move_is_recorded_for_the_person_it_was_for() -> None:
    machine, _known = gate()
    assert machine.refused_by_device() is NOTHING
    assert machine.moved() is NOTHING
    machine.card(CARD, 150, 150)
    machine.moved()
    assert machine.refused_by_device() is NOTHING
    machine.card(CARD, 150, 150)
    (draft,) = machine.refused_by_device().drafts
    assert (draft.node_kind, draft.subject) == (GATE_REFUSED, "r-7")


def test_what_waits_for_the_reader_is_bounded() -> None:
    machine, _known = gate()
    for _ in range(ADMITTED_COUNT_MAX * 2):
        machine.card(CARD, 150, 150)
    refusals = [machine.refused_by_device() for _ in range(ADMITTED_COUNT_MAX * 2)]
    assert sum(refusal is not NOTHING for refusal in refusals) == ADMITTED_COUNT_MAX


def test_a_decision_takes_far_less_than_a_millisecond() -> None:
    machine, _known = gate()
    begin_ns = perf_counter_ns()
    for _ in range(1_000):
        machine.card(CARD, 150, 150)
    assert (perf_counter_ns() - begin_ns) / 1_000 < 1_000_000


def test_a_reader_beside_its_strike_moves_the_strike_and_shows_no_red() -> None:
    _, known = gate()
    wiring = GateWiring("reader", "door", 2_000, shows_refusal=False)
    split = Gate(wiring, known, keyed_digest(bytes(32)))
    assert split.card(CARD, 100, 100).at_once == (Admit("door", 2_000),)
    assert split.card("26:00", 100, 100).at_once == ()


def test_a_card_from_before_opens_nothing_and_tells_when() -> None:
    made, _ = gate()
    decisions = [made.card_before(card, "2026-01-01 08:00:00") for card in (CARD, "26:00")]
    assert [d.at_once for d in decisions] == [(), ()]
    drafts = [d.drafts[0] for d in decisions]
    assert [(d.node_kind, d.subject) for d in drafts] == [(CARD_SEEN, "r-7"), (CARD_SEEN, "")]
    assert drafts[0].detail == "resident 2026-01-01 08:00:00"
    assert "26:00" not in drafts[1].detail


def test_who_presses_the_button_is_let_out_and_a_door_that_refuses_is_recorded() -> None:
    made, _ = gate()
    decision = made.pressed("door")
    assert [draft.node_kind for draft in decision.drafts] == [EXIT_PRESSED]
    assert decision.at_once == (Admit("gate", 2_000),)
    (draft,) = made.refused_by_device().drafts
    assert (draft.node_kind, draft.subject) == (GATE_REFUSED, "")
