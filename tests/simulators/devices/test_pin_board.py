from firmware_interfaces.contacts.codec import Level, LevelReader, written
from firmware_interfaces.observations import Seen
from simulators.devices.pin_board import BUTTON, CONTACT, STRIKE, PinBoard


def board() -> tuple[PinBoard, bytearray]:
    made, said = PinBoard("door"), bytearray()

    def send(data: bytes, crossed: object = None) -> None:
        del crossed
        said.extend(data)

    made.send = send
    return made, said


def test_the_strike_follows_and_is_read_back() -> None:
    made, said = board()
    made.hear(written(Level(STRIKE, True)))
    assert made.is_released
    made.is_stuck = True
    made.hear(written(Level(STRIKE, False)))
    assert LevelReader().feed(bytes(said)) == [Level(STRIKE, True)] * 2


def test_a_door_swings_and_its_contact_may_bounce() -> None:
    made, said = board()
    made.swing()
    made.time_passed()
    assert made.is_open
    assert LevelReader().feed(bytes(said)) == [Level(CONTACT, False), Level(BUTTON, False)]
    assert [e.seen for e in made.emitted] == [Seen.DOOR_OPENED]
    said.clear()
    made.chatter(2)
    levels = [level.is_high for level in LevelReader().feed(bytes(said))]
    assert levels == [True, False, True, False]
