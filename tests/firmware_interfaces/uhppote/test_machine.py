from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_interfaces.observations import Admit, Observation, Refuse, Seen
from firmware_interfaces.uhppote.machine import UhppoteMachine
from firmware_interfaces.uhppote.settings import UhppoteLine
from simulators.devices.access_board import MEMORY_COUNT, AccessBoard
from tests.firmware_interfaces.worlds import at_ms

CARD = "26:32721040"  # 100 * 100000 + 58400, with its two parity bits
NUMBER = 10_058_400


class World:
    """A machine and its board on one made-up clock."""

    def __init__(self, board: AccessBoard | None = None, **line: Any) -> None:
        devices = [{"name": f"door-{n}", "door": n} for n in (1, 2)]
        table = {"family": "uhppote", "port": "udp://h:60000", "serial": 405_419_896}
        table |= {"devices": devices} | line
        self.machine = UhppoteMachine(UhppoteLine.model_validate(table))
        self.board = board or AccessBoard("door-1")
        self.board.send = self._send
        self.said: list[Observation] = []
        self.now_ms = 0
        self._on_wire: list[bytes] = []

    def _send(self, data: bytes, crossed: Any = None) -> None:
        del crossed
        self._on_wire.append(data)

    def open(self) -> None:
        self.said += self.machine.line_opened(at_ms(self.now_ms))

    def tell(self, command: Admit | Refuse) -> None:
        self.said += self.machine.command(command, at_ms(self.now_ms))

    def run(self, for_ms: int) -> None:
        for _ in range(for_ms):
            now = at_ms(self.now_ms)
            arrived, self._on_wire = self._on_wire, []
            for data in arrived:
                self.said += self.machine.bytes_received(data, now)
            deadline_ns = self.machine.deadline_ns()
            if deadline_ns is not None and deadline_ns <= now.mono_ns:
                self.said += self.machine.time_passed(now)
            if request := self.machine.bytes_to_send():
                self.board.hear(request)
            self.now_ms += 1

    def seen(self, device: str = "door-1") -> list[tuple[Seen, str]]:
        return [(o.seen, o.value) for o in self.said if o.device == device]


def world(**line: Any) -> World:
    fresh = World(**line)
    fresh.open()
    fresh.run(100)
    assert fresh.seen() == fresh.seen("door-2") == [(Seen.BACK, "")]
    fresh.said.clear()
    return fresh


def test_a_card_at_the_door_is_a_card() -> None:
    one = world()
    one.board.cards.add(NUMBER)
    one.board.swipe(NUMBER)
    one.board.swipe(4_000_000_000, door=2)
    one.run(400)
    assert one.seen() == [(Seen.CARD, CARD), (Seen.ADMITTED, CARD)]
    assert one.seen("door-2") == [(Seen.CARD, "32:ee6b2800")]
    assert one.board.mark == 2


def test_none_is_missed_across_an_outage_and_old_cards_open_nothing() -> None:
    one = world()
    one.board.is_silent = True
    one.run(3_000)
    for number in range(1, 51):
        one.board.swipe(number, ago_s=60)
    one.board.is_silent = False
    one.run(4_000)
    seen = [seen for seen, _ in one.seen()]
    assert seen == [Seen.LOST, Seen.BACK] + [Seen.CARD_BEFORE] * 50
    values = [value.split()[0] for seen, value in one.seen() if seen is Seen.CARD_BEFORE]
    assert len(set(values)) == 50
    assert one.board.mark == 50


def test_a_restarted_box_goes_on_where_it_was() -> None:
    one = world()
    one.board.swipe(NUMBER, ago_s=60)
    one.run(500)
    again = World(one.board)
    one.board.swipe(NUMBER, ago_s=60)
    again.open()
    again.run(500)
    assert [seen for seen, _ in again.seen()] == [Seen.BACK, Seen.CARD_BEFORE]


def test_what_the_board_had_to_overwrite_is_said() -> None:
    one = world()
    for number in range(MEMORY_COUNT + 3):
        one.board.swipe(number, ago_s=60)
    one.run(8_000)
    missed = [value for seen, value in one.seen() if seen is Seen.MISSED]
    assert missed == ["1", "1", "1"]
    assert len([seen for seen, _ in one.seen() if seen is Seen.CARD_BEFORE]) == MEMORY_COUNT


def test_more_than_is_wanted_is_passed_over_and_said() -> None:
    one = world(history_max=10)
    for number in range(30):
        one.board.swipe(number, ago_s=60)
    one.run(2_000)
    assert one.seen()[0] == (Seen.MISSED, "20")
    assert len(one.seen()) == 11


def test_a_board_whose_memory_was_cleared_is_read_from_its_start() -> None:
    one = world()
    for _ in range(3):
        one.board.swipe(NUMBER, ago_s=60)
    one.run(500)
    one.board.clear()
    one.board.swipe(NUMBER)
    one.run(500)
    assert one.seen()[-1] == (Seen.CARD, CARD)


def test_doors_are_opened_and_their_contacts_heard() -> None:
    one = world()
    one.tell(Admit("door-2"))
    one.run(50)
    one.board.open_doors.add(2)
    one.run(400)
    one.board.open_doors.clear()
    one.run(400)
    assert [seen for seen, _ in one.seen("door-2")] == [
        Seen.ADMITTED,
        Seen.DOOR_OPENED,
        Seen.DOOR_CLOSED,
    ]
    one.board.refuses = True
    one.tell(Admit("door-1"))
    one.run(50)
    assert one.seen() == [(Seen.REFUSED_BY_DEVICE, "board refuses")]


def test_an_admission_that_nobody_answers_is_refused() -> None:
    one = world()
    one.board.is_silent = True
    one.tell(Admit("door-1"))
    one.run(1_200)
    assert one.seen() == [(Seen.REFUSED_BY_DEVICE, "board is silent")]
    one.run(1_500)
    one.tell(Admit("door-1"))
    assert one.seen()[-1] == (Seen.REFUSED_BY_DEVICE, "lost")


def test_what_is_refused() -> None:
    one = world()
    one.tell(Refuse("door-1"))
    for _ in range(9):
        one.tell(Admit("door-1"))
    values = [value for _, value in one.seen()]
    assert values == ["not a command for this device", "busy"]


def test_a_lost_line_refuses_what_waits() -> None:
    one = world()
    one.tell(Admit("door-1"))
    lost = one.machine.line_lost(at_ms(one.now_ms))
    assert [o.seen for o in lost] == [Seen.REFUSED_BY_DEVICE, Seen.LOST, Seen.LOST]
    assert one.machine.deadline_ns() is None
    assert one.machine.time_passed(at_ms(99_000)) == []


def test_a_pushed_status_is_looked_at_at_once() -> None:
    one = world()
    one.run(100)
    one.board.swipe(NUMBER)
    pushed = bytearray(64)
    pushed[:8] = b"\x19\x20\x00\x00" + (405_419_896).to_bytes(4, "little")
    one._on_wire.append(bytes(pushed))
    one.run(20)
    assert one.seen() == [(Seen.CARD, CARD)]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.binary(max_size=90), st.integers(0, 60)), max_size=20))
def test_hostile_packets_never_raise_and_never_stop_the_line(
    steps: list[tuple[bytes, int]],
) -> None:
    one = world()
    head = b"\x17\x20\x00\x00" + (405_419_896).to_bytes(4, "little")
    for data, pause_ms in steps:
        one.said += one.machine.bytes_received(head + data, at_ms(one.now_ms))
        one.run(pause_ms)
    one.run(4_000)
    one.said.clear()
    one.tell(Admit("door-1"))
    one.run(1_000)
    assert (Seen.ADMITTED, "") in one.seen()


def test_what_was_said_and_not_yet_marked_is_not_said_again_when_the_board_is_back() -> None:
    one = world()
    one.board.loses_marks = True
    one.board.swipe(NUMBER)
    one.run(400)
    one.board.is_silent = True
    one.run(4_000)
    one.board.is_silent = False
    one.run(3_000)
    assert [seen for seen, _ in one.seen()] == [Seen.CARD, Seen.LOST, Seen.BACK]
    assert one.board.mark == 0


def test_another_board_in_its_place_is_read_from_its_own_mark() -> None:
    one = world()
    for _ in range(3):
        one.board.swipe(NUMBER)
    one.run(3_000)
    one.board.is_silent = True
    one.run(3_000)
    other = AccessBoard("door-1")
    other.send = one._send
    for _ in range(5):
        other.swipe(NUMBER + 1)
    other.mark = 2
    one.board = other
    one.said.clear()
    one.run(4_000)
    assert [seen for seen, _ in one.seen()] == [Seen.BACK, Seen.CARD, Seen.CARD, Seen.CARD]
