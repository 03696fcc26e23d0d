"""Every observation reaches whoever decides about it, and every device is heard of."""

import pytest

from agreed.machine import Moment
from agreed.records import (
    CODE_REFUSED,
    COMPARTMENT_OPENED,
    DEVICE_BACK,
    DEVICE_KEYED,
    DEVICE_LOST,
    DEVICE_POWER,
    DEVICE_TAMPERED,
    GATE_PASSED,
    GATE_REFUSED,
    ClockState,
    Durability,
)
from edge.clock import Stamp
from edge.config import BoxSettings
from edge.decisions import Decision, keyed_digest
from edge.site import Site
from firmware_interfaces.observations import Observation, Seen
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
        "gate": [{"reader": "gate"}],
        "kiosk": [{"scanner": "kiosk", "bank": "lockers"}],
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
        ("gate", Seen.INSTALL_OPENED, "120", [DEVICE_KEYED]),
        ("gate", Seen.POWER_LOST, "", [DEVICE_POWER]),
        ("spare", Seen.CARD, CARD, []),
        ("spare", Seen.LOST, "port", [DEVICE_LOST]),
        ("kiosk", Seen.CODE, "nonsense", [CODE_REFUSED]),
        ("kiosk", Seen.BACK, "", [DEVICE_BACK]),
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
    assert made.time_passed(NOW) == []
    assert kinds(made.time_passed(Moment(0, deadline_ns))) == ["parcel_deposited"]


def test_devices_that_do_not_answer_are_known() -> None:
    made = site()
    see(made, "gate", Seen.LOST)
    see(made, "kiosk", Seen.LOST)
    see(made, "gate", Seen.BACK)
    assert made.lost == {"kiosk"}


def test_what_became_of_a_key_is_in_the_record() -> None:
    (decision,) = see(site(), "gate", Seen.INSTALL_CLOSED, "keyed")
    assert decision.drafts[0].detail == "install_closed keyed"
    assert decision.durability is Durability.PASSAGE
