from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.modbus.codec import (
    READ_INPUTS,
    WRITE_COIL,
    Reply,
    ReplyReader,
    frame,
    read_inputs,
    write_coil,
)
from simulators.devices.door_board import crc
from tests.firmware_interfaces.vectors import vectors

VECTORS = vectors("modbus")

replies = st.one_of(
    st.binary(min_size=1, max_size=8).map(lambda d: frame(7, bytes([READ_INPUTS, len(d)]) + d)),
    st.booleans().map(lambda is_on: write_coil(7, 3, is_on=is_on)),
    st.integers(1, 4).map(lambda why: frame(7, bytes([READ_INPUTS | 0x80, why]))),
)


def test_the_crc_is_that_of_the_specification() -> None:
    for case in VECTORS["crc"]:
        body = bytes.fromhex(case["hex"])
        assert frame(body[0], body[1:]).hex() == case["hex"] + case["crc"]


def test_frames_are_those_of_the_specification() -> None:
    for case in VECTORS["write_coil"]:
        assert write_coil(case["unit"], case["coil"], is_on=case["is_on"]).hex() == case["hex"]
    raw = bytes.fromhex(VECTORS["read_reply"]["hex"])
    (reply,) = ReplyReader().feed(frame(raw[0], raw[1:]) + b"\x01")
    assert [place for place in range(24) if reply.input_at(place)] == (
        VECTORS["read_reply"]["inputs_on"]
    )
    assert reply.input_at(24) is None


def test_an_exception_is_read() -> None:
    assert ReplyReader().feed(frame(7, b"\x85\x02")) == [Reply(7, WRITE_COIL, 2)]
    assert ReplyReader().feed(frame(7, b"\x85\x00")) == []


def test_requests_and_replies_are_those_that_a_board_writes() -> None:
    assert crc(b"\x09\x02\x00\x00\x00\x10") == read_inputs(9, 16)[6:]
    assert read_inputs(9, 16)[:6] == b"\x09\x02\x00\x00\x00\x10"
    body = b"\x09\x02\x01\x05"
    (reply,) = ReplyReader().feed(body + crc(body))
    assert [reply.input_at(place) for place in (0, 1, 2, 8)] == [True, False, True, None]


@given(replies)
def test_every_truncation_asks_for_more(raw: bytes) -> None:
    whole = ReplyReader().feed(raw)
    assert len(whole) == 1
    for cut in range(len(raw)):
        reader = ReplyReader()
        assert reader.feed(raw[:cut]) == []
        assert reader.feed(raw[cut:]) == whole


@given(replies)
def test_one_flipped_bit_is_never_believed(raw: bytes) -> None:
    for bit in range(len(raw) * 8):
        spoiled = bytearray(raw)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert ReplyReader().feed(bytes(spoiled)) == []


@given(st.lists(st.one_of(replies, st.binary(max_size=12)), max_size=8), st.integers(1, 20))
def test_any_split_gives_the_same(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    reader, found = ReplyReader(), []
    for at in range(0, len(stream), size):
        found += reader.feed(stream[at : at + size])
    assert found == ReplyReader().feed(stream)


@given(st.binary(max_size=400))
def test_hostile_bytes_neither_raise_nor_pile_up(data: bytes) -> None:
    reader = ReplyReader()
    reader.feed(data)
    assert len(reader._rest) < 13
    reader.reset()
    assert not reader._rest
