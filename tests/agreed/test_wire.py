"""The block: the same records come back, and no bytes from elsewhere do harm."""

import struct
from hashlib import sha256

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from agreed.limits import BLOCK_RECORDS_MAX, TEXT_BYTES_MAX, WALL_MS_MAX
from agreed.records import (
    ClockState,
    Evidence,
    Record,
    RecordColumns,
    RecordError,
    to_columns,
    to_records,
)
from agreed.wire import (
    HASH_BYTES,
    MAGIC,
    NO_HASH,
    Origin,
    WireError,
    block_hash,
    decode_block,
    encode_block,
)

ORIGIN = Origin("acme", "lakeside", "box-1", bytes(range(16)), bytes(range(16, 32)))
HEADER_BYTES = 4 + 16 + 16 + 8 + 4 + 4 + 4 + 32 + 3

texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=TEXT_BYTES_MAX // 4)


@st.composite
def record_lists(draw: st.DrawFn) -> list[Record]:
    first = draw(st.integers(1, 2**40))
    count = draw(st.integers(1, 40))
    return [
        Record(
            sequence=first + i,
            mono_ns=draw(st.integers(0, 2**62)),
            wall_ms=draw(st.integers(0, WALL_MS_MAX)),
            bound_ms=draw(st.integers(0, WALL_MS_MAX)),
            clock_state=draw(st.sampled_from(ClockState)),
            evidence=draw(st.sampled_from(Evidence)),
            device=draw(texts),
            node_kind=draw(texts),
            subject=draw(texts),
            reference=draw(texts),
            detail=draw(texts),
        )
        for i in range(count)
    ]


def sample(count: int) -> RecordColumns:
    return to_columns(
        [
            Record(
                7 + i,
                i,
                1_700_000_000_000 + i,
                50,
                ClockState.SYNCED,
                Evidence.DEVICE,
                "gate-east",
                "gate_passed",
                f"r-{i:05d}",
            )
            for i in range(count)
        ]
    )


def rehash(body: bytes) -> bytes:
    return body + sha256(body).digest()


@given(record_lists(), st.binary(min_size=32, max_size=32))
def test_records_come_back_as_they_were(records: list[Record], previous: bytes) -> None:
    block = decode_block(encode_block(ORIGIN, previous, to_columns(records)))
    assert to_records(block.columns) == records
    assert (block.origin, block.previous) == (ORIGIN, previous)


def test_the_hash_is_the_sha256_of_everything_before_it() -> None:
    data = encode_block(ORIGIN, NO_HASH, sample(3))
    assert data[:4] == MAGIC
    assert block_hash(data) == sha256(data[:-HASH_BYTES]).digest() == decode_block(data).hash


def test_the_form_of_version_one_does_not_move() -> None:
    # The digest of the uncompressed parts: a change here is a new version of the wire.
    data = encode_block(ORIGIN, NO_HASH, sample(3))
    names = len("acme") + len("lakeside") + len("box-1")
    raw = zstandard.decompress(data[HEADER_BYTES + names : -HASH_BYTES])
    fixed = data[:44] + data[HEADER_BYTES - 3 : HEADER_BYTES + names] + raw
    assert (
        sha256(fixed).hexdigest()
        == "d604d7c16b75629feba840a4efc8673e6a83967e002de70348d498e704b521a3"
    )


def test_a_full_block_fits_a_message() -> None:
    columns = sample(BLOCK_RECORDS_MAX)
    assert len(decode_block(encode_block(ORIGIN, NO_HASH, columns)).columns) == BLOCK_RECORDS_MAX


def test_more_records_than_a_block_holds_are_refused() -> None:
    with pytest.raises(RecordError, match="1 to 10000 records"):
        encode_block(ORIGIN, NO_HASH, sample(BLOCK_RECORDS_MAX + 1))


@given(st.data())
def test_every_flipped_bit_is_refused(data: st.DataObject) -> None:
    block = bytearray(encode_block(ORIGIN, NO_HASH, sample(5)))
    bit = data.draw(st.integers(0, len(block) * 8 - 1))
    block[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError):
        decode_block(bytes(block))


def test_every_truncation_is_refused() -> None:
    block = encode_block(ORIGIN, NO_HASH, sample(5))
    for size in range(len(block)):
        with pytest.raises(WireError):
            decode_block(block[:size])


@given(st.binary(max_size=400))
def test_any_bytes_raise_nothing_but_the_one_error(data: bytes) -> None:
    for hostile in (data, rehash(data), rehash(MAGIC + data)):
        with pytest.raises(WireError):
            decode_block(hostile)


@settings(max_examples=300)
@given(st.data())
def test_hostile_payloads_with_a_good_hash_raise_nothing_else(data: st.DataObject) -> None:
    """The attacker repairs the hash, the sizes and the compression; only the inside is wrong."""
    block = encode_block(ORIGIN, NO_HASH, sample(data.draw(st.integers(1, 6))))
    names = len("acme") + len("lakeside") + len("box-1")
    raw = bytearray(zstandard.decompress(block[HEADER_BYTES + names : -HASH_BYTES]))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw
    packed = zstandard.compress(bytes(raw))
    header = bytearray(block[:HEADER_BYTES])
    struct.pack_into("<II", header, 48, len(raw), len(packed))
    hostile = rehash(bytes(header) + block[HEADER_BYTES : HEADER_BYTES + names] + packed)
    try:
        records = to_records(decode_block(hostile).columns)
    except WireError:
        return
    assert all(r.wall_ms <= WALL_MS_MAX for r in records)


def test_a_single_record_has_one_text_in_each_column_and_names_it() -> None:
    block = encode_block(ORIGIN, NO_HASH, sample(1))
    names = len("acme") + len("lakeside") + len("box-1")
    raw = zstandard.decompress(block[HEADER_BYTES + names : -HASH_BYTES])
    count_at = 3 * 8 + 2
    assert raw[count_at : count_at + 5] == b"\x01\0\0\0\x09"  # "gate-east"
    for at, value, why in (
        (count_at, 0, "impossible number"),
        (count_at, 2, "impossible number"),
        (count_at + 3, 1, "impossible number"),
        (count_at + 5 + 9, 1, "not a dictionary"),
        (len(raw) - 1, 1, "not a dictionary"),
        (count_at + 4, 8, "not a dictionary"),
        (len(raw) - 2, 1, "control characters"),  # the number is taken for the text
    ):
        spoiled = raw[:at] + bytes([value]) + raw[at + 1 :]
        packed = zstandard.compress(spoiled)
        header = bytearray(block[:HEADER_BYTES])
        struct.pack_into("<II", header, 48, len(spoiled), len(packed))
        with pytest.raises(WireError, match=why):
            decode_block(rehash(bytes(header) + block[HEADER_BYTES:][:names] + packed))


def test_a_decompression_bomb_is_refused_before_it_opens() -> None:
    block = encode_block(ORIGIN, NO_HASH, sample(2))
    names = len("acme") + len("lakeside") + len("box-1")
    bomb = zstandard.compress(bytes(64 * 1024 * 1024))
    header = bytearray(block[:HEADER_BYTES])
    for claimed in (100, 4 * 1024 * 1024):
        struct.pack_into("<II", header, 48, claimed, len(bomb))
        with pytest.raises(WireError, match="compressed size"):
            decode_block(rehash(bytes(header) + block[HEADER_BYTES : HEADER_BYTES + names] + bomb))


def test_times_that_jump_back_and_forth_keep_their_value() -> None:
    walls = np.array([0, WALL_MS_MAX, 0, WALL_MS_MAX], np.int64)
    columns = sample(4)
    jumping = RecordColumns(
        1, columns.mono_ns, walls, walls, columns.clock_state, columns.evidence, columns.texts
    )
    decoded = decode_block(encode_block(ORIGIN, NO_HASH, jumping)).columns
    assert decoded.wall_ms.tolist() == walls.tolist()
