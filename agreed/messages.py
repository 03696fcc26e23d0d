"""The messages of the sync between a box and headquarters. See docs/wire.md.

A message is the two bytes "D1", a kind byte, and a body: blocks under one signature, or
zstd-compressed JSON.
"""

import struct
from enum import IntEnum
from hashlib import sha256
from typing import Annotated, Final

import zstandard
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agreed.limits import (
    BLOCK_BYTES_MAX,
    BURST_BLOCKS_MAX,
    BURST_RAW_BYTES_MAX,
    CONTROL_BYTES_MAX,
    DIRECTIVES_PER_MESSAGE_MAX,
    MESSAGE_BYTES_MAX,
    SIGNATURE_BYTES,
    TRAIL_PLACES_MAX,
)

VERSION: Final = b"D1"
Count = Annotated[int, Field(ge=0, le=2**62)]
Hex16 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class MessageError(ValueError):
    """The bytes are not a message; the only error that `decode_message` raises."""


class Refusal(IntEnum):
    """Why headquarters takes no block of a box; the numbers are never reused."""

    UNKNOWN_BOX = 1  # not enrolled
    FORKED = 2  # another history for the same sequences: a cloned card or a rewritten journal
    MALFORMED = 3  # cannot be decoded; it would be the same next time
    UNSIGNED = 4  # without a signature, or not signed by the key that it names
    OTHER_KEY = 5  # signed by another key than the one that a person accepted


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TrailPlace(_Message):
    """A place in a box's chain: a block ends at `through` with this hash."""

    through: Count
    head: Hex32


class Hello(_Message):
    """Box to headquarters, after every connection, repeated until `Committed` comes.

    Attributes:
        epoch: hex of the journal's epoch.
        head_sequence: last record in the journal, 0 for none.
        directive_stream: hex id of the directive stream the box follows, zeros for none yet.
        applied_through: number of the last directive applied.
        trail: places of its chain, the newest first, when what headquarters holds is not in it.
        key: hex of the box's public key; "" from a box that has none.
        signature: hex, over everything else, see `signed_part`.
    """

    epoch: Hex16
    head_sequence: Count
    directive_stream: Hex16
    applied_through: Count
    trail: Annotated[list[TrailPlace], Field(max_length=TRAIL_PLACES_MAX)] = []
    key: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    signature: Annotated[str, Field(pattern=r"^([0-9a-f]{128})?$")] = ""

    def signed_part(self) -> bytes:
        """Write what the signature covers, besides the names of the box."""
        return self.model_dump_json(exclude={"signature"}).encode()


class BlockSent(_Message):
    """One block alone, as boxes without a key sent it; headquarters refuses it."""

    data: bytes


class BlocksSent(_Message):
    """Box to headquarters: consecutive blocks, see `wire`, under one signature.

    Attributes:
        blocks: as encoded, each following the one before.
        signature: 64 bytes, over the head statement of the last block.
        is_ahead: they are shown before what is missing is committed, and will come again.
    """

    blocks: list[bytes]
    signature: bytes
    is_ahead: bool = False


class Committed(_Message):
    """Headquarters to box: everything through `through` is in the database, for good.

    Attributes:
        epoch: hex of the journal's epoch it speaks of.
        through: last committed sequence, 0 for none.
        head: hex hash of the block that ends there, zeros for none.
        is_resend: send again from through + 1: something was missing in between.
        missing_through: the last sequence that is missing; 0 if everything after is.
    """

    epoch: Hex16
    through: Count
    head: Hex32
    is_resend: bool = False
    missing_through: Count = 0


class Parted(_Message):
    """Headquarters to box: the newest place of your trail that it holds, too.

    Attributes:
        epoch: hex of the journal's epoch it speaks of.
        asked_through: the newest place of the trail that this answers.
        through: its last sequence, 0 if there is none.
        head: hex hash of the block that ends there, zeros for none.
    """

    epoch: Hex16
    asked_through: Count
    through: Count
    head: Hex32


class Refused(_Message):
    """Headquarters to box: no block of yours is taken until a person has looked."""

    refusal: int
    reason: str


class DirectivesSent(_Message):
    """Headquarters to box: directives first, first + 1, … of a stream.

    Attributes:
        stream: hex id of the stream; a new one means headquarters began anew.
        first: number of the first directive, >= 1.
        directives: JSON of each, see `directives`.
    """

    stream: Hex16
    first: Annotated[int, Field(ge=1, le=2**62)]
    directives: Annotated[list[str], Field(min_length=1, max_length=DIRECTIVES_PER_MESSAGE_MAX)]


class Applied(_Message):
    """Box to headquarters: directives through `through` are applied and durable."""

    stream: Hex16
    through: Count


class Status(_Message):
    """Box to headquarters, every few seconds: how it is. Shown, never paid from.

    Attributes:
        at_ms: the box's wall clock, ms.
        bound_ms: error of that clock, ms.
        clock_state: `records.ClockState` value.
        head_sequence: last record journaled.
        waiting_records: how many are not yet committed at headquarters.
        oldest_waiting_ms: age of the oldest of them, ms; 0 for none.
        devices_lost: names of devices that do not answer.
        verdicts: the box's own count of promises by `promises.Verdict` name.
        at_risk: open promises that need help now.
    """

    at_ms: Count
    bound_ms: Count
    clock_state: int
    head_sequence: Count
    waiting_records: Count
    oldest_waiting_ms: Count
    devices_lost: Annotated[list[str], Field(max_length=256)] = []
    verdicts: dict[str, Count] = {}
    at_risk: Count = 0


class TimeAsked(_Message):
    """Box to headquarters: what time is it? Answered at once, whatever else waits.

    Attributes:
        mono_ns: the box's monotonic clock, ns; comes back with the answer.
    """

    mono_ns: Count


class TimeTold(_Message):
    """Headquarters to box: the time when it read its clock, between question and answer.

    Attributes:
        mono_ns: of the question.
        time_ns: ns since the epoch.
        error_ns: how far that may be wrong, ns.
        is_synced: whether a time source steers headquarters' clock; if not, it tells nothing.
    """

    mono_ns: Count
    time_ns: Count
    error_ns: Count
    is_synced: bool


Message = (
    Hello
    | BlockSent
    | BlocksSent
    | Committed
    | Refused
    | DirectivesSent
    | Applied
    | Status
    | Parted
    | TimeAsked
    | TimeTold
)

# Wire numbers are never reused.
_BLOCK: Final = 2
_BLOCKS: Final = 8
_BLOCKS_AHEAD: Final = 9
_COUNT: Final = struct.Struct("<I")
_WINDOW_LOG_MAX: Final = 22
_KINDS: Final[dict[int, type[_Message]]] = {
    1: Hello,
    3: Committed,
    4: Refused,
    5: DirectivesSent,
    6: Applied,
    7: Status,
    10: Parted,
    11: TimeAsked,
    12: TimeTold,
}
_NUMBERS: Final = {kind: number for number, kind in _KINDS.items()}


def encode_message(message: Message) -> bytes:
    """Write a message.

    Raises:
        MessageError: its body is larger than a message may be.
    """
    if isinstance(message, BlockSent):
        data = VERSION + bytes([_BLOCK]) + message.data
    elif isinstance(message, BlocksSent):
        data = _blocks_body(message)
    else:
        body = message.model_dump_json().encode()
        if len(body) > CONTROL_BYTES_MAX:
            raise MessageError("body is too large; send fewer directives together")
        # With a checksum: a bit that flips in a broker's store must not become another directive.
        packed = zstandard.ZstdCompressor(write_checksum=True).compress(body)
        data = VERSION + bytes([_NUMBERS[type(message)]]) + packed
    if len(data) > MESSAGE_BYTES_MAX:
        raise MessageError("message is too large")
    return data


def decode_message(data: bytes) -> Message:
    """Read a message; bounded in memory whatever the bytes. A block's inside is not looked at.

    Raises:
        MessageError: anything at all is wrong with the bytes.
    """
    if not len(VERSION) + 1 < len(data) <= MESSAGE_BYTES_MAX or data[:2] != VERSION:
        raise MessageError("not a message of a known version")
    if data[2] == _BLOCK:
        return BlockSent(data=data[3:])
    if data[2] in {_BLOCKS, _BLOCKS_AHEAD}:
        return _blocks_sent(data[3:], is_ahead=data[2] == _BLOCKS_AHEAD)
    kind = _KINDS.get(data[2])
    if kind is None:
        raise MessageError(f"unknown kind {data[2]}")
    try:
        size = zstandard.frame_content_size(data[3:])
        if not 0 < size <= CONTROL_BYTES_MAX:
            raise MessageError("body is too large or does not say its size")
        body = zstandard.ZstdDecompressor().decompress(data[3:], allow_extra_data=False)
        return kind.model_validate_json(body)  # type: ignore[return-value]
    except zstandard.ZstdError as error:
        raise MessageError(f"body: {error}") from None
    except ValidationError as error:
        raise MessageError(f"body: {error.errors(include_url=False)[0]['msg']}") from None


def _blocks_body(message: BlocksSent) -> bytes:
    number = _BLOCKS_AHEAD if message.is_ahead else _BLOCKS
    parts = [_COUNT.pack(len(message.blocks))]
    parts += [_COUNT.pack(len(block)) for block in message.blocks]
    # Small blocks repeat their names and each other's hashes; a large one is compressed already.
    packed = zstandard.ZstdCompressor(level=1).compress(b"".join([*parts, *message.blocks]))
    return VERSION + bytes([number]) + message.signature + packed


def _blocks_sent(body: bytes, *, is_ahead: bool) -> BlocksSent:
    signature, packed = body[:SIGNATURE_BYTES], body[SIGNATURE_BYTES:]
    try:
        frame = zstandard.get_frame_parameters(packed)
        if not 0 < frame.content_size <= BURST_RAW_BYTES_MAX or frame.window_size > (
            1 << _WINDOW_LOG_MAX
        ):
            raise MessageError("blocks are too large or do not say their size")
        raw = zstandard.ZstdDecompressor().decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise MessageError(f"blocks: {error}") from None
    blocks = _cut(raw)
    return BlocksSent.model_construct(blocks=blocks, signature=signature, is_ahead=is_ahead)


def _cut(raw: bytes) -> list[bytes]:
    if len(raw) < _COUNT.size:
        raise MessageError("blocks end too early")
    (count,) = _COUNT.unpack_from(raw)
    at = _COUNT.size * (1 + count)
    if not 1 <= count <= BURST_BLOCKS_MAX or at > len(raw):
        raise MessageError("blocks: their number is out of range")
    blocks = []
    for (size,) in _COUNT.iter_unpack(raw[_COUNT.size : at]):
        if not 0 < size <= min(BLOCK_BYTES_MAX, len(raw) - at):
            raise MessageError("blocks: their lengths do not add up")
        blocks.append(raw[at : at + size])
        at += size
    if at != len(raw):
        raise MessageError("blocks: their lengths do not add up")
    return blocks


TOPIC_LEVELS: Final = 6
"""Levels of every topic that `topic` names."""


def topic(company: str, site: str, box: str, leaf: str) -> str:
    """Name an MQTT topic: leaf is "up", "down" or "presence"; "+" may stand for any name."""
    return f"duifu/1/{company}/{site}/{box}/{leaf}"


def client_id(name: str, password: str | None) -> str:
    """Name an MQTT client so that only who knows its password can take its place.

    A broker ends a client when another comes with the same id, whoever that is. The id stays the
    same over restarts, so that a client replaces its own dead connection. 22 characters: MQTT
    3.1.1, 3.1.3.1, lets a server refuse more than 23.
    """
    digest = sha256(f"{name}\n{password or ''}".encode()).hexdigest()
    return f"duifu-{digest[:16]}"
