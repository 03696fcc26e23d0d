"""Headquarters' store: laid down anew for every world, while what was compiled for it is kept."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, event

from cloud.database.engine import open_engine, sqlite_url

_LOGS: Final = ("-wal", "-shm")


def _no_commit() -> None:
    """Let a commit be."""


class Store:
    """A file that one world after another uses, and the engine that opens it.

    An engine compiles each statement once, and a process of headquarters leaves nothing in it but
    connections: those end with the process.

    Attributes:
        path: the file.
        engine: how headquarters and the office reach it.
        before_commit: called before each commit; what it raises ends the transaction.
    """

    def __init__(self, path: Path) -> None:
        """Open a store that may not be there yet."""
        self.path = path
        self.engine = open_engine(sqlite_url(path))
        self.before_commit: Callable[[], None] = _no_commit
        event.listen(self.engine, "commit", self._commits)

    def lay_down(self, template: Path) -> None:
        """Begin a world with a copy of a template."""
        self.clear()
        shutil.copyfile(template, self.path)

    def end_process(self) -> None:
        """Close what a process of headquarters had open."""
        self.engine.dispose()

    def clear(self) -> None:
        """End a world, whatever came of it."""
        self.end_process()
        self.before_commit = _no_commit
        for path in (self.path, *(Path(f"{self.path}{log}") for log in _LOGS)):
            path.unlink(missing_ok=True)

    def _commits(self, _connection: Connection) -> None:
        self.before_commit()
