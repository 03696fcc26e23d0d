from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.modbus.codec import (
    READ_INPUTS,
    WRITE_COIL,
    Reply,
    ReplyReader,
    crc16,
    frame,
    read_inputs,
    write_coil,
)
from tests.firmware_interfaces.vectors import vectors

VECTORS = vectors("modbus")

replies = st.one_of(
    st.binary(min_size=1, max_size=8).map(lambda d: frame(7, READ_INPUTS, bytes([len(d)]) + d)),
    st.booleans().map(lambda is_on: write_coil(7, 3, is_on=is_on)),
    st.integers(1, 4).map(lambda why: frame(7, READ_INPUTS | 0x80, bytes([why]))),
)


@pytest.mark.parametrize("case", VECTORS["crc"], ids=lambda case: case["hex"])
def test_the_crc_is_that_of_the_specification(case: dict[str, Any]) -> None:
    assert crc16(bytes.fromhex(case["hex"])).to_bytes(2, "little").hex() == case["crc"]


def test_frames_are_those_of_the_specification() -> None:
    for case in VECTORS["write_coil"]:
        assert write_coil(case["unit"], case["coil"], is_on=case["is_on"]).hex() == case["hex"]
    raw = bytes.fromhex(VECTORS["read_reply"]["hex"])
    (reply,) = ReplyReader().feed(raw + crc16(raw).to_bytes(2, "little") + b"\x01")
    assert [place for place in range(24) if reply.input_at(place)] == (
        VECTORS["read_reply"]["inputs_on"]
    )
    assert reply.input_at(24) is None


def test_an_exception_is_read() -> None:
    assert ReplyReader().feed(frame(7, 0x85, b"\x02")) == [Reply(7, WRITE_COIL, True, b"\x02")]


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


@pytest.mark.skipif(find_spec("pymodbus") is None, reason="pymodbus, the peer, is not installed")
def test_an_independent_implementation_agrees() -> None:
    framers = import_module("pymodbus.framer")
    pdus = import_module("pymodbus.pdu")
    server = framers.FramerRTU(pdus.DecodePDU(is_server=True))
    used, pdu = server.handleFrame(read_inputs(9, 16), 0, 0)
    assert (used, pdu.dev_id, pdu.function_code, pdu.address, pdu.count) == (8, 9, 2, 0, 16)
    used, pdu = server.handleFrame(write_coil(9, 5, is_on=True), 0, 0)
    assert (used, pdu.dev_id, pdu.function_code, pdu.address, pdu.bits) == (8, 9, 5, 5, [True])
    answer = pdus.bit_message.ReadDiscreteInputsResponse(dev_id=9, bits=[True, False, True])
    (reply,) = ReplyReader().feed(server.buildFrame(answer))
    assert [reply.input_at(place) for place in range(3)] == [True, False, True]
