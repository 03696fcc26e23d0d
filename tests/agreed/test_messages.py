"""Sync messages: each comes back as it was; other bytes raise one error."""

import random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from agreed.limits import (
    BURST_BLOCKS_MAX,
    BURST_RAW_BYTES_MAX,
    CONTROL_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    SENDABLE_BLOCK_BYTES_MAX,
)
from agreed.messages import (
    TOPIC_LEVELS,
    VERSION,
    Applied,
    BlockSent,
    BlocksSent,
    Committed,
    DirectivesSent,
    Hello,
    Message,
    MessageError,
    Parted,
    Refusal,
    Refused,
    Status,
    TimeAsked,
    TimeTold,
    client_id,
    decode_message,
    encode_message,
    topic,
)
from tests.cloud.world import T0, Chain, alive

BLOCKS = (BlockSent, BlocksSent)  # a block has its own hash, a burst its own signature
ID, HASH = "0f" * 16, "a0" * 32
MESSAGES: list[Message] = [
    Hello(epoch=ID, head_sequence=9, directive_stream=ID, applied_through=2),
    BlockSent(data=b"any bytes"),
    BlocksSent(blocks=[b"one", b"another"], signature=bytes(range(64))),
    BlocksSent(blocks=[b"now"], signature=bytes(64), is_ahead=True),
    Parted(epoch=ID, asked_through=9, through=7, head=HASH),
    Committed(epoch=ID, through=7, head=HASH),
    Committed(epoch=ID, through=0, head="00" * 32, is_resend=True),
    Refused(refusal=Refusal.FORKED, reason="two histories"),
    DirectivesSent(stream=ID, first=1, directives=["{}", "[]"]),
    Applied(stream=ID, through=2),
    TimeAsked(mono_ns=2**61),
    TimeTold(mono_ns=2**61, time_ns=2**62, error_ns=3_000_000, is_synced=True),
    Status(
        at_ms=1,
        bound_ms=2,
        clock_state=2,
        head_sequence=3,
        waiting_records=4,
        oldest_waiting_ms=5,
        devices_lost=["gate-east"],
        verdicts={"KEPT": 3},
        at_risk=1,
    ),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert decode_message(encode_message(message)) == message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_every_truncation_of_a_control_message_is_refused(message: Message) -> None:
    data = encode_message(message)
    if isinstance(message, BlockSent):
        data = data[:3]
    for size in range(len(data)):
        with pytest.raises(MessageError):
            decode_message(data[:size])


@given(st.binary(max_size=200), st.integers(0, 255))
def test_any_bytes_raise_nothing_but_the_one_error(data: bytes, kind: int) -> None:
    packed = zstandard.compress(data)
    for hostile in (data, VERSION + data, VERSION + bytes([kind]) + packed):
        try:
            decode_message(hostile)
        except MessageError:
            continue


def test_a_body_larger_than_allowed_is_refused_on_both_sides() -> None:
    bomb = VERSION + b"\x01" + zstandard.compress(bytes(CONTROL_BYTES_MAX + 1))
    with pytest.raises(MessageError, match="too large"):
        decode_message(bomb)
    with pytest.raises(MessageError, match="fewer directives"):
        encode_message(DirectivesSent(stream=ID, first=1, directives=["x" * CONTROL_BYTES_MAX]))
    with pytest.raises(MessageError, match="too large"):
        encode_message(BlockSent(data=bytes(MESSAGE_BYTES_MAX)))


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'{"epoch":"xyz","head_sequence":1}', b"\xff\xfe", b'{"stream":"' + b"0" * 32],
)
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(MessageError, match="body"):
        decode_message(VERSION + b"\x01" + zstandard.compress(body))


def test_topics_carry_version_company_site_and_box() -> None:
    name = topic("acme", "lakeside", "box-1", "up")
    assert name == "duifu/1/acme/lakeside/box-1/up"
    assert len(name.split("/")) == TOPIC_LEVELS


def test_only_who_knows_the_password_can_name_the_client() -> None:
    ours = client_id("acme/lakeside/box-1", "secret")
    assert ours == client_id("acme/lakeside/box-1", "secret")
    assert ours != client_id("acme/lakeside/box-1", "guess")
    assert ours != client_id("acme/lakeside/box-2", "secret")
    assert len(ours) <= 23
    assert client_id("acme/lakeside/box-1", None)


def test_no_bit_that_flips_on_the_way_makes_another_control_message() -> None:
    for message in MESSAGES:
        data = encode_message(message)
        for at in range(0 if isinstance(message, BLOCKS) else len(data) * 8):
            flipped = bytearray(data)
            flipped[at // 8] ^= 1 << at % 8
            try:
                decoded = decode_message(bytes(flipped))
            except MessageError:
                continue
            assert decoded == message or isinstance(decoded, BLOCKS)


def burst(*parts: bytes) -> bytes:
    return VERSION + b"\x08" + bytes(64) + zstandard.compress(b"".join(parts))


def size(number: int) -> bytes:
    return number.to_bytes(4, "little")


@pytest.mark.parametrize(
    "parts",
    [
        [b"abc"],
        [size(0)],
        [size(BURST_BLOCKS_MAX + 1), bytes(4 * BURST_BLOCKS_MAX + 4)],
        [size(2), size(1)],
        [size(1), size(0)],
        [size(1), size(3), b"ab"],
        [size(1), size(1), b"ab"],
        [size(1), size(2**32 - 1), b"ab"],
    ],
)
def test_blocks_whose_lengths_do_not_add_up_are_refused(parts: list[bytes]) -> None:
    with pytest.raises(MessageError, match="blocks"):
        decode_message(burst(*parts))


def test_a_burst_of_blocks_cannot_fill_the_memory() -> None:
    with pytest.raises(MessageError, match="too large"):
        decode_message(burst(bytes(BURST_RAW_BYTES_MAX + 1)))
    with pytest.raises(MessageError, match="blocks"):
        decode_message(burst(size(1), size(3), b"abc")[:-1])


def test_a_block_that_may_be_journaled_fits_into_one_message() -> None:
    noise = random.Random(1).randbytes(SENDABLE_BLOCK_BYTES_MAX)
    message = BlocksSent(blocks=[noise], signature=bytes(64))
    assert decode_message(encode_message(message)) == message


def test_small_blocks_that_travel_together_are_packed_together() -> None:
    chain = Chain()
    blocks = [chain.block(alive(T0 + i)) for i in range(100)]
    data = encode_message(BlocksSent(blocks=blocks, signature=bytes(64)))
    assert len(data) < sum(map(len, blocks)) / 2
