from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_interfaces.locker.kinds import KINDS
from firmware_interfaces.locker.machine import ATTEMPTS_COUNT_MAX, JOBS_COUNT_MAX, LockerMachine
from firmware_interfaces.locker.settings import LockerLine
from firmware_interfaces.observations import Admit, Observation, OpenCompartment, Seen
from simulators.devices.locker_bank import LockerBank
from tests.firmware_interfaces.worlds import at_ms


class World:
    """A machine and its boards on one made-up clock; an answer takes `delay_ms`."""

    def __init__(
        self,
        *,
        delay_ms: int = 8,
        hook_when_locked: int = 1,
        kind: str = "locker_cu16",
        compartments: int = 24,
        **device: int,
    ) -> None:
        shared = {
            "compartments": compartments,
            "hook_when_locked": hook_when_locked,
            "address": KINDS[kind].numbers[0],
        }
        table = {
            "family": kind,
            "port": "/dev/ttyUSB0",
            "devices": [{"name": "bank"} | shared | device],
        }
        self.machine = LockerMachine(LockerLine.model_validate(table))
        self.bank = LockerBank("bank", kind=kind, **shared)
        self.bank.send = self._send
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        self.sent: list[bytes] = []
        self.said: list[Observation] = []
        self.now_ms = 0
        self._delay_ms = delay_ms
        self._on_wire: list[tuple[int, bytes, Any]] = []

    def _send(self, data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
        self._on_wire.append((self.now_ms + self._delay_ms, data, crossed))

    def open(self) -> None:
        self.said += self.machine.line_opened(at_ms(self.now_ms))

    def tell(self, part: int) -> None:
        command = OpenCompartment("bank", part)
        self.said += self.machine.command(command, at_ms(self.now_ms))

    def run(self, for_ms: int) -> None:
        for _ in range(for_ms):
            now = at_ms(self.now_ms)
            due = [message for message in self._on_wire if message[0] <= self.now_ms]
            self._on_wire = [message for message in self._on_wire if message not in due]
            for _, data, crossed in due:
                arrived = self.spoil(data)
                if crossed is not None:
                    crossed(arrived)
                self.said += self.machine.bytes_received(arrived, now)
            deadline_ns = self.machine.deadline_ns()
            if deadline_ns is not None and deadline_ns <= now.mono_ns:
                self.said += self.machine.time_passed(now)
            if request := self.machine.bytes_to_send():
                self.sent.append(request)
                self.bank.hear(request)
            self.now_ms += 1

    def doors(self) -> list[tuple[Seen, int]]:
        return [(o.seen, o.part) for o in self.said if o.part]


def world(**options: Any) -> World:
    fresh = World(**options)
    fresh.open()
    fresh.run(1_500 if options.get("kind") == "locker_winnsen" else 300)
    assert [o.seen for o in fresh.said] == [Seen.BACK]
    return fresh


@pytest.mark.parametrize("hook_when_locked", [0, 1])
@pytest.mark.parametrize("part", [1, 16, 17, 24])
def test_a_compartment_opens_and_is_said_once(part: int, hook_when_locked: int) -> None:
    one = world(hook_when_locked=hook_when_locked)
    one.tell(part)
    one.run(1_000)
    one.bank.close(part)
    one.run(1_000)
    assert one.doors() == [(Seen.DOOR_OPENED, part), (Seen.DOOR_CLOSED, part)]
    assert one.doors() == [(e.seen, e.part) for e in one.bank.emitted]


def test_a_door_that_stands_open_is_said_again_and_the_lock_is_left_alone() -> None:
    one = world()
    one.bank.force(3)
    one.run(600)
    opens_before = [request for request in one.sent if request[2] == 0x31]
    one.tell(3)
    one.run(600)
    assert one.doors() == [(Seen.DOOR_OPENED, 3)] * 2
    assert [request for request in one.sent if request[2] == 0x31] == opens_before == []


def test_a_jammed_door_is_stuck_after_so_many_attempts() -> None:
    one = world()
    one.bank.jam(5)
    one.tell(5)
    one.run(6_000)
    assert one.doors() == [(Seen.DOOR_STUCK, 5)]
    assert sum(request[2] == 0x31 for request in one.sent) == ATTEMPTS_COUNT_MAX


def test_a_door_that_opens_at_the_second_attempt_is_not_stuck() -> None:
    one = world()
    one.bank.jam(5)
    one.tell(5)
    one.run(500)
    one.bank.jam(5, is_jammed=False)
    one.run(3_000)
    assert one.doors() == [(Seen.DOOR_OPENED, 5)]


def test_a_queue_of_compartments_opens_in_order() -> None:
    one = world()
    for part in (20, 2, 11):
        one.tell(part)
    one.run(3_000)
    assert one.doors() == [(Seen.DOOR_OPENED, part) for part in (20, 2, 11)]


def test_doors_standing_open_at_the_start_are_said_once() -> None:
    one = World()
    one.bank.force(7)
    one.open()
    one.run(2_000)
    assert one.doors() == [(Seen.DOOR_OPENED, 7)]


def test_a_silent_board_is_lost_once_and_its_neighbour_works_on() -> None:
    one = world()
    one.bank.silence(1)
    one.run(5_000)
    assert [(o.seen, o.value) for o in one.said[1:]] == [(Seen.LOST, "board 1")]
    one.tell(2)
    one.tell(20)
    one.run(1_000)
    assert set(one.doors()) == {(Seen.DOOR_OPENED, 2), (Seen.REFUSED_BY_DEVICE, 20)}
    one.bank.silence(1, is_silent=False)
    one.run(3_000)
    assert [o.seen for o in one.said if not o.part] == [Seen.BACK, Seen.LOST, Seen.BACK]


def test_a_board_that_falls_silent_while_opening_refuses() -> None:
    one = world()
    one.bank.jam(4)
    one.tell(4)
    one.run(20)
    one.bank.silence(0)
    one.run(5_000)
    assert (Seen.REFUSED_BY_DEVICE, 4) in one.doors()
    assert one.machine.deadline_ns() is not None


def test_nothing_is_sent_while_an_answer_is_awaited() -> None:
    one = world(delay_ms=60)
    one.sent.clear()
    one.tell(1)
    one.tell(24)
    one.run(1_000)
    assert one.doors() == [(Seen.DOOR_OPENED, 1), (Seen.DOOR_OPENED, 24)]


def test_wrong_answers_are_not_believed() -> None:
    one = world()
    one.spoil = lambda data: data[:3] + bytes([data[3] ^ 1]) + data[4:]
    one.run(500)
    assert one.doors() == []
    one.spoil = lambda data: data
    one.run(500)
    assert [o.seen for o in one.said] == [Seen.BACK]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (OpenCompartment("bank", 0), "no such compartment"),
        (OpenCompartment("bank", 25), "no such compartment"),
        (OpenCompartment("other", 1), "not a command for this device"),
        (Admit("bank"), "not a command for this device"),
    ],
)
def test_what_is_refused(command: OpenCompartment | Admit, reason: str) -> None:
    one = world()
    (said,) = one.machine.command(command, at_ms(one.now_ms))
    assert (said.seen, said.value) == (Seen.REFUSED_BY_DEVICE, reason)


def test_the_queue_of_compartments_is_bounded() -> None:
    one = world()
    one.bank.jam(1)
    for _ in range(JOBS_COUNT_MAX + 3):
        one.tell(1)
    refusals = [o for o in one.said if o.seen is Seen.REFUSED_BY_DEVICE]
    assert [o.value for o in refusals] == ["busy"] * 3


def test_a_lost_line_refuses_what_waits_and_forgets_it() -> None:
    one = world()
    one.bank.jam(1)
    one.tell(1)
    one.tell(2)
    lost = one.machine.line_lost(at_ms(one.now_ms))
    assert [o.seen for o in lost] == [Seen.REFUSED_BY_DEVICE] * 2 + [Seen.LOST]
    assert one.machine.line_lost(at_ms(one.now_ms)) == []
    assert one.machine.deadline_ns() is None
    one.tell(3)
    assert one.said[-1].value == "lost"
    one.bank.jam(1, is_jammed=False)
    one.open()
    one.run(2_000)
    assert not one.bank.is_open(1)
    assert not one.bank.is_open(2)


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=40), max_size=30), st.randoms(use_true_random=False))
def test_hostile_bytes_never_raise_and_never_stop_the_line(noise: list[bytes], dice: Any) -> None:
    one = world()
    for data in noise:
        one.said += one.machine.bytes_received(data, at_ms(one.now_ms))
        one.run(dice.randrange(40))
    one.said.clear()
    one.tell(9)
    one.run(1_500)
    assert (Seen.DOOR_OPENED, 9) in one.doors()


OTHER_KINDS = [kind for kind in KINDS if kind != "locker_cu16"]


@pytest.mark.parametrize("kind", OTHER_KINDS)
@pytest.mark.parametrize("hook_when_locked", [0, 1])
def test_every_kind_opens_closes_and_sticks(kind: str, hook_when_locked: int) -> None:
    one = world(kind=kind, hook_when_locked=hook_when_locked, compartments=16)
    one.bank.jam(9)
    for part in (1, 9, 16):
        one.tell(part)
    one.run(7_000)
    assert one.doors() == [
        (Seen.DOOR_OPENED, 1),
        (Seen.DOOR_STUCK, 9),
        (Seen.DOOR_OPENED, 16),
    ]
    one.bank.close(1)
    one.run(2_000)
    assert one.doors()[-1] == (Seen.DOOR_CLOSED, 1)


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_a_board_of_every_kind_is_lost_once_and_comes_back(kind: str) -> None:
    one = world(kind=kind, compartments=16)
    one.bank.silence(KINDS[kind].numbers[0])
    one.run(5_000)
    one.bank.force(4)
    one.bank.silence(KINDS[kind].numbers[0], is_silent=False)
    one.run(4_000)
    assert [o.seen for o in one.said if not o.part] == [Seen.BACK, Seen.LOST, Seen.BACK]
    assert one.doors() == [(Seen.DOOR_OPENED, 4)]


def test_a_board_that_says_a_move_unasked_is_asked_at_once() -> None:
    one = world(kind="locker_wkly")
    one.run(30)
    one.bank.force(4)
    began_ms = one.now_ms
    while not one.doors():
        one.run(1)
    assert one.now_ms - began_ms < 80


def test_boards_with_fewer_locks_than_their_kind_can_have() -> None:
    one = world(locks_per_board=12, compartments=12)
    one.bank.force(12)
    one.run(600)
    assert one.doors() == [(Seen.DOOR_OPENED, 12)]


def test_a_forced_door_is_said_where_it_is_wanted() -> None:
    one = world(says_forced=1)
    one.tell(2)
    one.run(500)
    one.bank.force(3)
    one.run(500)
    assert one.doors() == [
        (Seen.DOOR_OPENED, 2),
        (Seen.DOOR_OPENED, 3),
        (Seen.DOOR_FORCED, 3),
    ]


def test_a_door_found_open_was_not_seen_to_be_forced() -> None:
    one = World(says_forced=1)
    one.bank.force(3)
    one.open()
    one.run(500)
    assert one.doors() == [(Seen.DOOR_OPENED, 3)]


def test_a_door_left_open_is_said_once_each_time() -> None:
    one = world(held_s=2)
    for _ in range(2):
        one.tell(2)
        one.run(5_000)
        one.bank.close(2)
        one.run(500)
    once = [(Seen.DOOR_OPENED, 2), (Seen.DOOR_HELD, 2), (Seen.DOOR_CLOSED, 2)]
    assert one.doors() == once * 2
    assert [o.value for o in one.said if o.seen is Seen.DOOR_HELD] == ["2", "2"]


@pytest.mark.parametrize("kind", ["locker_cu16", "locker_cu48", "locker_xor", "locker_wkly"])
def test_all_boards_of_a_full_line_are_asked_within_a_second(kind: str) -> None:
    boards_count = 256 // KINDS[kind].locks_count
    one = World(kind=kind, delay_ms=30, compartments=boards_count * KINDS[kind].locks_count)
    one.open()
    one.run(3_000)
    one.sent.clear()
    one.run(1_000)
    assert len(set(one.sent)) == boards_count
    assert [o.seen for o in one.said] == [Seen.BACK]
