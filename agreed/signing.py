"""What the signatures of a box cover, and how headquarters verifies them: Ed25519, RFC 8032.

A block names the hash of the block before it, so one signature over the head of a chain covers
every record up to there. Each kind of statement begins with its own words, so that no signature
can stand for another.
"""

import struct
from hashlib import sha256
from typing import Final

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from agreed.limits import SIGNATURE_BYTES
from agreed.wire import claimed_end

KEY_BYTES: Final = 32
_FINGERPRINT_GROUPS: Final = 5
_HEAD: Final = struct.Struct("<16s16sQ32s")
_HEAD_WORDS: Final = b"duifu head 1\0\0\0\0"
_HELLO_WORDS: Final = b"duifu hello 1\0\0\0"


def head_statement(epoch: bytes, through: int, head: bytes) -> bytes:
    """Write what a box signs of its chain: its journal ends at `through` with this hash.

    Args:
        epoch: 16 bytes.
        through: last sequence of the block.
        head: 32 bytes, hash of the block; it covers the names of the box and all before it.
    """
    return _HEAD.pack(_HEAD_WORDS, epoch, through, head)


def end_statement(block: bytes) -> bytes:
    """Write what a box signs when a block, as encoded, is the end of its chain.

    Raises:
        WireError: it is no block.
    """
    return head_statement(*claimed_end(block))


def hello_statement(names: tuple[str, str, str], body: bytes) -> bytes:
    """Write what a box signs of its greeting: company, site and box, and the rest of it."""
    return _HELLO_WORDS + "/".join(names).encode() + b"\0" + body


def is_signed(key: bytes, statement: bytes, signature: bytes) -> bool:
    """Say whether the owner of a public key has signed a statement; False for any nonsense."""
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        VerifyKey(key).verify(statement, signature)
    except BadSignatureError:
        return False
    return True


def fingerprint(key: bytes) -> str:
    """Shorten a public key for people who compare it: five groups of four hexadecimal digits."""
    digits = sha256(key).hexdigest()
    return "-".join(digits[i : i + 4] for i in range(0, 4 * _FINGERPRINT_GROUPS, 4))
