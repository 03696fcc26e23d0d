"""Records every write, cut to size and sync that SQLite makes, to be replayed up to any point.

It stands below SQLite as its file system while a journal is written; what the journal does with
it is the journal's own code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

import apsw

_WATCHED: Final = (".db", "-wal", "-journal")


class Did(Enum):
    """What SQLite did to a file."""

    WRITE = auto()
    CUT = auto()
    SYNC = auto()
    DELETE = auto()


@dataclass(frozen=True, slots=True)
class Operation:
    """One act on one file.

    Attributes:
        did: what.
        name: of the file.
        offset: where it writes, or the size it is cut to.
        data: what it writes.
    """

    did: Did
    name: str
    offset: int = 0
    data: bytes = b""


@dataclass(slots=True)
class Recording:
    """What a journal did to its card.

    Attributes:
        operations: in order.
        marks: how many operations were done when something was said to be durable, and what.
    """

    operations: list[Operation] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)

    def mark(self, number: int) -> None:
        """Note that everything through a number was just said to be durable."""
        self.marks.append((len(self.operations), number))


# The names of methods are SQLite's.
# ruff: noqa: N802


class _File(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], recording: Recording) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        self._name = Path(path).name
        self._operations = recording.operations if self._name.endswith(_WATCHED) else []
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._operations.append(Operation(Did.WRITE, self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self._operations.append(Operation(Did.CUT, self._name, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        self._operations.append(Operation(Did.SYNC, self._name))
        super().xSync(flags)


class _Recorder(apsw.VFS):
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        super().__init__("duifu-recorder", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(name, flags, self._recording)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._recording.operations.append(Operation(Did.DELETE, Path(filename).name))
        super().xDelete(filename, syncdir)


@contextmanager
def recorded() -> Iterator[Recording]:
    """Record what SQLite does to journals and stores for a while."""
    recording = Recording()
    recorder = _Recorder(recording)
    try:
        yield recording
    finally:
        recorder.unregister()
