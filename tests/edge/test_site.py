"""Every observation reaches whoever decides about it, and every device is heard of."""

import pytest

from agreed import records
from agreed.machine import Moment
from agreed.records import (
    CODE_REFUSED,
    COMPARTMENT_OPENED,
    DEVICE_BACK,
    DEVICE_LOST,
    DEVICE_TAMPERED,
    GATE_PASSED,
    GATE_REFUSED,
    ClockState,
    Durability,
)
from edge.clock import Stamp
from edge.config import BoxSettings
from edge.decisions import Decision, keyed_digest
from edge.site import BY_ROLE, NOT_JOURNALED, OF_A_DOOR, OF_THE_DEVICE, Site
from firmware_interfaces.observations import Admit, Observation, Refuse, Seen
from tests.edge.stand_in import CARD, KEY, credential, order

NOW = Moment(0, 0)
STAMP = Stamp(0, 1_000, 1, ClockState.SYNCED)
SETTINGS = BoxSettings.model_validate(
    {
        "company": "a",
        "site": "b",
        "box": "c",
        "data": "data",
        "headquarters": {"url": "mqtt://h"},
        "gate": [
            {"reader": "gate"},
            {"reader": "in", "opener": "door", "button": "door"},
            {"reader": "out", "opener": "door"},
            {"reader": "heard"},
        ],
        "kiosk": [{"scanner": "kiosk", "bank": "lockers"}],
        "place": [{"radio": "lobby", "beacons": [{"name": "cart", "identity": "uid:1"}]}],
        "line": [
            {
                "family": "osdp",
                "port": "/a",
                "devices": [
                    {"name": "gate", "address": 0, "key": KEY},
                    {"name": "spare", "address": 1, "key": KEY},
                ],
            },
            {"family": "locker_cu16", "port": "/b", "devices": [{"name": "lockers"}]},
            {"family": "scanner", "port": "/c", "devices": [{"name": "kiosk"}]},
            {"family": "wiegand", "port": "/d", "devices": [{"name": "in"}]},
            {"family": "wiegand", "port": "/e", "devices": [{"name": "out"}]},
            {
                "family": "osdp",
                "port": "/f",
                "mode": "listen",
                "devices": [{"name": "heard", "address": 0}],
            },
            {
                "family": "contacts",
                "port": "/dev/gpiochip0",
                "devices": [{"name": "door", "strike": 1, "contact": 2, "button": 3}],
            },
            {"family": "ble", "port": "ble://hci0", "devices": [{"name": "lobby"}]},
        ],
    }
)


def site(kept: dict[str, str] | None = None) -> Site:
    made = Site(SETTINGS, kept or {}, keyed_digest(bytes(32)))
    made.known.learn(credential())
    made.known.learn(order("o-1"))
    return made


def see(made: Site, device: str, seen: Seen, value: str = "", part: int = 0) -> list[Decision]:
    return made.observed(Observation(device, seen, NOW, value, part), STAMP)


def kinds(decisions: list[Decision]) -> list[str]:
    return [draft.node_kind for decision in decisions for draft in decision.drafts]


@pytest.mark.parametrize(
    ("device", "seen", "value", "expected"),
    [
        ("gate", Seen.CARD, CARD, [GATE_PASSED]),
        ("gate", Seen.CARD, "26:00", [GATE_REFUSED]),
        ("gate", Seen.KEYS, "1234", [GATE_REFUSED]),
        ("gate", Seen.REFUSED_BY_DEVICE, "", []),
        ("gate", Seen.ADMITTED, "", []),
        ("gate", Seen.TAMPERED, "", [DEVICE_TAMPERED]),
        ("spare", Seen.CARD, CARD, []),
        ("spare", Seen.LOST, "port", [DEVICE_LOST]),
        ("kiosk", Seen.CODE, "nonsense", [CODE_REFUSED]),
        ("kiosk", Seen.BACK, "", [DEVICE_BACK]),
        ("gate", Seen.CARD_BEFORE, CARD + " 2026-01-01 08:00:00", [records.CARD_SEEN]),
        ("gate", Seen.REKEYED, "", [records.DEVICE_KEYED]),
        ("gate", Seen.INSTALL_OPENED, "120", [records.DEVICE_KEYED]),
        ("gate", Seen.POWER_LOST, "", [records.DEVICE_POWER]),
        ("spare", Seen.REFUSED_BY_DEVICE, "no such output", [records.DEVICE_REFUSED]),
        ("spare", Seen.REFUSED_BY_DEVICE, "lost", []),
        ("in", Seen.CARD, CARD, [GATE_PASSED]),
        ("door", Seen.PRESSED, "", [records.EXIT_PRESSED]),
        ("door", Seen.DOOR_OPENED, "", [records.DOOR_OPENED]),
        ("door", Seen.DOOR_CLOSED, "", [records.DOOR_CLOSED]),
        ("door", Seen.DOOR_FORCED, "", [records.DOOR_FORCED]),
        ("door", Seen.DOOR_HELD, "30", [records.DOOR_HELD]),
        ("door", Seen.CLASHED, "unit 2", [records.DEVICE_CLASHED]),
        ("heard", Seen.CARD, CARD, [records.CARD_SEEN]),
        ("heard", Seen.CARD, "26:00", [records.CARD_SEEN]),
        ("heard", Seen.KEYS, "1234", []),
        ("heard", Seen.ADMITTED, "", []),
        ("heard", Seen.UNREADABLE, "", [records.DEVICE_UNREADABLE]),
        ("lobby", Seen.ENTERED, "uid:1", [records.BEACON_SEEN]),
        ("lobby", Seen.LEFT, "uid:1", [records.BEACON_GONE]),
        ("lobby", Seen.ENTERED, "uid:stranger", []),
        ("lobby", Seen.LOST, "port", [DEVICE_LOST]),
        ("lockers", Seen.DOOR_FORCED, "", [records.DOOR_FORCED]),
        ("lockers", Seen.DOOR_STUCK, "", ["compartment_stuck"]),
        ("lockers", Seen.TAMPERED, "", [DEVICE_TAMPERED]),
    ],
)
def test_who_decides(device: str, seen: Seen, value: str, expected: list[str]) -> None:
    assert kinds(see(site(), device, seen, value, 1)) == expected


def test_the_kiosk_opens_the_bank_beside_it() -> None:
    made = site()
    assert kinds(see(made, "lockers", Seen.BACK)) == [DEVICE_BACK]
    (decision,) = see(made, "kiosk", Seen.CODE, "o-1-deposit")
    assert kinds([decision]) == [COMPARTMENT_OPENED]
    made.not_kept(decision.keep, {}, NOW)
    assert kinds(see(made, "kiosk", Seen.CODE, "o-1-deposit")) == [COMPARTMENT_OPENED]
    assert [d.keep for d in made.order_ended("o-1")] == [{"locker/lockers/1": None}]
    assert made.order_ended("o-1") == []


def test_what_was_kept_is_concluded_in_time() -> None:
    made = site({"locker/lockers/2": '["deposit_open", "o-1", "w-1"]'})
    assert made.deadline_ns() is None
    see(made, "lockers", Seen.BACK)
    deadline_ns = made.deadline_ns()
    assert deadline_ns is not None
    assert made.time_passed(NOW, STAMP) == []
    assert kinds(made.time_passed(Moment(0, deadline_ns), STAMP)) == ["parcel_deposited"]


def test_devices_that_do_not_answer_are_known() -> None:
    made = site()
    see(made, "gate", Seen.LOST)
    see(made, "kiosk", Seen.LOST)
    see(made, "gate", Seen.BACK)
    assert made.lost == {"kiosk"}


def test_everything_that_a_device_can_say_is_somebodys_business() -> None:
    assert BY_ROLE | NOT_JOURNALED | set(OF_THE_DEVICE) | set(OF_A_DOOR) == set(Seen)


def test_an_opener_of_two_gates_answers_to_the_one_that_told_it() -> None:
    made = site()
    made.known.learn(credential("26:ff", "w-2"))
    commands = [d.at_once for d in see(made, "in", Seen.CARD, CARD)]
    commands += [d.at_once for d in see(made, "out", Seen.CARD, "26:ff")]
    assert commands == [(Admit("door"),)] * 2
    assert see(made, "door", Seen.ADMITTED) == []
    (decision,) = see(made, "door", Seen.REFUSED_BY_DEVICE, "the pin does not follow")
    assert [(d.device, d.subject, d.detail) for d in decision.drafts] == [
        ("out", "w-2", "device_refused")
    ]


def test_a_button_opens_its_gate_and_only_a_reader_that_can_shows_red() -> None:
    made = site()
    (decision,) = see(made, "door", Seen.PRESSED)
    assert decision.at_once == (Admit("door"),)
    assert [d.at_once for d in see(made, "in", Seen.CARD, "26:00")] == [()]
    assert [d.at_once for d in see(made, "gate", Seen.CARD, "26:00")] == [(Refuse("gate"),)]


def test_new_settings_change_roles_and_a_bank_knows_what_it_knew() -> None:
    made = site({"locker/lockers/2": '["held", "o-1", "w-1"]'})
    see(made, "lockers", Seen.BACK)
    see(made, "in", Seen.LOST)
    made.settings_changed(SETTINGS.model_copy(update={"gate": ()}), {})
    assert see(made, "gate", Seen.CARD, CARD) == []
    assert made.holds("lockers", 2)
    assert not made.holds("lockers", 3)
    assert kinds(see(made, "kiosk", Seen.CODE, "o-1-collect")) == [COMPARTMENT_OPENED]
    made.removed(["in", "lockers"])
    assert (made.lost, made.back) == (set(), set())


def test_what_became_of_a_key_is_in_the_record() -> None:
    (decision,) = see(site(), "gate", Seen.INSTALL_CLOSED, "keyed")
    assert decision.drafts[0].detail == "install_closed keyed"
    assert decision.durability is Durability.PASSAGE


def test_a_passage_that_another_controller_decided_is_recorded_and_nothing_is_commanded() -> None:
    made = site()
    decisions = [*see(made, "heard", Seen.CARD, CARD), *see(made, "heard", Seen.ADMITTED)]
    assert kinds(decisions) == [records.CARD_SEEN, GATE_PASSED]
    assert [decision.at_once for decision in decisions] == [(), ()]


def test_who_is_near_stays_near_when_settings_change_and_leaves_when_the_radio_ends() -> None:
    made = site()
    made.known.learn(credential("uid:7", "w-7"))
    assert kinds(see(made, "lobby", Seen.ENTERED, "uid:7")) == [records.STAFF_PRESENT]
    assert made.removed(["gate"]) == []
    place = SETTINGS.place[0].model_copy(update={"beacons": ()})
    made.settings_changed(SETTINGS.model_copy(update={"place": (place,)}), {})
    assert kinds(see(made, "lobby", Seen.ENTERED, "uid:1")) == []  # no beacon any more
    assert kinds(see(made, "lobby", Seen.LEFT, "uid:7")) == [records.STAFF_LEFT]

    see(made, "lobby", Seen.ENTERED, "uid:7")
    (gone,) = made.removed(["lobby"])
    assert [(d.node_kind, d.subject, d.detail) for d in gone.drafts] == [
        (records.STAFF_LEFT, "w-7", "radio_unwatched")
    ]
    assert kinds(see(made, "lobby", Seen.ENTERED, "uid:7")) == [records.STAFF_PRESENT]


def test_what_a_device_says_of_itself_is_kept_until_its_line_ends() -> None:
    made = site()
    assert see(made, "gate", Seen.DESCRIBED, "maker 000ee3") == []
    assert made.described == {"gate": "maker 000ee3"}
    made.removed(["gate"])
    assert made.described == {}
