from typing import Any

import pytest

from firmware_interfaces.contacts.codec import Level, LevelReader, written
from firmware_interfaces.contacts.machine import NO_ECHO, ContactsMachine
from firmware_interfaces.contacts.settings import ContactsLine
from firmware_interfaces.observations import Admit, Answer, Observation, Seen
from tests.firmware_interfaces.worlds import at_ms

OPENED, CLOSED, BACK, LOST = Seen.DOOR_OPENED, Seen.DOOR_CLOSED, Seen.BACK, Seen.LOST
CONTACT, BUTTON, STRIKE = 1, 2, 3


class Chip:
    """A machine and the pins of one door, on one made-up clock."""

    def __init__(self, *, strike_on: int = 1, **door: Any) -> None:
        pins = {"contact": CONTACT, "button": BUTTON, "strike": STRIKE, "debounce_ms": 50}
        table = {"family": "contacts", "port": "/dev/gpiochip0", "strike_on": strike_on}
        table |= {"devices": [{"name": "a"} | pins | door]}
        self.machine = ContactsMachine(ContactsLine.model_validate(table))
        self.said: list[Observation] = []
        self.strike: bool | None = None
        self.is_stuck = False
        self.switches_count = 0
        self.now_ms = 0

    def open(self, *, is_closed: bool = True) -> None:
        self.said += self.machine.line_opened(at_ms(self.now_ms))
        self.level(CONTACT, is_closed)
        self.level(BUTTON, False)

    def level(self, pin: int, is_high: bool) -> None:
        data = written(Level(pin, is_high))
        self.said += self.machine.bytes_received(data, at_ms(self.now_ms))

    def run(self, for_ms: int) -> None:
        for _ in range(for_ms):
            self._switch()
            deadline_ns = self.machine.deadline_ns()
            if deadline_ns is not None and deadline_ns <= at_ms(self.now_ms).mono_ns:
                self.said += self.machine.time_passed(at_ms(self.now_ms))
            self.now_ms += 1

    def _switch(self) -> None:
        for level in LevelReader().feed(self.machine.bytes_to_send()):
            self.switches_count += 1
            if not self.is_stuck:
                self.strike = level.is_high
                self.level(STRIKE, level.is_high)

    def seen(self) -> list[Seen]:
        return [one.seen for one in self.said]


def chip(**door: Any) -> Chip:
    made = Chip(**door)
    made.open()
    made.run(200)
    assert made.seen() == [BACK]
    return made


def test_the_strike_is_let_go_at_the_start_and_after_every_admission() -> None:
    one = chip()
    strikes = [one.strike]
    one.said += one.machine.command(Admit("a", open_ms=1_000), at_ms(one.now_ms))
    for for_ms in (500, 600):
        one.run(for_ms)
        strikes.append(one.strike)
    assert strikes == [False, True, False]
    assert one.seen() == [BACK, Seen.ADMITTED]


def test_a_relay_board_that_wants_low_gets_low() -> None:
    one = chip(strike_on=0)
    strikes = [one.strike]
    one.said += one.machine.command(Admit("a"), at_ms(one.now_ms))
    one.run(10)
    assert [*strikes, one.strike] == [True, False]


def test_a_bouncing_contact_is_one_move() -> None:
    one = chip(says_forced=False)
    for is_closed in (False, True) * 6:
        one.level(CONTACT, is_closed)
        one.run(5)
    assert one.seen() == [BACK]
    one.level(CONTACT, False)
    one.run(100)
    one.level(CONTACT, True)
    one.run(100)
    assert one.seen() == [BACK, OPENED, CLOSED]


def test_forced_held_and_let_out() -> None:
    one = chip(held_s=10)
    one.level(BUTTON, True)
    one.run(60)
    one.level(BUTTON, False)
    one.level(CONTACT, False)
    one.run(60)
    assert one.seen() == [BACK, Seen.PRESSED, OPENED]
    one.run(10_000)
    assert one.seen()[3:] == [Seen.DOOR_HELD]
    one.level(CONTACT, True)
    one.run(100)
    one.level(CONTACT, False)
    one.run(100)
    assert one.seen()[4:] == [CLOSED, OPENED, Seen.DOOR_FORCED]


def test_a_strike_that_does_not_follow_is_lost_and_tried_on() -> None:
    one = Chip()
    one.is_stuck = True
    one.open()
    one.run(1_000)
    assert [(o.seen, o.value) for o in one.said] == [(LOST, NO_ECHO)]
    assert 4 <= one.switches_count <= 6
    one.is_stuck = False
    one.run(300)
    assert one.seen() == [LOST, BACK]
    one.is_stuck = True
    one.machine.command(Admit("a"), at_ms(one.now_ms))
    one.run(1_000)
    refusals = [o.value for o in one.said if o.seen is Seen.REFUSED_BY_DEVICE]
    assert refusals == [NO_ECHO]


def test_a_chip_that_is_gone_loses_its_doors_and_refuses() -> None:
    one = chip()
    one.machine.command(Admit("a"), at_ms(one.now_ms))
    said = one.machine.line_lost(at_ms(one.now_ms))
    said += one.machine.command(Admit("a"), at_ms(one.now_ms))
    assert [o.seen for o in said] == [Seen.REFUSED_BY_DEVICE, LOST, Seen.REFUSED_BY_DEVICE]
    assert one.machine.deadline_ns() is None
    assert one.machine.time_passed(at_ms(10**6)) == []


@pytest.mark.parametrize("command", [Answer("a", is_good=True), Admit("b")])
def test_what_no_door_here_can_do_is_refused(command: Any) -> None:
    said = chip().machine.command(command, at_ms(300))
    assert [o.seen for o in said] == [Seen.REFUSED_BY_DEVICE]


def test_nothing_is_due_while_nothing_moves() -> None:
    one = chip()
    assert one.machine.deadline_ns() is None
