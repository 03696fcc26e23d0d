from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_interfaces.modbus.codec import read_inputs
from firmware_interfaces.modbus.machine import ModbusMachine
from firmware_interfaces.modbus.settings import ModbusLine
from firmware_interfaces.observations import Admit, Observation, Refuse, Seen
from simulators.devices.door_board import DoorBoard
from tests.firmware_interfaces.worlds import at_ms

LOST, BACK, OPENED, CLOSED = Seen.LOST, Seen.BACK, Seen.DOOR_OPENED, Seen.DOOR_CLOSED


class World:
    """A machine and two boards, units 1 and 2, on one made-up clock."""

    def __init__(self, **door: Any) -> None:
        shared = {"strike": 0, "contact": 0, "button": 1} | door
        doors = [{"name": "a", "unit": 1} | shared, {"name": "b", "unit": 2} | shared]
        table = {"family": "modbus", "port": "/dev/a", "devices": doors}
        self.machine = ModbusMachine(ModbusLine.model_validate(table))
        self.boards = [DoorBoard("a", unit=1), DoorBoard("b", unit=2)]
        for board in self.boards:
            board.send = self._send
        self.said: list[Observation] = []
        self.now_ms = 0
        self._on_wire: list[tuple[int, bytes]] = []

    def _send(self, data: bytes, crossed: Any = None) -> None:
        del crossed
        self._on_wire.append((self.now_ms + 8, data))

    def open(self) -> None:
        self.said += self.machine.line_opened(at_ms(self.now_ms))

    def tell(self, command: Admit | Refuse) -> None:
        self.said += self.machine.command(command, at_ms(self.now_ms))

    def run(self, for_ms: int) -> None:
        for _ in range(for_ms):
            now = at_ms(self.now_ms)
            while self._on_wire and self._on_wire[0][0] <= self.now_ms:
                self.said += self.machine.bytes_received(self._on_wire.pop(0)[1], now)
            deadline_ns = self.machine.deadline_ns()
            if deadline_ns is not None and deadline_ns <= now.mono_ns:
                self.said += self.machine.time_passed(now)
            if request := self.machine.bytes_to_send():
                for board in self.boards:
                    board.hear(request)
            self.now_ms += 1

    def seen(self, device: str = "a") -> list[Seen]:
        return [o.seen for o in self.said if o.device == device]


def world(**door: Any) -> World:
    fresh = World(**door)
    fresh.open()
    fresh.run(500)
    assert fresh.seen() == fresh.seen("b") == [BACK]
    return fresh


def test_somebody_is_let_through_and_the_strike_is_let_go() -> None:
    one = world()
    one.tell(Admit("a", open_ms=1_000))
    one.run(100)
    was_released = one.boards[0].is_released
    one.boards[0].is_open = True
    one.run(600)
    one.boards[0].is_open = False
    one.run(600)
    assert (was_released, one.boards[0].is_released) == (True, False)
    assert one.seen() == [BACK, Seen.ADMITTED, OPENED, CLOSED]
    assert not one.boards[1].released_count


def test_a_door_that_nobody_let_open_is_forced() -> None:
    one = world()
    one.boards[0].is_open = True
    one.run(500)
    assert one.seen() == [BACK, OPENED, Seen.DOOR_FORCED]


def test_an_exit_button_lets_the_door_be_opened() -> None:
    one = world()
    one.boards[0].is_pressed = True
    one.run(300)
    one.boards[0].is_open, one.boards[0].is_pressed = True, False
    one.run(300)
    assert one.seen() == [BACK, Seen.PRESSED, OPENED]


def test_chatter_is_not_a_door() -> None:
    one = world(debounce_ms=200)
    for _ in range(20):
        one.boards[0].is_open = not one.boards[0].is_open
        one.run(70)
    assert one.seen() == [BACK]


def test_a_door_held_open_is_said_once() -> None:
    one = world(held_s=2)
    one.boards[0].is_open = True
    one.run(6_000)
    assert one.seen().count(Seen.DOOR_HELD) == 1


def test_a_door_found_open_is_said_and_is_not_forced() -> None:
    one = World()
    one.boards[0].is_open = True
    one.open()
    one.run(500)
    assert one.seen() == [BACK, OPENED]


def test_the_other_polarity() -> None:
    one = World(closed_when=0, pressed_when=0)
    for board in one.boards:
        board.is_open = board.is_pressed = True
    one.open()
    one.run(500)
    one.boards[0].is_open = False
    one.run(300)
    assert one.seen() == [BACK, OPENED, Seen.DOOR_FORCED]


def test_a_silent_board_is_lost_once_and_its_neighbour_works_on() -> None:
    one = world()
    one.boards[0].is_silent = True
    one.run(4_000)
    one.tell(Admit("a"))
    one.tell(Admit("b"))
    one.run(500)
    assert one.seen() == [BACK, LOST, Seen.REFUSED_BY_DEVICE]
    assert one.seen("b") == [BACK, Seen.ADMITTED]
    one.boards[0].is_silent = False
    one.run(3_000)
    assert one.seen()[-1] is BACK
    assert one.boards[0].released_count == 0


def test_a_strike_that_was_left_pulled_is_let_go_first() -> None:
    one = World()
    one.boards[0].is_released = True
    one.open()
    one.run(100)
    assert not one.boards[0].is_released


def test_an_admission_that_the_board_refuses_is_refused() -> None:
    one = world()
    one.boards[0].exception = 4
    one.tell(Admit("a"))
    one.tell(Admit("a"))
    one.run(500)
    assert [o.value for o in one.said if o.seen is Seen.REFUSED_BY_DEVICE] == [
        "board refuses (4)",
        "board refuses (4)",
    ]


def test_an_admission_that_nobody_answers_is_refused_and_never_carried_out() -> None:
    one = world()
    one.boards[0].is_silent = True
    one.tell(Admit("a"))
    one.run(3_000)
    one.boards[0].is_silent = False
    one.run(3_000)
    assert one.seen() == [BACK, Seen.REFUSED_BY_DEVICE, LOST, BACK]
    assert one.boards[0].released_count == 0


def test_what_is_refused() -> None:
    one = world(strike=None)
    one.tell(Admit("a"))
    one.tell(Refuse("a"))
    one.tell(Admit("c"))
    values = [o.value for o in one.said if o.seen is Seen.REFUSED_BY_DEVICE]
    assert values == ["door has no strike"] + ["not a command for this device"] * 2


def test_a_lost_line_refuses_what_waits() -> None:
    one = world()
    one.tell(Admit("a"))
    lost = one.machine.line_lost(at_ms(one.now_ms))
    assert [(o.device, o.seen) for o in lost] == [
        ("a", Seen.REFUSED_BY_DEVICE),
        ("a", LOST),
        ("b", LOST),
    ]
    assert one.machine.deadline_ns() is None
    assert one.machine.time_passed(at_ms(9_000)) == []


def test_inputs_that_a_board_does_not_have() -> None:
    one = World(contact=9)
    one.open()
    one.run(500)
    assert [(o.seen, o.value) for o in one.said if o.device == "a"] == [(LOST, "no such inputs")]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 60)), max_size=20))
def test_hostile_bytes_never_raise_and_never_stop_the_line(steps: list[tuple[bytes, int]]) -> None:
    one = world()
    for data, pause_ms in steps:
        one.said += one.machine.bytes_received(data, at_ms(one.now_ms))
        one.run(pause_ms)
    one.said.clear()
    one.tell(Admit("a"))
    one.run(1_000)
    assert Seen.ADMITTED in one.seen()


@pytest.mark.parametrize("open_ms", [1, 10_000_000])
def test_how_long_a_strike_is_pulled_is_bounded(open_ms: int) -> None:
    one = world()
    one.tell(Admit("a", open_ms=open_ms))
    one.run(61_000)
    assert (one.boards[0].released_count, one.boards[0].is_released) == (1, False)


def test_two_boards_with_one_number_are_named_once() -> None:
    one = World()
    one.boards.append(DoorBoard("b again", unit=2))
    one.boards[2].send = one._send
    one.open()
    one.run(1_000)
    clashes = [(o.device, o.value) for o in one.said if o.seen is Seen.CLASHED]
    assert clashes == [("b", "unit 2")]


def test_a_late_answer_of_another_question_is_no_clash() -> None:
    one = world()
    one.machine.bytes_received(read_inputs(2, 1), at_ms(one.now_ms))
    one.boards[0].is_silent = True
    one.run(2_000)
    assert Seen.CLASHED not in one.seen() + one.seen("b")
