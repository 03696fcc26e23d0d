"""The box's own key: made at the first start, never leaves the card."""

import binascii
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from agreed.signing import fingerprint
from edge.store import sync_folder

FILE: Final = "box.key"
_PEM_BYTES_MAX: Final = 4_096
_BEGIN: Final = b"-----BEGIN PRIVATE KEY-----\n"
_END: Final = b"\n-----END PRIVATE KEY-----\n"
_SEED_BYTES: Final = 32
_HEAD: Final = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the seed: RFC 8410, section 7, an Ed25519 key without attributes."""


class KeyDamagedError(Exception):
    """The key file holds no key; the message says why."""


@dataclass(frozen=True, slots=True)
class BoxKey:
    """The key of a box.

    Attributes:
        public: 32 bytes; headquarters knows the box by it.
    """

    _private: SigningKey
    public: bytes

    @property
    def fingerprint(self) -> str:
        """Shorten the public key for people who compare it."""
        return fingerprint(self.public)

    def sign(self, statement: bytes) -> bytes:
        """Give the 64 bytes of the signature over a statement."""
        return self._private.sign(statement).signature


def make_key(seed: bytes) -> BoxKey:
    """Make a key of 32 random bytes."""
    private = SigningKey(seed)
    return BoxKey(private, bytes(private.verify_key))


def open_key(path: Path, seed: bytes) -> BoxKey:
    """Read the key of a box, or make one; it is on the disk when this returns.

    Args:
        path: PKCS 8 in PEM, readable by its owner alone.
        seed: 32 random bytes, used only if there is no key yet.

    Raises:
        KeyDamagedError: there is a file, but no key in it.
        OSError: it cannot be read or written.
    """
    if not path.exists():
        _write(path, make_key(seed))
    return read_key(path)


def read_key(path: Path) -> BoxKey:
    """Read the key of a box.

    Raises:
        KeyDamagedError: there is no key in the file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(_PEM_BYTES_MAX)
    return make_key(_seed(data))


def _seed(data: bytes) -> bytes:
    if not (data.startswith(_BEGIN) and data.endswith(_END)):
        raise KeyDamagedError("no private key in PEM")
    try:
        content = b64decode(data[len(_BEGIN) : -len(_END)], validate=True)
    except binascii.Error as error:
        raise KeyDamagedError(str(error)) from None
    if not content.startswith(_HEAD) or len(content) != len(_HEAD) + _SEED_BYTES:
        raise KeyDamagedError("another kind of key")
    return content[len(_HEAD) :]


def _write(path: Path, key: BoxKey) -> None:
    seed = bytes(key._private)  # noqa: SLF001 - our own class
    data = _BEGIN + b64encode(_HEAD + seed) + _END
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.rename(path)
    sync_folder(path.parent)
