"""What headquarters told the box, on the disk: applied in order, each once, with the cursor.

Everything here blocks; the agent calls it from one thread.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from agreed.directives import (
    Directive,
    DirectiveError,
    EndCredential,
    EndOrder,
    PutCredential,
    PutOrder,
    decode_directive,
)
from edge.store import StoreDamagedError, named_faults, open_store, transaction

FILE: Final = "learned.db"
NO_STREAM: Final = "0" * 32

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    stream TEXT NOT NULL,
    applied_through INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS credentials (card TEXT PRIMARY KEY, directive TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (name TEXT PRIMARY KEY, directive TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passed_over (
    number INTEGER PRIMARY KEY, why TEXT NOT NULL, directive TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one message of directives changed, once it is on the disk.

    Attributes:
        is_new_stream: everything before is to be forgotten first.
        directives: newly applied, in order.
        passed_over: how many this version of the box does not understand.
    """

    is_new_stream: bool = False
    directives: tuple[Directive, ...] = ()
    passed_over: int = 0


class LearnedStore:
    """The file of what was learned.

    Attributes:
        stream: the directive stream followed, zeros for none yet.
        applied_through: number of the last directive applied.
    """

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises:
            StoreError: it cannot be opened, written or is damaged.
        """
        self._store = open_store(path, _SCHEMA)
        with named_faults():
            row = self._store.execute("SELECT stream, applied_through FROM cursor").fetchone()
        stream, applied_through = row or (NO_STREAM, 0)
        if not isinstance(stream, str) or not isinstance(applied_through, int):
            raise StoreDamagedError("how far the directives came cannot be read")
        self.stream, self.applied_through = stream, applied_through
        self._texts()

    def all(self) -> list[Directive]:
        """Give everything in force, as the directives that say it."""
        read = map(_readable, self._texts())
        return [directive for directive in read if directive is not None]

    def _texts(self) -> list[str]:
        """Read everything in force; damage anywhere must show before the box relies on it."""
        with named_faults():
            rows = [
                *self._store.execute("SELECT directive FROM credentials ORDER BY card"),
                *self._store.execute("SELECT directive FROM orders ORDER BY name"),
                *self._store.execute("SELECT directive FROM passed_over WHERE FALSE"),
            ]
        if not all(isinstance(text, str) for (text,) in rows):
            raise StoreDamagedError("a directive has lost its form")
        return [text for (text,) in rows]

    def apply(self, stream: str, first: int, texts: list[str]) -> Lesson | None:
        """Apply numbered directives in one transaction; returns after fsync.

        Args:
            stream: where they come from; another one than before begins anew.
            first: number of the first.
            texts: JSON of each.

        Returns:
            What changed; None if something before them is missing.

        Raises:
            StoreError: nothing of it was applied.
        """
        is_new_stream = stream != self.stream
        applied_through = 0 if is_new_stream else self.applied_through
        if first > applied_through + 1:
            return None
        last = first + len(texts) - 1
        if last <= applied_through:
            return Lesson()
        with transaction(self._store):
            if is_new_stream:
                self._forget_all()
            lesson = self._apply(applied_through + 1, texts[applied_through + 1 - first :])
            self._store.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)", (stream, last))
        self.stream, self.applied_through = stream, last
        return Lesson(is_new_stream, lesson.directives, lesson.passed_over)

    def passed_over(self) -> int:
        """Count the directives that were not understood."""
        with named_faults():
            return len(self._store.execute("SELECT number FROM passed_over").fetchall())

    def close(self) -> None:
        """Give the file back."""
        self._store.close()

    def _forget_all(self) -> None:
        for table in ("credentials", "orders", "passed_over"):
            self._store.execute(f"DELETE FROM {table}")  # noqa: S608 - table names are ours

    def _apply(self, number: int, texts: list[str]) -> Lesson:
        understood: list[Directive] = []
        for i, text in enumerate(texts):
            try:
                directive = decode_directive(text)
            except DirectiveError as error:
                # A newer headquarters: the rest must still arrive, and this must not vanish.
                self._store.execute(
                    "INSERT OR REPLACE INTO passed_over VALUES (?, ?, ?)",
                    (number + i, str(error), text),
                )
            else:
                _write(self._store, directive, text)
                understood.append(directive)
        return Lesson(directives=tuple(understood), passed_over=len(texts) - len(understood))


def _readable(text: str) -> Directive | None:
    """Read what an earlier version of the box found right; None if this one does not."""
    try:
        return decode_directive(text)
    except DirectiveError:
        return None


def _write(store: apsw.Connection, directive: Directive, text: str) -> None:
    match directive:
        case PutCredential():
            store.execute(
                "INSERT OR REPLACE INTO credentials VALUES (?, ?)", (directive.card, text)
            )
        case EndCredential():
            store.execute("DELETE FROM credentials WHERE card = ?", (directive.card,))
        case PutOrder():
            store.execute("INSERT OR REPLACE INTO orders VALUES (?, ?)", (directive.order, text))
        case EndOrder():
            store.execute("DELETE FROM orders WHERE name = ?", (directive.order,))
