"""A signature covers exactly what it says, and nothing else passes for it."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agreed.messages import Hello
from agreed.signing import (
    end_statement,
    fingerprint,
    head_statement,
    hello_statement,
    is_signed,
)
from agreed.wire import WireError, block_hash
from tests.cloud.world import T0, Chain, alive

NAMES = ("acme", "north", "gate-box")
# RFC 8032, 7.1, TEST 3.
SECRET = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
PUBLIC = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def test_the_standards_own_vector_is_verified() -> None:
    assert is_signed(PUBLIC, bytes.fromhex("af82"), SIGNATURE)
    assert not is_signed(PUBLIC, bytes.fromhex("af83"), SIGNATURE)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(32), PUBLIC[::-1], PUBLIC + b"x"])
def test_another_key_or_none_verifies_nothing(key: bytes) -> None:
    assert not is_signed(key, bytes.fromhex("af82"), SIGNATURE)


@pytest.mark.parametrize("signature", [b"", bytes(64), SIGNATURE[:-1], SIGNATURE + b"x"])
def test_another_signature_or_none_verifies_nothing(signature: bytes) -> None:
    assert not is_signed(PUBLIC, bytes.fromhex("af82"), signature)


def test_every_flipped_bit_of_a_signature_is_seen() -> None:
    for at in range(len(SIGNATURE) * 8):
        flipped = bytearray(SIGNATURE)
        flipped[at // 8] ^= 1 << at % 8
        assert not is_signed(PUBLIC, bytes.fromhex("af82"), bytes(flipped))


def test_the_end_of_a_chain_is_its_epoch_its_last_record_and_its_hash() -> None:
    block = Chain().block(alive(T0), alive(T0 + 1))
    assert end_statement(block) == head_statement(b"e" * 16, 2, block_hash(block))
    key = Ed25519PrivateKey.from_private_bytes(SECRET)
    signature = key.sign(end_statement(block))
    for other in (
        head_statement(b"f" * 16, 2, block_hash(block)),
        head_statement(b"e" * 16, 3, block_hash(block)),
        head_statement(b"e" * 16, 2, bytes(32)),
    ):
        assert not is_signed(PUBLIC, other, signature)


@pytest.mark.parametrize("data", [b"", b"DFB1", bytes(200)])
def test_what_is_no_block_has_no_end(data: bytes) -> None:
    with pytest.raises(WireError):
        end_statement(data)


def test_a_greeting_is_signed_for_one_box() -> None:
    hello = Hello(epoch="ab" * 16, head_sequence=1, directive_stream="00" * 16, applied_through=0)
    statement = hello_statement(NAMES, hello.signed_part())
    assert statement != hello_statement(("acme", "north", "gate"), b"-box" + hello.signed_part())
    more = hello.model_copy(update={"head_sequence": 2})
    assert statement != hello_statement(NAMES, more.signed_part())
    signed = hello.model_copy(update={"signature": "11" * 64})
    assert statement == hello_statement(NAMES, signed.signed_part())
    assert statement[:16] != head_statement(bytes(16), 1, bytes(32))[:16]


def test_a_fingerprint_can_be_read_out_loud() -> None:
    assert fingerprint(PUBLIC).count("-") == 4
    assert len(fingerprint(PUBLIC)) == 24
    assert fingerprint(PUBLIC) != fingerprint(bytes(32))
