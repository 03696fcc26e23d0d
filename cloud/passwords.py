"""The secrets of one headquarters: everything derives from one random file in the data folder."""

import secrets
from hashlib import sha256
from hmac import digest
from os import O_CREAT, O_EXCL, O_WRONLY, close, fsync, write
from os import open as open_file
from pathlib import Path
from typing import Final

SECRET_BYTES: Final = 32
_PASSWORD_DIGITS: Final = 40


def kept_secret(path: Path) -> str:
    """Read a secret of one line, or make one that only this user may read; hex.

    Raises:
        OSError: the file can be neither read nor made.
    """
    if not path.exists():
        made = secrets.token_hex(SECRET_BYTES).encode()
        handle = open_file(path, O_CREAT | O_EXCL | O_WRONLY, 0o600)
        try:
            write(handle, made)
            fsync(handle)
        finally:
            close(handle)
    return path.read_text("ascii").strip()


def derived_password(secret: str, *names: str, number: int = 0) -> str:
    """Derive a password for an account at the broker; another number makes another password."""
    words = "\0".join(("duifu broker", *names, str(number)))
    return digest(secret.encode(), words.encode(), sha256).hex()[:_PASSWORD_DIGITS]
