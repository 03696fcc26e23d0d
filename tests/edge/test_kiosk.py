"""A code does what it says, once its record is on the disk."""

import pytest

from agreed.machine import Moment
from agreed.records import (
    CODE_REFUSED,
    COMPARTMENT_OPENED,
    TASK_FINISHED,
    TASK_STARTED,
    Durability,
    Evidence,
)
from edge.decisions import keyed_digest
from edge.kiosk import Kiosk
from edge.known import Known
from edge.lockers import Bank
from firmware_interfaces.observations import Answer, Observation, OpenCompartment, Seen
from tests.edge.stand_in import order

GOOD, BAD = Answer("kiosk", is_good=True), Answer("kiosk", is_good=False)


def kiosk(*, has_bank: bool = True) -> Kiosk:
    known = Known()
    known.learn(order("o-1"))
    bank = Bank("lockers", 2, {}) if has_bank else None
    if bank is not None:
        bank.observed(Observation("lockers", Seen.BACK, Moment(0, 0)))
    return Kiosk("kiosk", bank, known, keyed_digest(bytes(32)))


@pytest.mark.parametrize(
    ("code", "node_kind", "subject"),
    [("o-1-start", TASK_STARTED, "w-1"), ("o-1-finish", TASK_FINISHED, "r-1")],
)
def test_good_is_said_only_when_durable(code: str, node_kind: str, subject: str) -> None:
    decision = kiosk().scanned(code)
    (draft,) = decision.drafts
    assert (draft.node_kind, draft.subject, draft.reference) == (node_kind, subject, "o-1")
    assert draft.evidence is Evidence.KIOSK
    assert decision.durability is Durability.CUSTODY
    assert (decision.at_once, decision.when_durable) == ((), (GOOD,))
    assert decision.when_refused == (BAD,)


def test_a_deposit_opens_a_compartment_after_its_record() -> None:
    decision = kiosk().scanned("o-1-deposit")
    assert [draft.node_kind for draft in decision.drafts] == [COMPARTMENT_OPENED]
    assert decision.when_durable == (GOOD, OpenCompartment("lockers", 1))


@pytest.mark.parametrize(
    ("code", "has_bank", "detail", "reference"),
    [
        ("o-1-collect", True, "nothing_to_collect", "o-1"),
        ("o-1-deposit", False, "no_lockers", "o-1"),
        ("o-9-start", True, keyed_digest(bytes(32))("o-9-start"), ""),
    ],
)
def test_a_refused_code_is_recorded_with_the_reason(
    code: str, has_bank: bool, detail: str, reference: str
) -> None:
    decision = kiosk(has_bank=has_bank).scanned(code)
    (draft,) = decision.drafts
    assert (draft.node_kind, draft.detail) == (CODE_REFUSED, detail)
    assert draft.reference == reference
    assert decision.at_once == (BAD,)
