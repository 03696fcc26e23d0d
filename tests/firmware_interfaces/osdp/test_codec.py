from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.osdp.codec import FRAME_BYTES_MAX, FrameReader, crc16, read_frame
from tests.firmware_interfaces.vectors import vectors

CASES = vectors("osdp")["frames"]

real_frames = st.sampled_from([bytes.fromhex(case["hex"]) for case in CASES])
streams = st.lists(
    st.one_of(real_frames, st.binary(max_size=20), st.just(b"\xff"), st.just(b"\x53")), max_size=8
).map(b"".join)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_frames_are_read_as_libosdp_wrote_them(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["hex"])
    (frame,) = FrameReader().feed(b"\xff" + raw)
    assert frame.raw == raw
    for field in ("address", "is_reply", "sequence", "code"):
        assert getattr(frame, field) == case[field], field


def test_the_crc_of_nothing_is_its_initial_value() -> None:
    assert crc16(b"") == 0x1D0F


@given(streams, st.lists(st.integers(0, 300), max_size=6))
def test_any_split_gives_the_same_frames(stream: bytes, cuts: list[int]) -> None:
    whole = FrameReader().feed(stream)
    reader, found, at = FrameReader(), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        found += reader.feed(stream[at:cut])
        at = max(at, cut)
    assert found == whole


@given(real_frames, st.integers(0, 300))
def test_a_truncated_frame_asks_for_more(raw: bytes, cut: int) -> None:
    cut %= len(raw)
    reader = FrameReader()
    assert reader.feed(raw[:cut]) == []
    assert [frame.raw for frame in reader.feed(raw[cut:])] == [raw]


@given(real_frames, st.integers(0, 10_000))
def test_one_flipped_bit_is_never_believed(raw: bytes, bit: int) -> None:
    spoiled = bytearray(raw)
    spoiled[bit // 8 % len(raw)] ^= 1 << bit % 8
    assert FrameReader().feed(bytes(spoiled)) == []


@given(st.binary(max_size=2_000))
def test_hostile_bytes_neither_raise_nor_pile_up(data: bytes) -> None:
    reader = FrameReader()
    reader.feed(data)
    assert len(reader._rest) < FRAME_BYTES_MAX
    read_frame(data)


def test_a_frame_after_half_a_frame_is_found_once_the_half_is_forgotten() -> None:
    first, second = (bytes.fromhex(case["hex"]) for case in CASES[:2])
    reader = FrameReader()
    assert reader.feed(first[:-1]) == []
    reader.reset()
    assert [frame.raw for frame in reader.feed(second)] == [second]


SECURE_BLOCKS = {
    "osdp_CHLNG": ("1101", False),
    "osdp_POLL in a secure channel": ("15", False),
    "osdp_RAW in a secure channel": ("18", True),
    "osdp_ID": ("", False),
}


@pytest.mark.parametrize("what", SECURE_BLOCKS)
def test_security_blocks_are_told_apart(what: str) -> None:
    (raw,) = (bytes.fromhex(case["hex"]) for case in CASES if case["what"] == what)
    frame = read_frame(raw)
    assert frame is not None
    assert (frame.security.hex(), frame.is_hidden) == SECURE_BLOCKS[what]
    assert not frame.is_challenge_with_default_key


def test_data_ends_before_the_check_and_before_a_mac() -> None:
    datas = {case["what"]: read_frame(bytes.fromhex(case["hex"])) for case in CASES}
    identity, poll = datas["osdp_PDID"], datas["osdp_POLL in a secure channel"]
    assert identity is not None
    assert identity.data.hex() == "010000010101000000000001"
    assert poll is not None
    assert poll.data == b""
