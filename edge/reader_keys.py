"""The key files of readers: a new key lies beside the old one until it is sure which one counts."""

import os
from pathlib import Path
from typing import Final

from edge.store import sync_folder
from firmware_interfaces.osdp.settings import new_key_file

ONLY_OURS: Final = 0o600


class KeyFileThereError(Exception):
    """A file is there already; the message names it."""


def write_key(path: Path, key: bytes) -> None:
    """Write a key durably into a file of its own, readable by its owner only.

    Raises:
        KeyFileThereError: there is one already, and it may be a reader's only key.
        OSError: it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, ONLY_OURS)
    except FileExistsError as error:
        raise KeyFileThereError(str(path)) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def write_new_key(key_file: Path, key: bytes) -> None:
    """Write the key that a reader is about to be given; errors as `write_key`."""
    write_key(new_key_file(key_file), key)


def take_new_key(key_file: Path) -> None:
    """The reader has the new key: it replaces the old one; nothing happens if there is none.

    Raises:
        OSError: it cannot be renamed.
    """
    fresh = new_key_file(key_file)
    if fresh.exists():
        fresh.replace(key_file)
        sync_folder(key_file.parent)


def drop_new_key(key_file: Path) -> None:
    """The reader keeps its old key: the new one is of no use.

    Raises:
        OSError: it cannot be removed.
    """
    new_key_file(key_file).unlink(missing_ok=True)
    sync_folder(key_file.parent)
