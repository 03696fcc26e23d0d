"""How far the journal reaches, said once more beside it: a log cut short by a bad bit is noticed.

SQLite drops everything behind a frame of its log that is not what was written, and the chain of
what is left is whole. So the end of the chain is noted in a file of its own after every commit,
without a flush: it may be late, but it is never ahead of what was flushed.
"""

import contextlib
import os
import struct
from hashlib import sha256
from pathlib import Path
from typing import Final

FILE: Final = "journal-end"
_NOTE: Final = struct.Struct("<16sQ32s")
_SEAL_BYTES: Final = 8


class Witness:
    """The note beside one journal; where it cannot be written the journal goes on without."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def note(self, epoch: bytes, through: int, head: bytes) -> None:
        """Note the end of the chain, which is on the disk by now."""
        note = _NOTE.pack(epoch, through, head)
        with contextlib.suppress(OSError):
            if self._descriptor is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, 0o600)
            os.pwrite(self._descriptor, note + sha256(note).digest()[:_SEAL_BYTES], 0)

    def close(self) -> None:
        """Give the file back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def read_witness(path: Path) -> tuple[bytes, int] | None:
    """Read epoch and last sequence; None if there is no note or it is not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    note, seal = data[: _NOTE.size], data[_NOTE.size :]
    if len(note) < _NOTE.size or seal != sha256(note).digest()[:_SEAL_BYTES]:
        return None
    epoch, through, _head = _NOTE.unpack(note)
    return epoch, through
