from firmware_interfaces.modbus.codec import READ_INPUTS, Reply
from firmware_interfaces.modbus.door import Door
from firmware_interfaces.modbus.settings import ModbusDoor
from firmware_interfaces.observations import Seen
from tests.firmware_interfaces.worlds import at_ms


def inputs(value: int) -> Reply:
    return Reply(1, READ_INPUTS, False, bytes([value]))


def test_a_door_closed_while_its_board_was_away_is_said_closed() -> None:
    door = Door(ModbusDoor(name="a", contact=0, debounce_ms=0))
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
    door = Door(ModbusDoor(name="a", strike=0))
    door.admit(1_000, at_ms(0))
    assert [o.seen for o in door.written(at_ms(10))] == [Seen.ADMITTED]
    assert door.deadlines_ns() == [at_ms(1_010).mono_ns]
    door.time_passed(at_ms(1_010))
    for _ in range(20):
        assert door.not_written(at_ms(1_100), "board is silent") == []
        assert door.wanted is False
    assert door.written(at_ms(1_200)) == []
    assert door.wanted is None
