from firmware_interfaces.observations import Seen
from simulators.devices.door_board import DoorBoard, crc
from tests.firmware_interfaces.vectors import vectors


def wired() -> tuple[DoorBoard, list[bytes]]:
    board, sent = DoorBoard("door"), []

    def send(data: bytes, crossed: object = None) -> None:
        sent.append(data)
        if callable(crossed):
            crossed(data)

    board.send = send
    return board, sent


def request(body: str) -> bytes:
    raw = bytes.fromhex(body)
    return raw + crc(raw)


def test_the_crc_is_that_of_the_specification() -> None:
    for case in vectors("modbus")["crc"]:
        assert crc(bytes.fromhex(case["hex"])).hex() == case["crc"]


def test_it_tells_its_inputs_and_emits_a_door_that_moved() -> None:
    board, sent = wired()
    board.swing()
    board.time_passed()
    assert board.is_open
    board.is_pressed = True
    board.hear(b"\x01noise" + request("010200000002"))
    assert [data[:4].hex() for data in sent] == ["01020102"]
    assert [e.seen for e in board.emitted] == [Seen.DOOR_OPENED]


def test_it_switches_its_strike_and_refuses_what_it_has_not() -> None:
    board, sent = wired()
    board.hear(request("01050000ff00"))
    assert (board.is_released, board.released_count) == (True, 1)
    board.hear(request("010500000000"))
    assert not board.is_released
    board.hear(request("01050007ff00"))
    board.exception = 4
    board.hear(request("01050000ff00"))
    assert [data[1:3].hex() for data in sent[2:]] == ["8502", "8504"]
    board.is_silent = True
    board.hear(request("010200000002") + request("020200000002"))
    assert len(sent) == 4
