import pytest

from firmware_interfaces.observations import Seen
from firmware_interfaces.wired_door import ADMITS_COUNT_MAX, Door, InputAt, WiredDoor
from tests.firmware_interfaces.worlds import at_ms


def inputs(value: int) -> InputAt:
    return lambda place: bool(value >> place & 1)


def test_a_door_closed_while_its_board_was_away_is_said_closed() -> None:
    door = Door(WiredDoor(name="a", contact=0, debounce_ms=0))
    said = door.heard(inputs(0), at_ms(0)) + door.heard(inputs(0), at_ms(1))
    said += door.gone(at_ms(2), "unit 1")
    said += door.heard(inputs(1), at_ms(3)) + door.heard(inputs(1), at_ms(4))
    assert [o.seen for o in said] == [
        Seen.BACK,
        Seen.DOOR_OPENED,
        Seen.LOST,
        Seen.BACK,
        Seen.DOOR_CLOSED,
    ]


def test_a_strike_is_let_go_until_the_board_did_it() -> None:
    door = Door(WiredDoor(name="a", strike=0))
    door.admit(1_000, at_ms(0))
    assert [o.seen for o in door.written(at_ms(10))] == [Seen.ADMITTED]
    assert door.deadlines_ns() == [at_ms(1_010).mono_ns]
    door.time_passed(at_ms(1_010))
    for _ in range(20):
        assert door.not_written(at_ms(1_100), "board is silent") == []
        assert door.wanted is False
    assert door.written(at_ms(1_200)) == []
    assert door.wanted is None


def test_people_admitted_at_once_go_through_together() -> None:
    door = Door(WiredDoor(name="a", strike=0))
    assert door.admit(1_000, at_ms(0)) + door.admit(3_000, at_ms(1)) == []
    assert [o.seen for o in door.written(at_ms(10))] == [Seen.ADMITTED] * 2
    assert door.deadlines_ns() == [at_ms(3_010).mono_ns]
    door.admit(100, at_ms(20))
    assert [o.seen for o in door.written(at_ms(30))] == [Seen.ADMITTED]
    assert door.deadlines_ns() == [at_ms(3_010).mono_ns]


def test_a_crowd_is_bounded_and_refused_together() -> None:
    door = Door(WiredDoor(name="a", strike=0))
    said = [one for _ in range(ADMITS_COUNT_MAX + 1) for one in door.admit(1_000, at_ms(0))]
    assert [(o.seen, o.value) for o in said] == [(Seen.REFUSED_BY_DEVICE, "busy")]
    assert len(door.gone(at_ms(1), "port")) == ADMITS_COUNT_MAX + 1


def test_inputs_are_wanted_again_until_they_settle() -> None:
    door = Door(WiredDoor(name="a", contact=0, button=1, debounce_ms=50))
    door.heard(inputs(1), at_ms(0))
    assert door.settles_ns() == at_ms(50).mono_ns
    door.heard(inputs(1), at_ms(50))
    assert door.settles_ns() is None


def test_a_door_without_wires_is_refused() -> None:
    with pytest.raises(ValueError, match="a strike, a contact or a button"):
        WiredDoor(name="a")
