from typing import Any

import pytest

from firmware_interfaces.discovery.rehearsal import (
    WAIT_S,
    Act,
    Outcome,
    Rehearsal,
    steps_for,
)
from firmware_interfaces.observations import Admit, Observation, OpenCompartment, Seen
from firmware_interfaces.settings import read_line_settings
from tests.firmware_interfaces.worlds import FAMILIES, at_ms


def rehearsal(family: str) -> Rehearsal:
    line = read_line_settings({**FAMILIES[family].table, "port": "/dev/a"})
    return Rehearsal("device", steps_for(line, "device", part=3))


def said(seen: Seen, value: str = "", device: str = "device") -> Observation:
    return Observation(device, seen, at_ms(1), value=value)


@pytest.mark.parametrize(
    ("family", "acts"),
    [
        ("osdp", [Act.WAIT, Act.TAP, Act.WATCH_GREEN, Act.WATCH_RED]),
        ("wiegand", [Act.WAIT, Act.TAP]),
        ("locker", [Act.WAIT, Act.OPEN, Act.CLOSE]),
        ("scanner", [Act.WAIT, Act.SCAN, Act.HEAR_BEEP]),
        ("modbus", [Act.WAIT, Act.WATCH_GREEN, Act.PULL, Act.CLOSE, Act.PRESS]),
    ],
)
def test_each_family_is_led_through(family: str, acts: list[Act]) -> None:
    one = rehearsal(family)
    assert [step.act for step in one._steps] == acts


def test_a_board_on_the_network_is_led_through() -> None:
    table: dict[str, Any] = {"family": "uhppote", "port": "udp://h:60000", "serial": 1}
    line = read_line_settings(table | {"devices": [{"name": "device", "door": 1}]})
    steps = steps_for(line, "device")
    assert [step.act for step in steps] == [Act.WAIT, Act.TAP, Act.WATCH_GREEN]


def test_steps_follow_what_is_seen() -> None:
    one = rehearsal("locker")
    assert one.begin(at_ms(0)) is None
    assert not one.observed(said(Seen.BACK, device="other"))
    assert one.observed(said(Seen.BACK))
    assert not one.observed(said(Seen.DOOR_OPENED)), "a step has to be begun"
    assert one.begin(at_ms(1)) == OpenCompartment("device", 3)
    assert one.observed(said(Seen.DOOR_OPENED))
    one.begin(at_ms(2))
    assert one.observed(said(Seen.DOOR_CLOSED))
    assert one.step is None
    assert one.begin(at_ms(3)) is None
    assert not one.observed(said(Seen.DOOR_CLOSED))
    assert [result.outcome for result in one.results] == [Outcome.SEEN] * 3


def test_what_is_not_seen_in_time_and_what_is_refused_is_told() -> None:
    one = rehearsal("osdp")
    one.begin(at_ms(0))
    assert not one.time_passed(at_ms(1_000 * WAIT_S - 1))
    assert one.time_passed(at_ms(1_000 * WAIT_S))
    assert not one.time_passed(at_ms(9_000 * WAIT_S))
    one.begin(at_ms(0))
    assert not one.told(was_seen=True), "the device has to say that itself"
    assert one.observed(said(Seen.CARD, "26:32721040"))
    assert isinstance(one.begin(at_ms(0)), Admit)
    assert one.observed(said(Seen.REFUSED_BY_DEVICE, "reader has no such output"))
    one.begin(at_ms(0))
    assert one.told(was_seen=False)
    assert [(r.outcome, r.value) for r in one.results] == [
        (Outcome.NOT_SEEN, ""),
        (Outcome.SEEN, "26:32721040"),
        (Outcome.REFUSED, "reader has no such output"),
        (Outcome.NOT_SEEN, ""),
    ]
