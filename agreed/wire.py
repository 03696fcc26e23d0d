"""The wire form of a block: versioned, columnar, compressed, hashed, chained. See docs/wire.md."""

import struct
import threading
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final

import numpy as np
import numpy.typing as npt
import zstandard

from agreed.limits import BLOCK_BYTES_MAX, BLOCK_RAW_BYTES_MAX, BLOCK_RECORDS_MAX, WALL_MS_MAX
from agreed.records import (
    TEXT_COLUMNS,
    ClockState,
    Evidence,
    Int32s,
    Int64s,
    RecordColumns,
    RecordError,
    check_text,
)

MAGIC: Final = b"DFB1"
HASH_BYTES: Final = 32
NO_HASH: Final = bytes(HASH_BYTES)
"""The previous hash of the first block of a journal epoch."""

_HEADER: Final = struct.Struct("<4s16s16sQIII32s3B")
_WINDOW_LOG_MAX: Final = 22
_SEQUENCE_MAX: Final = 2**62
_OF_THREAD: Final = threading.local()
_FEW: Final = 16
"""Up to so many records plain integers are faster than arrays: most blocks hold a few."""

_TEXTS_REMEMBERED: Final = 4_096
"""Names, devices and kinds come again and again; they are read and checked once."""


class WireError(ValueError):
    """The bytes are not a block; the only error that `decode_block` raises."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a chain of blocks comes from.

    Attributes:
        company, site, box: names as in `limits.NAME_PATTERN`.
        epoch: 16 random bytes, new whenever a journal begins.
        boot: 16 bytes, new at every start of the box.
    """

    company: str
    site: str
    box: str
    epoch: bytes
    boot: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Records committed together, with their place in the chain.

    Attributes:
        origin: whose chain.
        previous: 32 bytes, hash of the block before; NO_HASH for the first.
        columns: the records.
        hash: 32 bytes, SHA-256 of everything else in the encoded form.
    """

    origin: Origin
    previous: bytes
    columns: RecordColumns
    hash: bytes


def encode_block(origin: Origin, previous: bytes, columns: RecordColumns) -> bytes:
    """Encode records as one block; the last 32 bytes are its hash.

    Raises:
        RecordError: no records, or more than one block may hold.
    """
    if not 1 <= len(columns) <= BLOCK_RECORDS_MAX:
        raise RecordError(f"block: 1 to {BLOCK_RECORDS_MAX} records, not {len(columns)}")
    raw = _payload(columns)
    packed = _compressor().compress(raw)
    lengths, names = _named(origin.company, origin.site, origin.box)
    header = _HEADER.pack(
        MAGIC,
        origin.epoch,
        origin.boot,
        columns.first_sequence,
        len(columns),
        len(raw),
        len(packed),
        previous,
        *lengths,
    )
    body = b"".join((header, names, packed))
    if len(body) + HASH_BYTES > BLOCK_BYTES_MAX or len(raw) > BLOCK_RAW_BYTES_MAX:
        raise RecordError("block: too large; commit fewer records together")
    return body + sha256(body).digest()


@lru_cache(_TEXTS_REMEMBERED)
def _named(*names: str) -> tuple[list[int], bytes]:
    encoded = [name.encode() for name in names]
    return list(map(len, encoded)), b"".join(encoded)


def block_hash(data: bytes) -> bytes:
    """Give the hash that an encoded block carries at its end."""
    return data[-HASH_BYTES:]


def claimed_end(data: bytes) -> tuple[bytes, int, bytes]:
    """Read what a block says that it ends: its journal's epoch, its last sequence and its hash.

    Raises:
        WireError: it says nothing.
    """
    if len(data) < _HEADER.size + HASH_BYTES:
        raise WireError("length is out of range")
    _, epoch, _, first, count, *_ = _HEADER.unpack_from(data)
    if not (1 <= first <= _SEQUENCE_MAX and count >= 1):
        raise WireError("count or sequence is out of range")
    return epoch, first + count - 1, block_hash(data)


def claimed_count(data: bytes) -> int:
    """Read how many records a block says that it holds, unverified; 0 if it says nothing."""
    return _HEADER.unpack_from(data)[4] if len(data) >= _HEADER.size else 0


def decode_block(data: bytes) -> Block:
    """Decode and verify one block; bounded in memory whatever the bytes.

    Raises:
        WireError: anything at all is wrong with the bytes.
    """
    if not _HEADER.size + HASH_BYTES < len(data) <= BLOCK_BYTES_MAX:
        raise WireError("length is out of range")
    if sha256(data[:-HASH_BYTES]).digest() != data[-HASH_BYTES:]:
        raise WireError("hash does not match")
    magic, epoch, boot, first, count, raw_bytes, packed_bytes, previous, *lengths = _HEADER.unpack(
        data[: _HEADER.size]
    )
    if magic != MAGIC:
        raise WireError("not a block of a known version")
    if not (1 <= count <= BLOCK_RECORDS_MAX and 1 <= first <= _SEQUENCE_MAX):
        raise WireError("count or sequence is out of range")
    body = data[_HEADER.size : -HASH_BYTES]
    if raw_bytes > BLOCK_RAW_BYTES_MAX or sum(lengths) + packed_bytes != len(body):
        raise WireError("lengths do not add up")
    company, site, box = _names(body, lengths)
    raw = _decompress(body[sum(lengths) :], raw_bytes)
    columns = _columns(_Reader(raw), first, count)
    return Block(Origin(company, site, box, epoch, boot), previous, columns, data[-HASH_BYTES:])


def _compressor() -> zstandard.ZstdCompressor:
    """Keep one for each thread: it may be used again but not shared."""
    found: zstandard.ZstdCompressor | None = getattr(_OF_THREAD, "compressor", None)
    if found is None:
        found = _OF_THREAD.compressor = zstandard.ZstdCompressor(level=3, write_checksum=False)
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    """Keep one for each thread, likewise."""
    found: zstandard.ZstdDecompressor | None = getattr(_OF_THREAD, "decompressor", None)
    if found is None:
        found = _OF_THREAD.decompressor = zstandard.ZstdDecompressor()
    return found


def _names(body: bytes, lengths: list[int]) -> list[str]:
    names, start = [], 0
    for length in lengths:
        names.append(_text(body[start : start + length]))
        start += length
    return names


def _decompress(packed: bytes, raw_bytes: int) -> bytes:
    try:
        frame = zstandard.get_frame_parameters(packed)
        # The library trusts the frame's own size above max_output_size, so it is checked first.
        if frame.content_size != raw_bytes or frame.window_size > 2**_WINDOW_LOG_MAX:
            raise WireError("compressed size is not what the header says")
        return _decompressor().decompress(packed, max_output_size=raw_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise WireError(f"payload: {error}") from None


@lru_cache(_TEXTS_REMEMBERED)
def _text(data: bytes) -> str:
    try:
        text = data.decode()
        check_text("text", text)
    except (UnicodeDecodeError, RecordError) as error:
        raise WireError(str(error)) from None
    return text


# Payload: three integer columns, two byte columns, five text columns.
#
# An integer column is the differences, zigzagged, as eight planes of bytes: plane k holds byte k
# of every value. Neighbouring times differ by little, so the high planes are zero and compress
# to nothing. A text column is its distinct texts (count, lengths, bytes) and an index per record.


def _payload(columns: RecordColumns) -> bytes:
    is_few = len(columns) <= _FEW
    integers = (columns.mono_ns, columns.wall_ms, columns.bound_ms)
    parts = [_few_planes(c.tolist()) if is_few else _planes(c) for c in integers]
    parts += [columns.clock_state.tobytes(), columns.evidence.tobytes()]
    for name in TEXT_COLUMNS:
        distinct, index = columns.texts[name]
        encoded = [t.encode() for t in distinct]
        parts.append(len(encoded).to_bytes(4, "little"))
        parts.append(bytes(map(len, encoded)))
        parts.extend(encoded)
        numbers = bytes(index.tolist()) if is_few else _index_bytes(index, len(encoded))
        parts.append(numbers)
    return b"".join(parts)


def _planes(values: Int64s) -> bytes:
    steps = values.copy()
    steps[1:] -= values[:-1]  # what np.diff does, at a third of its price for few values
    zigzag = ((steps << 1) ^ (steps >> 63)).astype("<u8")
    return zigzag.view(np.uint8).reshape(-1, 8).T.tobytes()


def _few_planes(values: list[int]) -> bytes:
    planes, before, count = bytearray(8 * len(values)), 0, len(values)
    for row, value in enumerate(values):
        step, before = value - before, value
        planes[row::count] = ((step << 1) ^ (step >> 63)).to_bytes(8, "little")
    return bytes(planes)


def _index_bytes(index: Int32s, distinct_count: int) -> bytes:
    return index.astype(_index_type(distinct_count)).tobytes()


_INDEX_BYTE_MAX: Final = 0xFF


def _index_type(distinct_count: int) -> npt.DTypeLike:
    return "<u1" if distinct_count <= _INDEX_BYTE_MAX else "<u2"


_UNKNOWN_STATES: Final = bytes(set(range(256)) - set(ClockState))
_UNKNOWN_EVIDENCE: Final = bytes(set(range(256)) - set(Evidence))


class _Reader:
    """A cursor over the payload that never reads past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise WireError("payload ends too early")
        self._at += size
        return self._data[self._at - size : self._at]

    def finish(self) -> None:
        if self._at != len(self._data):
            raise WireError("payload is longer than its columns")


def _columns(reader: _Reader, first: int, count: int) -> RecordColumns:
    planes = reader.take(24 * count)
    mono, wall, bound = _few_integers(planes, count) if count <= _FEW else _integers(planes, count)
    state, evidence = reader.take(count), reader.take(count)
    # Taking away what is unknown must leave everything: one pass without arrays.
    if len(state.translate(None, _UNKNOWN_STATES)) != count:
        raise WireError("unknown clock state")
    if len(evidence.translate(None, _UNKNOWN_EVIDENCE)) != count:
        raise WireError("unknown evidence class")
    if count == 1:
        texts = {name: _one_text(reader) for name in TEXT_COLUMNS}
    else:
        texts = {name: _distinct_texts(reader, count) for name in TEXT_COLUMNS}
    reader.finish()
    states, kinds = np.frombuffer(state, np.uint8), np.frombuffer(evidence, np.uint8)
    return RecordColumns(first, mono, wall, bound, states, kinds, texts)


_MOST: Final = (2**62, WALL_MS_MAX, WALL_MS_MAX)
_MOST_COLUMN: Final = np.array(_MOST, np.int64).reshape(3, 1)


def _integers(data: bytes, count: int) -> Int64s:
    planes = np.frombuffer(data, np.uint8).reshape(3, 8, count)
    zigzag = np.ascontiguousarray(planes.transpose(0, 2, 1)).view("<u8").reshape(3, count)
    steps = (zigzag >> np.uint64(1)).astype(np.int64) ^ -(zigzag & np.uint64(1)).astype(np.int64)
    # Differences of values in [0, most] stay within ±most; with that the running sum cannot wrap
    # unnoticed, because each prefix is checked to lie in [0, most].
    if (steps > _MOST_COLUMN).any() or (steps < -_MOST_COLUMN).any():
        raise WireError("integer step is out of range")
    values = steps.cumsum(axis=1, dtype=np.int64)
    if (values < 0).any() or (values > _MOST_COLUMN).any():
        raise WireError("integer is out of range")
    return values


def _few_integers(data: bytes, count: int) -> Int64s:
    columns = []
    for number, most in enumerate(_MOST):
        planes = data[8 * count * number : 8 * count * (number + 1)]
        value, column = 0, []
        for row in range(count):
            zigzag = int.from_bytes(planes[row::count], "little")
            value += (zigzag >> 1) ^ -(zigzag & 1)
            if not 0 <= value <= most:
                raise WireError("integer is out of range")
            column.append(value)
        columns.append(column)
    return np.array(columns, np.int64)


_ONE: Final = (1).to_bytes(4, "little")
_FIRST: Final = np.zeros(1, np.int32)
_FIRST.flags.writeable = False


def _one_text(reader: _Reader) -> tuple[list[str], Int32s]:
    """Read what `_distinct_texts` reads, of a single record: a quiet site's blocks are such."""
    if reader.take(4) != _ONE:
        raise WireError("text column has an impossible number of texts")
    text = _text(reader.take(reader.take(1)[0]))
    if reader.take(1) != b"\0":
        raise WireError("text column is not a dictionary")
    return [text], _FIRST


def _distinct_texts(reader: _Reader, count: int) -> tuple[list[str], Int32s]:
    distinct_count = int.from_bytes(reader.take(4), "little")
    if not 1 <= distinct_count <= count:
        raise WireError("text column has an impossible number of texts")
    distinct = [_text(reader.take(length)) for length in reader.take(distinct_count)]
    kind, size = (np.uint8, 1) if distinct_count <= _INDEX_BYTE_MAX else ("<u2", 2)
    data = reader.take(count * size)
    index = np.frombuffer(data, kind).astype(np.int32)
    last = max(data) if count <= _FEW else index.max()
    if last >= distinct_count or len(set(distinct)) != distinct_count:
        raise WireError("text column is not a dictionary")
    return distinct, index
