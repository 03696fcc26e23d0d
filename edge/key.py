"""The box's own key: made at the first start, never leaves the card."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from agreed.signing import fingerprint
from edge.store import sync_folder

FILE: Final = "box.key"
_PEM_BYTES_MAX: Final = 4_096


class KeyDamagedError(Exception):
    """The key file holds no key; the message says why."""


@dataclass(frozen=True, slots=True)
class BoxKey:
    """The key of a box.

    Attributes:
        public: 32 bytes; headquarters knows the box by it.
    """

    _private: Ed25519PrivateKey
    public: bytes

    @property
    def fingerprint(self) -> str:
        """Shorten the public key for people who compare it."""
        return fingerprint(self.public)

    def sign(self, statement: bytes) -> bytes:
        """Give the 64 bytes of the signature over a statement."""
        return self._private.sign(statement)


def make_key(seed: bytes) -> BoxKey:
    """Make a key of 32 random bytes."""
    return _key(Ed25519PrivateKey.from_private_bytes(seed))


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
    try:
        private = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyDamagedError(str(error)) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyDamagedError("another kind of key")
    return _key(private)


def _key(private: Ed25519PrivateKey) -> BoxKey:
    return BoxKey(private, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def _write(path: Path, key: BoxKey) -> None:
    data = key._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # noqa: SLF001 - our own class
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
