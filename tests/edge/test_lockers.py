"""A compartment is never given twice, never forgotten, and opens only after its record."""

import random

import pytest

from agreed.machine import NS_PER_S, Moment
from agreed.records import (
    COMPARTMENT_OPENED,
    COMPARTMENT_STUCK,
    DEVICE_TAMPERED,
    PARCEL_COLLECTED,
    PARCEL_DEPOSITED,
    Durability,
)
from edge.decisions import NOTHING, Decision
from edge.lockers import SETTLE_S, Bank, Holding, Phase, Refusal
from firmware_interfaces.observations import Answer, Observation, OpenCompartment, Seen

NOW = Moment(0, 0)
LATER = Moment(0, SETTLE_S * NS_PER_S)


class Box:
    """A bank with the state that a journal would keep for it."""

    def __init__(self, compartments: int = 3, kept: dict[str, str] | None = None) -> None:
        self.kept = kept if kept is not None else {}
        self.compartments = compartments
        self.bank = Bank("lockers", compartments, self.kept)
        self.see(Seen.BACK)

    def take(self, decision: Decision) -> Decision:
        for name, text in decision.keep.items():
            if text is None:
                self.kept.pop(name, None)
            else:
                self.kept[name] = text
        return decision

    def see(self, seen: Seen, part: int = 0) -> Decision:
        return self.take(self.bank.observed(Observation("lockers", seen, NOW, part=part)))

    def deposit(self, order: str) -> Decision | Refusal:
        answer = self.bank.deposit(order, "w-1", "kiosk")
        return answer if isinstance(answer, Refusal) else self.take(answer)

    def collect(self, order: str) -> Decision | Refusal:
        answer = self.bank.collect(order, "r-1", "kiosk")
        return answer if isinstance(answer, Refusal) else self.take(answer)

    def hold(self, order: str, part: int) -> None:
        self.deposit(order)
        self.see(Seen.DOOR_OPENED, part)
        self.see(Seen.DOOR_CLOSED, part)

    def killed(self) -> "Box":
        """Begin again from what was kept."""
        return Box(self.compartments, self.kept)


def only(decision: Decision | Refusal) -> tuple[str, str, str, str]:
    assert isinstance(decision, Decision)
    (draft,) = decision.drafts
    return draft.node_kind, draft.subject, draft.reference, draft.detail


def test_a_parcel_goes_in_and_comes_out() -> None:
    box = Box()
    opened = box.deposit("o-1")
    assert only(opened) == (COMPARTMENT_OPENED, "w-1", "o-1", "1")
    assert isinstance(opened, Decision)
    assert opened.durability is Durability.CUSTODY
    assert opened.at_once == ()
    assert opened.when_durable[-1] == OpenCompartment("lockers", 1)
    assert opened.when_refused == (Answer("kiosk", is_good=False),)
    assert box.see(Seen.DOOR_OPENED, 1).drafts == ()
    assert only(box.see(Seen.DOOR_CLOSED, 1)) == (PARCEL_DEPOSITED, "w-1", "o-1", "1")
    assert only(box.collect("o-1")) == (COMPARTMENT_OPENED, "r-1", "o-1", "1")
    box.see(Seen.DOOR_OPENED, 1)
    assert only(box.see(Seen.DOOR_CLOSED, 1)) == (PARCEL_COLLECTED, "r-1", "o-1", "1")
    assert (box.bank.holdings, box.kept) == ({}, {})


def test_refusals_by_precedence() -> None:
    box = Box(compartments=1)
    assert box.collect("o-1") is Refusal.NOTHING_TO_COLLECT
    box.deposit("o-1")
    assert box.collect("o-1") is Refusal.NOTHING_TO_COLLECT
    assert box.deposit("o-2") is Refusal.FULL
    box.see(Seen.DOOR_OPENED, 1)
    box.see(Seen.DOOR_CLOSED, 1)
    assert box.deposit("o-1") is Refusal.DEPOSITED_BEFORE
    box.see(Seen.LOST)
    assert box.deposit("o-2") is Refusal.LOST
    assert box.collect("o-1") is Refusal.LOST


def test_a_second_scan_before_closing_opens_the_same_compartment() -> None:
    box = Box()
    box.deposit("o-1")
    assert only(box.deposit("o-1"))[-1] == "1"
    box.see(Seen.DOOR_OPENED, 1)
    assert only(box.deposit("o-1"))[-1] == "1"
    assert only(box.see(Seen.DOOR_CLOSED, 1))[0] == PARCEL_DEPOSITED


def test_a_stuck_door_leads_to_another_compartment() -> None:
    box = Box(compartments=2)
    box.deposit("o-1")
    decision = box.see(Seen.DOOR_STUCK, 1)
    assert [(d.node_kind, d.detail) for d in decision.drafts] == [
        (COMPARTMENT_STUCK, "1"),
        (COMPARTMENT_OPENED, "2"),
    ]
    assert decision.when_durable[-1] == OpenCompartment("lockers", 2)
    assert list(box.bank.holdings) == [2]
    decision = box.see(Seen.DOOR_STUCK, 2)
    assert [d.node_kind for d in decision.drafts] == [COMPARTMENT_STUCK]
    assert decision.at_once == (Answer("kiosk", is_good=False),)
    assert box.bank.holdings == {}
    assert box.deposit("o-2") is Refusal.FULL
    box.see(Seen.DOOR_OPENED, 2)
    box.see(Seen.DOOR_CLOSED, 2)
    assert only(box.deposit("o-2"))[-1] == "2"


def test_a_parcel_behind_a_stuck_door_stays_held() -> None:
    box = Box()
    box.hold("o-1", 1)
    box.collect("o-1")
    decision = box.see(Seen.DOOR_STUCK, 1)
    assert only(decision) == (COMPARTMENT_STUCK, "r-1", "o-1", "1")
    assert decision.at_once == (Answer("kiosk", is_good=False),)
    assert box.bank.holdings[1].phase is Phase.HELD
    assert only(box.collect("o-1"))[0] == COMPARTMENT_OPENED


def test_a_refused_command_keeps_the_compartment_for_its_order() -> None:
    box = Box()
    box.deposit("o-1")
    decision = box.take(
        box.bank.observed(Observation("lockers", Seen.REFUSED_BY_DEVICE, NOW, value="lost", part=1))
    )
    assert only(decision) == (COMPARTMENT_STUCK, "w-1", "o-1", "1 lost")
    box.see(Seen.DOOR_OPENED, 1)
    assert only(box.see(Seen.DOOR_CLOSED, 1))[0] == PARCEL_DEPOSITED


def test_a_door_that_nobody_asked_for_is_recorded() -> None:
    box = Box()
    assert only(box.see(Seen.DOOR_OPENED, 2)) == (DEVICE_TAMPERED, "", "", "2 open_unasked")
    assert only(box.deposit("o-1"))[-1] == "1"
    assert only(box.deposit("o-2"))[-1] == "3"
    assert box.see(Seen.DOOR_CLOSED, 2) is NOTHING
    box.hold("o-3", 2)
    assert only(box.see(Seen.DOOR_OPENED, 2)) == (DEVICE_TAMPERED, "", "o-3", "2 open_unasked")
    assert box.see(Seen.DOOR_CLOSED, 2) is NOTHING
    assert box.bank.holdings[2].phase is Phase.HELD


def test_a_kill_between_record_and_door_keeps_the_compartment_reserved() -> None:
    box = Box()
    box.deposit("o-1")
    box = box.killed()
    assert box.bank.holdings[1] == Holding(Phase.DEPOSITING, "o-1", "w-1")
    assert box.bank.time_passed(LATER) == []
    assert only(box.deposit("o-1"))[-1] == "1"


@pytest.mark.parametrize("is_deposit", [True, False])
def test_a_door_that_closed_while_the_box_was_dead_is_concluded(is_deposit: bool) -> None:
    box = Box()
    if is_deposit:
        box.deposit("o-1")
    else:
        box.hold("o-1", 1)
        box.collect("o-1")
    box.see(Seen.DOOR_OPENED, 1)
    box = box.killed()
    assert box.bank.deadline_ns() == LATER.mono_ns
    assert box.bank.time_passed(NOW) == []
    (decision,) = box.bank.time_passed(LATER)
    kind = PARCEL_DEPOSITED if is_deposit else PARCEL_COLLECTED
    assert only(box.take(decision))[::3] == (kind, "1 found_closed")
    assert box.bank.time_passed(LATER) == []


def test_a_door_that_still_stands_open_after_a_kill_is_waited_for() -> None:
    box = Box()
    box.deposit("o-1")
    box.see(Seen.DOOR_OPENED, 1)
    box = box.killed()
    assert box.see(Seen.DOOR_OPENED, 1) is NOTHING
    assert box.bank.time_passed(LATER) == []
    assert only(box.see(Seen.DOOR_CLOSED, 1)) == (PARCEL_DEPOSITED, "w-1", "o-1", "1")


def test_what_the_journal_refused_is_taken_back_and_tried_again() -> None:
    box = Box()
    decision = box.bank.deposit("o-1", "w-1", "kiosk")
    assert isinstance(decision, Decision)
    box.bank.refused(decision.keep, box.kept, NOW)
    assert box.bank.holdings == {}
    box.deposit("o-1")
    box.see(Seen.DOOR_OPENED, 1)
    closed = box.bank.observed(Observation("lockers", Seen.DOOR_CLOSED, NOW, part=1))
    box.bank.refused(closed.keep, box.kept, NOW)
    (again,) = box.bank.time_passed(LATER)
    assert only(again)[0] == PARCEL_DEPOSITED


def test_nothing_is_concluded_about_the_doors_of_a_bank_that_is_away() -> None:
    box = Box()
    box.deposit("o-1")
    box.see(Seen.DOOR_OPENED, 1)
    box.see(Seen.LOST)
    box.bank.refused({}, box.kept, NOW)
    assert box.bank.time_passed(LATER) == []
    box.see(Seen.BACK)
    (decision,) = box.bank.time_passed(LATER)
    assert only(decision)[::3] == (PARCEL_DEPOSITED, "1 found_closed")


def test_the_end_of_an_order_frees_what_it_never_used() -> None:
    box = Box()
    box.deposit("o-1")
    box.hold("o-2", 2)
    box.take(box.bank.order_ended("o-1"))
    assert box.bank.order_ended("o-2") is NOTHING
    assert box.bank.order_ended("o-3") is NOTHING
    assert list(box.bank.holdings) == [2]


def step(box: Box, dice: random.Random) -> None:
    order, part = f"o-{dice.randrange(4)}", dice.randrange(1, 4)
    match dice.randrange(6):
        case 0:
            box.deposit(order)
        case 1:
            box.collect(order)
        case 2:
            box.take(box.bank.order_ended(order))
        case 3:
            for decision in box.bank.time_passed(LATER):
                box.take(decision)
        case _:
            doors = (Seen.DOOR_OPENED, Seen.DOOR_CLOSED, Seen.DOOR_STUCK, Seen.REFUSED_BY_DEVICE)
            box.see(dice.choice(doors), part)


@pytest.mark.parametrize("seed", range(25))
def test_whatever_happens_no_compartment_serves_two_orders(seed: int) -> None:
    dice = random.Random(seed)
    box = Box(compartments=3)
    for _ in range(300):
        step(box, dice)
        if dice.random() < 0.05:
            box = box.killed()
        orders = [holding.order for holding in box.bank.holdings.values()]
        assert len(orders) == len(set(orders))
        restored = Bank("lockers", 3, box.kept).holdings
        assert {p: (h.phase, h.order) for p, h in restored.items()} == {
            p: (h.phase, h.order) for p, h in box.bank.holdings.items()
        }
