"""The one door to SQLite: opened for durability, its faults named.

StoreError              retry says whether waiting helps
+-- StoreFullError      retry      no room on the card: make some
+-- StoreReadOnlyError  no retry   the card is read-only, or not ours to write
+-- StoreDamagedError   no retry   the file is not what was written
+-- StoreFaultError     no retry   anything else that the card or SQLite reports
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

import apsw

BUSY_MS_MAX: Final = 2_000
"""How long a reader beside the running box may keep it waiting."""


class StoreError(Exception):
    """A store cannot be used as it should; the message says why."""

    retry: ClassVar[bool] = False


class StoreFullError(StoreError):
    """There is no room left."""

    retry = True


class StoreReadOnlyError(StoreError):
    """Nothing may be written there."""


class StoreDamagedError(StoreError):
    """The file does not hold what was written to it.

    Attributes:
        sequence: the first record that cannot be read; 0 if that is not known.
    """

    def __init__(self, message: str, sequence: int = 0) -> None:
        super().__init__(message)
        self.sequence = sequence


class StoreFaultError(StoreError):
    """Any other fault of the card or of SQLite."""


RESERVE_BYTES: Final = 1024 * 1024
"""Enough for SQLite to finish what it began and for a last record that says why."""

_FAULTS: Final[dict[type[apsw.Error], type[StoreError]]] = {
    apsw.FullError: StoreFullError,
    apsw.ReadOnlyError: StoreReadOnlyError,
    apsw.PermissionsError: StoreReadOnlyError,
    apsw.CantOpenError: StoreReadOnlyError,
    apsw.CorruptError: StoreDamagedError,
    apsw.NotADBError: StoreDamagedError,
    # Our statements are fixed: a table or column that is missing was there once.
    apsw.SQLError: StoreDamagedError,
    apsw.MismatchError: StoreDamagedError,
}

_CUT_SHORT: Final = (apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_CORRUPTFS)
"""Faults of reading that are no faults of the card: the file ends too early."""


def open_store(path: Path, schema: str) -> apsw.Connection:
    """Open or make a store that loses nothing it has committed.

    Args:
        path: the file; its folder must exist.
        schema: statements that make what is missing and change nothing that is there.

    Raises:
        StoreError: it cannot be opened, written or is damaged.
    """
    is_new = not path.exists()
    with named_faults():
        store = apsw.Connection(str(path))
        store.set_busy_timeout(BUSY_MS_MAX)
        _refuse_spoiled_head(store, path)
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("PRAGMA synchronous = FULL")
        with transaction(store):
            store.execute(schema)
    if is_new:
        sync_folder(path.parent)
    return store


def open_for_reading(path: Path, *, may_be_copy: bool = True) -> apsw.Connection:
    """Open a store beside its running owner, or a copy of one, without changing anything.

    Args:
        path: the file.
        may_be_copy: whether to read it even where its log cannot be shared; what only the log
            holds is not seen then.

    Raises:
        StoreError: it cannot be opened or is damaged.
    """
    if not path.exists():
        raise StoreReadOnlyError(f"{path} is not there")
    try:
        return _read_only(f"file:{_quoted(path)}?mode=ro")
    except StoreReadOnlyError:
        if not may_be_copy:
            raise
        # A copy in a folder that we may not write has no place for the shared index of a WAL.
        return _read_only(f"file:{_quoted(path)}?mode=ro&immutable=1")


def undo_unfinished(path: Path) -> None:
    """Let SQLite undo what it had not finished when the power went while it made the file.

    Until it keeps a WAL it keeps a rollback log, which nobody who only reads may act upon.

    Raises:
        StoreError: it cannot be undone.
    """
    if path.with_name(f"{path.name}-journal").exists():
        with named_faults():
            store = apsw.Connection(str(path))
            try:
                store.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            finally:
                store.close()


def _read_only(address: str) -> apsw.Connection:
    with named_faults():
        store = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        store.set_busy_timeout(BUSY_MS_MAX)
        store.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    return store


def _refuse_spoiled_head(store: apsw.Connection, path: Path) -> None:
    """Tell a file that says of itself that it is read-only from a card that is.

    A write version above 2 in the file's head makes SQLite write nothing to it; the way on is a new
    file, not another folder. Source: SQLite, Database File Format, 1.3.3.
    """
    store.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    if store.readonly("main") and os.access(path, os.W_OK):
        raise StoreDamagedError("its head is spoiled: SQLite takes it for read-only")


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def transaction(store: apsw.Connection) -> "_Transaction":
    """Commit everything within, durably, or nothing of it.

    Raises:
        StoreError: nothing of it was committed.
    """
    return _Transaction(store)


def named_faults() -> "_NamedFaults":
    """Turn what SQLite reports into the errors above."""
    return _NamedFaults()


class _NamedFaults:
    # A class and no generator: each commit passes through here, and a generator costs it 3 µs.
    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: object
    ) -> None:
        if error is not None:
            _raise_named(error)


class _Transaction:
    __slots__ = ("_store",)

    def __init__(self, store: apsw.Connection) -> None:
        self._store = store

    def __enter__(self) -> None:
        try:
            self._store.execute("BEGIN IMMEDIATE")
        except apsw.Error as error:
            _raise_named(error)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: object
    ) -> None:
        if error is None:
            try:
                self._store.execute("COMMIT")
            except BaseException as raised:
                self._undo()
                _raise_named(raised)
                raise
        else:
            self._undo()
            _raise_named(error)

    def _undo(self) -> None:
        # A full card has already made SQLite roll back by itself.
        with suppress(apsw.Error):
            if self._store.in_transaction:
                self._store.execute("ROLLBACK")


def _raise_named(error: BaseException) -> None:
    """Raise the error of ours that says what SQLite reported; do nothing for others."""
    if isinstance(error, apsw.Error):
        kind = next((ours for theirs, ours in _FAULTS.items() if isinstance(error, theirs)), None)
        if getattr(error, "extendedresult", 0) in _CUT_SHORT:
            kind = StoreDamagedError
        raise (kind or StoreFaultError)(str(error)) from error
    if isinstance(error, UnicodeDecodeError):
        # SQLite hands out whatever bytes a flipped bit made of a text.
        raise StoreDamagedError(str(error)) from error


class Reserve:
    """A file that holds room on the card for the moment when there is none left."""

    def __init__(self, path: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    def make(self) -> None:
        """Hold the room; nothing happens if it is held.

        Raises:
            StoreError: there is no such room.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size_bytes)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                self.spend()
                raise StoreFullError(str(error)) from error
            raise StoreReadOnlyError(str(error)) from error

    def spend(self) -> None:
        """Give the room back to whoever needs it now."""
        self._path.unlink(missing_ok=True)


def card_room_bytes(folder: Path) -> int:
    """Measure the room on the card that holds a folder.

    Raises:
        StoreError: it cannot be asked.
    """
    try:
        card = os.statvfs(folder)
    except OSError as error:
        raise StoreFaultError(str(error)) from error
    return card.f_bavail * card.f_frsize


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
