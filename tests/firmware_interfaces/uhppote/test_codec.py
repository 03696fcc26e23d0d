from importlib import import_module
from importlib.util import find_spec
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
has_peer = pytest.mark.skipif(
    find_spec("uhppoted") is None, reason="uhppoted, the peer, is not installed"
)


def event_packet(function: int = codec.GET_EVENT) -> bytes:
    raw = bytearray(codec.request(function, SERIAL, (29).to_bytes(4, "little")))
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
        codec.time_text(codec.status_of(packet).now_s)
    assert len(reader._rest) < PACKET_BYTES


def test_another_board_is_not_heard() -> None:
    assert PacketReader(SERIAL + 1).feed(event_packet()) == []


@has_peer
def test_the_package_builds_the_same_requests() -> None:
    peer = import_module("uhppoted.encode")
    assert bytes(peer.get_event_request(SERIAL, 7)) == codec.get_event(SERIAL, 7)
    assert bytes(peer.set_event_index_request(SERIAL, 7)) == codec.set_index(SERIAL, 7)
    assert bytes(peer.open_door_request(SERIAL, 4)) == codec.open_door(SERIAL, 4)
    assert bytes(peer.delete_card_request(SERIAL, 7)) == codec.delete_card(SERIAL, 7)
    assert bytes(peer.get_status_request(SERIAL)) == codec.request(codec.STATUS, SERIAL)
    assert bytes(peer.get_event_index_request(SERIAL)) == codec.request(codec.GET_INDEX, SERIAL)
    date = import_module("datetime").date
    put = peer.put_card_request(SERIAL, 7, date(2026, 1, 1), date(2027, 12, 31), 1, 0, 1, 0, 0)
    ours = codec.put_card(SERIAL, 7, ("20260101", "20271231"), frozenset({1, 3}))
    assert bytes(put) == ours


@has_peer
def test_the_package_reads_the_same_events() -> None:
    peer = import_module("uhppoted.decode")
    theirs = peer.get_event_response(event_packet())
    (packet,) = PacketReader(SERIAL).feed(event_packet())
    ours = codec.event_of(packet)
    assert (theirs.index, theirs.event_type, theirs.access_granted) == (29, 1, True)
    assert (theirs.door, theirs.card) == (ours.door, ours.card)
    assert theirs.timestamp.isoformat() == codec.time_text(ours.at_s)
    pushed = peer.event(event_packet(codec.STATUS))
    assert (pushed.door_1_open, pushed.door_2_open) == (False, True)
