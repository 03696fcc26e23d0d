from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.uhppote import codec
from firmware_interfaces.uhppote.codec import PACKET_BYTES, Event, PacketReader
from tests.firmware_interfaces.vectors import vectors

SERIAL = 405_419_896
BUILD = {
    "get_event": codec.get_event,
    "set_index": codec.set_index,
    "open_door": codec.open_door,
    "delete_card": codec.delete_card,
}


def event_packet(function: int = codec.GET_EVENT) -> bytes:
    raw = bytearray(PACKET_BYTES)
    raw[:2] = bytes([0x17, function])
    raw[4:8], raw[8] = SERIAL.to_bytes(4, "little"), 29
    raw[12:16] = bytes([1, 1, 3, 1])
    raw[16:20] = (10_058_400).to_bytes(4, "little")
    raw[20:27] = bytes.fromhex("20261123235959")
    raw[29] = 1
    raw[51:54], raw[37:40] = bytes.fromhex("261124"), bytes.fromhex("000002")
    return bytes(raw)


@pytest.mark.parametrize("case", vectors("uhppote")["requests"], ids=lambda case: case["call"])
def test_requests_are_those_of_uhppoted(case: dict[str, Any]) -> None:
    built = BUILD[case["call"]](SERIAL, *case["arguments"])
    assert built == bytes.fromhex(case["hex"]).ljust(PACKET_BYTES, b"\x00")


def test_an_event_and_a_status_are_read() -> None:
    (packet,) = PacketReader(SERIAL).feed(event_packet(codec.STATUS))
    assert packet.serial == SERIAL
    status = codec.status_of(packet)
    at_s = status.last.at_s
    assert at_s is not None
    assert status.last == Event(29, 1, True, 3, 10_058_400, at_s)
    assert status.open_doors == {2}
    assert status.now_s == at_s + 3
    assert codec.time_text(at_s) == "2026-11-23T23:59:59"


def test_a_time_that_is_none() -> None:
    raw = bytearray(event_packet())
    raw[20:27] = bytes(7)
    (packet,) = PacketReader(SERIAL).feed(bytes(raw))
    assert codec.event_of(packet).at_s is None
    assert codec.time_text(None) == "?"


def test_every_truncation_asks_for_more() -> None:
    raw = event_packet()
    for cut in range(PACKET_BYTES):
        reader = PacketReader(SERIAL)
        assert reader.feed(raw[:cut]) == []
        assert [packet.raw for packet in reader.feed(raw[cut:])] == [raw]


@given(st.binary(max_size=300), st.integers(1, 40))
def test_hostile_bytes_neither_raise_nor_pile_up(data: bytes, size: int) -> None:
    stream = data + event_packet() + data
    reader, found = PacketReader(SERIAL), []
    for at in range(0, len(stream), size):
        found += reader.feed(stream[at : at + size])
    assert found == PacketReader(SERIAL).feed(stream)
    for packet in found:
        if packet.function == codec.STATUS:
            codec.time_text(codec.status_of(packet).now_s)
    assert len(reader._rest) < PACKET_BYTES


def test_another_board_is_not_heard() -> None:
    assert PacketReader(SERIAL + 1).feed(event_packet()) == []


def test_a_card_is_put_on_the_list_by_days_and_doors() -> None:
    days = date(2026, 1, 1), date(2027, 12, 31)
    raw = codec.put_card(SERIAL, 10_058_400, days, frozenset({1, 3}))
    head = "17500000" + SERIAL.to_bytes(4, "little").hex()
    wanted = head + (10_058_400).to_bytes(4, "little").hex() + "2026010120271231" + "01000100"
    assert raw.hex() == wanted.ljust(2 * PACKET_BYTES, "0")


def test_a_pushed_status_of_firmware_6_62_is_read() -> None:
    raw = b"\x19" + event_packet(codec.STATUS)[1:]
    (packet,) = PacketReader(SERIAL).feed(raw)
    assert codec.event_of(packet).index == 29


@pytest.mark.parametrize("function", sorted(codec.FUNCTIONS))
@given(data=st.binary(min_size=56, max_size=56))
def test_whatever_a_board_answers_is_read_without_a_fault(function: int, data: bytes) -> None:
    head = bytes([0x17, function, 0, 0]) + SERIAL.to_bytes(4, "little")
    (packet,) = PacketReader(SERIAL).feed(head + data)
    reads = {
        codec.STATUS: codec.status_of,
        codec.GET_EVENT: codec.event_of,
        codec.GET_INDEX: codec.index_of,
        codec.OPEN_DOOR: codec.was_opened,
    }
    if function in reads:
        reads[function](packet)
