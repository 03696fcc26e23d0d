"""The messages of the sync between a box and headquarters. See docs/wire.md.

A message is the two bytes "D1", a kind byte, and a body: a block as it is, or zstd-compressed JSON.
"""

from enum import IntEnum
from hashlib import sha256
from typing import Annotated, Final

import zstandard
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agreed.limits import (
    CONTROL_BYTES_MAX,
    DIRECTIVES_PER_MESSAGE_MAX,
    MESSAGE_BYTES_MAX,
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


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Hello(_Message):
    """Box to headquarters, after every connection, repeated until `Committed` comes.

    Attributes:
        epoch: hex of the journal's epoch.
        head_sequence: last record in the journal, 0 for none.
        directive_stream: hex id of the directive stream the box follows, zeros for none yet.
        applied_through: number of the last directive applied.
    """

    epoch: Hex16
    head_sequence: Count
    directive_stream: Hex16
    applied_through: Count


class BlockSent(_Message):
    """Box to headquarters: one block, see `wire`."""

    data: bytes


class Committed(_Message):
    """Headquarters to box: everything through `through` is in the database, for good.

    Attributes:
        epoch: hex of the journal's epoch it speaks of.
        through: last committed sequence, 0 for none.
        head: hex hash of the block that ends there, zeros for none.
        is_resend: send again from through + 1: something was missing in between.
    """

    epoch: Hex16
    through: Count
    head: Hex32
    is_resend: bool = False


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


Message = Hello | BlockSent | Committed | Refused | DirectivesSent | Applied | Status

# Wire numbers are never reused.
_BLOCK: Final = 2
_KINDS: Final[dict[int, type[_Message]]] = {
    1: Hello,
    3: Committed,
    4: Refused,
    5: DirectivesSent,
    6: Applied,
    7: Status,
}
_NUMBERS: Final = {kind: number for number, kind in _KINDS.items()}


def encode_message(message: Message) -> bytes:
    """Write a message.

    Raises:
        MessageError: its body is larger than a message may be.
    """
    if isinstance(message, BlockSent):
        data = VERSION + bytes([_BLOCK]) + message.data
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
