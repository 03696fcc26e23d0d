"""Deeds: what the devices and the people say happened, put together."""

from agreed.directives import CodeAction
from agreed.machine import NS_PER_S, SimulatedDay
from firmware_interfaces.observations import Seen
from simulators.cast import GATES, KIOSK, LOCKER, cast_of
from simulators.devices.far_device import Emission
from simulators.people import DoorUsed, Heard
from simulators.truth import REFUSED, Deed, Witnessed, deeds_of

DAY = SimulatedDay(0, 0, 1_000)
CAST = cast_of(0, 3)
WORKER = CAST.everyone_working()[0]
CODES = {
    "D-1": ("p0001", CodeAction.DEPOSIT),
    "C-1": ("p0001", CodeAction.COLLECT),
    "S-1": ("a0001", CodeAction.START),
}


def emission(device: str, seen: Seen, value: str = "", part: int = 0, at_s: int = 1) -> Emission:
    return Emission(device, seen, value, part, at_s * NS_PER_S)


def told(
    emitted: list[Emission],
    heard: list[Heard] | None = None,
    doors: list[DoorUsed] | None = None,
    killed_s: tuple[int, ...] = (),
) -> list[Deed]:
    killed_ns = [at_s * NS_PER_S for at_s in killed_s]
    witnessed = Witnessed(emitted, heard or [], doors or [], CODES, killed_ns)
    return deeds_of(witnessed, CAST, DAY)


def test_a_card_is_told_by_what_its_holder_was_told() -> None:
    card = emission(GATES[0], Seen.CARD, WORKER.card)
    (admitted,) = told([card], [Heard(GATES[0], WORKER.card, True, 2 * NS_PER_S)])
    (refused,) = told([card], [Heard(GATES[0], WORKER.card, False, 2 * NS_PER_S)])
    (unknown,) = told([card])
    assert admitted == Deed(
        frozenset({(GATES[0], WORKER.id)}),
        frozenset({"gate_passed"}),
        WORKER.id,
        "",
        1_000_000,
        True,
    )
    assert refused.kinds == {"gate_refused"}
    assert set(refused.keys) == {(GATES[0], REFUSED)}
    assert unknown.kinds == {"gate_passed", "gate_refused"}


def test_a_foreign_card_is_nobody() -> None:
    (deed,) = told([emission(GATES[1], Seen.CARD, CAST.foreign_cards[0])])
    assert set(deed.keys) == {(GATES[1], ""), (GATES[1], REFUSED)}
    assert deed.worker == ""


def test_a_code_is_told_by_its_order() -> None:
    heard = [Heard(KIOSK, "S-1", True, 2 * NS_PER_S), Heard(KIOSK, "X", False, 3 * NS_PER_S)]
    codes = [emission(KIOSK, Seen.CODE, "S-1"), emission(KIOSK, Seen.CODE, "X", at_s=2)]
    started, refused = told(codes, heard)
    assert (set(started.keys), set(started.kinds)) == ({(KIOSK, "a0001")}, {"task_started"})
    assert (set(refused.keys), set(refused.kinds)) == ({(KIOSK, REFUSED)}, {"code_refused"})


def test_each_answer_belongs_to_the_try_before_it() -> None:
    tries = [emission(KIOSK, Seen.CODE, "D-1", at_s=at_s) for at_s in (10, 20)]
    heard = [Heard(KIOSK, "D-1", None, 5 * NS_PER_S), Heard(KIOSK, "D-1", True, 21 * NS_PER_S)]
    maybe, unanswered, opened = told(tries, heard, killed_s=(15,))
    assert not maybe.is_owed
    assert maybe.at_ms == 5_000_000
    assert not unanswered.is_owed
    assert set(unanswered.keys) == {(KIOSK, "p0001"), (KIOSK, REFUSED)}
    assert opened.is_owed
    assert opened.kinds == {"compartment_opened"}


def test_a_closed_door_is_told_by_who_pushed_it() -> None:
    doors = [DoorUsed("D-1", 4, 2 * NS_PER_S), DoorUsed("C-1", 4, 4 * NS_PER_S)]
    opened = [emission(LOCKER, Seen.DOOR_OPENED, part=4, at_s=at_s) for at_s in (1, 3)]
    closed = [emission(LOCKER, Seen.DOOR_CLOSED, part=4, at_s=at_s) for at_s in (2, 5)]
    deposited, collected = told(opened + closed, doors=doors)
    assert set(deposited.keys) == set(collected.keys) == {(LOCKER, "4")}
    assert deposited.kinds == {"parcel_deposited"}
    assert deposited.order == "p0001"
    assert collected.kinds == {"parcel_collected"}
    (nobody,) = told([closed[0]])
    assert nobody.kinds == {"parcel_deposited", "parcel_collected"}


def test_when_the_box_was_killed_only_what_was_accepted_is_owed() -> None:
    card = emission(GATES[0], Seen.CARD, WORKER.card)
    code = emission(KIOSK, Seen.CODE, "S-1")
    heard = [Heard(KIOSK, "S-1", True, 2 * NS_PER_S), Heard(GATES[0], "26:0", None, 2 * NS_PER_S)]
    deeds = told([card, code], heard, killed_s=(15,))
    assert [deed.is_owed for deed in deeds] == [False, True, False]


def test_a_box_that_died_while_a_door_stood_open_need_not_know_that_it_closed() -> None:
    moves = [
        emission(LOCKER, Seen.DOOR_OPENED, part=4, at_s=10),
        emission(LOCKER, Seen.DOOR_CLOSED, part=4, at_s=20),
    ]
    doors = [DoorUsed("D-1", 4, 15 * NS_PER_S)]
    for killed_s, is_owed in ((5, True), (9, False), (12, False), (17, True), (25, True)):
        (deed,) = told(moves, doors=doors, killed_s=(killed_s,))
        assert deed.is_owed is is_owed
