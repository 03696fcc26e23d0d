from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.scanner.codec import CodeReader
from firmware_interfaces.scanner.dialogue import Reply
from firmware_interfaces.scanner.framed import (
    NEWLAND_BYTES_MAX,
    Packet,
    PacketReader,
    TextReader,
    gm65_frame,
    newland_frame,
    ssi_packet,
)
from simulators.devices.ssi_scanner import packet
from tests.firmware_interfaces.vectors import vectors

VECTORS = vectors("scanner_frames")
GM65_REPLIES = [bytes.fromhex(case["hex"]) for case in VECTORS["gm65_replies"]]
NEWLAND_REPLIES = [b"\x02\x010000@SCNMOD3\x06;\x03", b"\x02\x010000@NOSUCH1\x05;\x03"]
REPLIES = {"gm65": GM65_REPLIES, "newland": NEWLAND_REPLIES}
protocols = st.sampled_from(sorted(REPLIES))


def reader(protocol: str) -> TextReader:
    return TextReader(CodeReader("cr_lf", 40), protocol)


@pytest.mark.parametrize("case", VECTORS["gm65"], ids=lambda case: case["hex"])
def test_gm65_frames_are_those_of_the_manual(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["data"])
    assert gm65_frame(case["kind"], case["zone"], data, case["length"]).hex() == case["hex"]


def test_gm65_answers() -> None:
    for case, raw in zip(VECTORS["gm65_replies"], GM65_REPLIES, strict=True):
        assert reader("gm65").feed(raw) == [Reply(bytes.fromhex(case["data"]))]


def test_ssi_and_newland_frames_are_those_of_their_manuals() -> None:
    for case in VECTORS["ssi"]:
        assert ssi_packet(case["code"]).hex() == case["hex"]
    for case in VECTORS["newland"]:
        assert newland_frame(case["command"]).hex() == case["hex"]


@pytest.mark.parametrize("protocol", REPLIES)
def test_codes_and_answers_share_a_stream(protocol: str) -> None:
    stream = b"A1\r" + REPLIES[protocol][0] + b"B2\r\n" + REPLIES[protocol][1] + b"\x02C3\rD4\r"
    found = reader(protocol).feed(stream)
    assert [one for one in found if isinstance(one, str)] == ["A1", "B2", "C3", "D4"]
    assert sum(isinstance(one, Reply) for one in found) == 2


@pytest.mark.parametrize("protocol", REPLIES)
def test_every_truncation_of_an_answer_asks_for_more(protocol: str) -> None:
    for raw in REPLIES[protocol]:
        for cut in range(1, len(raw)):
            one = reader(protocol)
            assert one.feed(raw[:cut]) == []
            assert not one.is_empty
            assert len(one.feed(raw[cut:])) == 1


def test_one_flipped_bit_of_a_gm65_answer_is_never_believed() -> None:
    for raw in GM65_REPLIES:
        for bit in range(len(raw) * 8):
            spoiled = bytearray(raw)
            spoiled[bit // 8] ^= 1 << bit % 8
            one = reader("gm65")
            found = one.feed(bytes(spoiled) + b"\r") + one.flush()
            assert not any(isinstance(part, Reply) for part in found)


@given(protocols, st.lists(st.one_of(st.binary(max_size=20), st.integers(0, 1)), max_size=8))
def test_any_split_gives_the_same(protocol: str, parts: list[bytes | int]) -> None:
    stream = b"".join(REPLIES[protocol][p] if isinstance(p, int) else p for p in parts)
    whole = reader(protocol)
    wanted = whole.feed(stream) + whole.flush()
    bytewise, found = reader(protocol), []
    for byte in stream:
        found += bytewise.feed(bytes([byte]))
    assert found + bytewise.flush() == wanted


@given(protocols, st.binary(max_size=400))
def test_hostile_bytes_neither_raise_nor_pile_up(protocol: str, data: bytes) -> None:
    one = reader(protocol)
    for part in [*one.feed(data), *one.flush()]:
        assert isinstance(part, Reply) or part.isprintable()
    assert len(one._held) <= NEWLAND_BYTES_MAX
    assert one.garbled_count >= 0


texts = st.binary(min_size=1, max_size=30)


@given(texts, st.integers(0, 3))
def test_ssi_packets_survive_every_truncation_and_no_flipped_bit(text: bytes, status: int) -> None:
    raw = packet(0xF3, text, status)
    wanted = [Packet(0xF3, bool(status & 1), bool(status & 2), text)]
    for cut in range(len(raw)):
        one = PacketReader()
        assert one.feed(raw[:cut]) == []
        assert one.feed(raw[cut:]) == wanted
    for bit in range(len(raw) * 8):
        spoiled = bytearray(raw)
        spoiled[bit // 8] ^= 1 << bit % 8
        one = PacketReader()
        found = one.feed(bytes(spoiled)) + one.flush()
        assert all(len(p.data) < len(text) for p in found)  # only a shorter one may hide inside


def test_a_packet_behind_noise_is_found_at_once_or_after_silence() -> None:
    raw = packet(0xF3, b"\x03A", 0)
    assert len(PacketReader().feed(b"\xff\xff\xff" + raw)) == 1
    one = PacketReader()
    assert one.feed(b"\x30\x00\x00" + raw) == []
    assert not one.is_empty
    assert len(one.flush()) == 1
    assert one.is_empty


@given(st.binary(max_size=600))
def test_hostile_bytes_do_no_harm_to_ssi(data: bytes) -> None:
    one = PacketReader()
    one.feed(data)
    assert len(one._rest) < 258
    one.flush()
    assert one.is_empty
