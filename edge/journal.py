"""The journal: blocks of records, committed with one fsync each, chained by their hashes.

Everything here blocks; `acceptance` calls it from one thread.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from agreed.limits import BLOCK_RECORDS_MAX, SENDABLE_BLOCK_BYTES_MAX
from agreed.records import Record, RecordColumns, RecordError, to_records
from agreed.wire import (
    HASH_BYTES,
    NO_HASH,
    Block,
    Origin,
    WireError,
    block_hash,
    decode_block,
    encode_block,
)
from edge.clock import Stamp
from edge.columns import Together, draft_columns
from edge.decisions import Draft
from edge.store import (
    StoreDamagedError,
    StoreError,
    card_room_bytes,
    named_faults,
    open_store,
    sync_folder,
    transaction,
)
from edge.witness import Witness

FILE: Final = "journal.db"
EPOCH_BYTES: Final = 16
TAIL_BLOCKS_COUNT: Final = 64
"""Blocks that are checked at every start; `verify` checks all."""

PAGE_BYTES: Final = 1024
"""Of a new journal: a commit writes whole pages, and a block of a few records is half of one."""

DRAINED: Final = -1
_WRECK: Final = "wreck "
_SEAL_MARK: Final = "\x1f"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS blocks (
    first_sequence INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    bytes BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


T = TypeVar("T")


class NotOursError(StoreError):
    """The journal belongs to another box; the message is its name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to become one record."""

    draft: Draft
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """One row of the journal; `data` is the block as `agreed.wire` encodes it."""

    first_sequence: int
    count: int
    hash: bytes
    data: bytes

    @property
    def last_sequence(self) -> int:
        """Sequence of its last record."""
        return self.first_sequence + self.count - 1


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the chain: the last sequence before it and the hash of the block there."""

    through: int = 0
    head: bytes = NO_HASH


class Journal:
    """The journal of a running box; one connection, one writer, one thread at a time.

    Attributes:
        origin: names, epoch and boot that every new block carries.
        start: where the first block attaches; further on once older ones were forgotten.
        end: where the next block attaches.
        committed: what headquarters holds for good.
        kept: texts stored beside the records, by name, as of the last commit.
        kept_damaged: names of such texts that were not what was written, as of the start.
        secret: 32 random bytes of this journal, for digests.
        clock_memory: what the clock was to remember, as of the start.
        wrecks: damaged journals, by file name: through which of their sequences everything is at
            headquarters or carried over; DRAINED once that is so to their end.
        witness: where the end is noted once more; None for nowhere.
    """

    def __init__(self, store: apsw.Connection, origin: Origin) -> None:
        """Use `open_journal`."""
        self._store = store
        self._folder = Path(store.filename).parent
        self.origin = origin
        self.start = Place()
        self.end = Place()
        self.committed = self._committed_stored = Place()
        self.kept: dict[str, str] = {}
        self.kept_damaged: list[str] = []
        self.secret = b""
        self.clock_memory = ""
        self.wrecks: dict[str, int] = {}
        self.witness: Witness | None = None

    def load(self) -> None:
        """Read the end of the chain and what is kept, and check the tail.

        Raises:
            StoreDamagedError: the tail is not what was written.
        """
        with named_faults():
            kept = list(self._store.execute("SELECT name, value FROM kept"))
            state = dict(self._store.execute("SELECT name, value FROM state"))
            newest = list(self._rows("ORDER BY first_sequence DESC LIMIT ?", (TAIL_BLOCKS_COUNT,)))
        self.kept, self.kept_damaged = unsealed(kept)
        self.secret = _typed(state, "secret", bytes)
        self.clock_memory = _typed(state, "clock", str, "")
        self.wrecks = {
            name.removeprefix(_WRECK): _typed(state, name, int)
            for name in state
            if str(name).startswith(_WRECK)
        }
        self.start = read_start(self._store)
        self.end = self.start
        tail = newest[::-1]
        for _block in checked_chain(iter(tail), None if tail else self.start):
            pass
        if tail:
            self.end = Place(tail[-1].last_sequence, tail[-1].hash)
        self._load_committed(state)

    def _load_committed(self, state: dict[str, object]) -> None:
        """Believe what is noted of headquarters only if the block there says the same."""
        through = _typed(state, "committed_through", int, 0)
        place = Place(through, _typed(state, "committed_head", bytes, NO_HASH))
        if place.through > self.end.through:
            raise StoreDamagedError("headquarters holds more than this journal")
        if self.hash_at(place.through) == place.head:
            self.committed = self._committed_stored = place

    def append(
        self, entries: list[Entry], keep: Mapping[str, str | None], memory: str = ""
    ) -> list[Record]:
        """Commit entries one by one as `commit` does; gives the records as journaled."""
        groups = [Together((entry.draft,), entry.stamp) for entry in entries]
        return [one for part in self.commit(groups, keep, memory) for one in to_records(part)]

    def commit(
        self, groups: Sequence[Together], keep: Mapping[str, str | None], memory: str = ""
    ) -> list[RecordColumns]:
        """Commit records, and what is kept with them, in one transaction; returns after fsync.

        Args:
            groups: become records, in order; may be empty when only `keep` is to be stored.
            keep: texts to store, None to remove one.
            memory: what the clock must remember, stored with what headquarters holds; "" leaves
                both, unless there are no records.

        Returns:
            The records as journaled, for each block its columns.

        Raises:
            StoreError: nothing of it was committed.
        """
        columns = draft_columns(self.end.through + 1, groups) if groups else None
        blocks = []
        if columns is not None:
            blocks = list(self._encoded(columns, self.end.head, self.origin))
        with transaction(self._store):
            for block, previous, _columns in blocks:
                self._insert(block, previous)
            for name, value in keep.items():
                self._keep(name, value)
            committed = self._committed_stored
            if memory or not groups:
                committed = self._write_state(memory)
        self._committed_stored = committed
        if blocks:
            self.end = Place(blocks[-1][0].last_sequence, blocks[-1][0].hash)
            self._note_end()
        self._remember(keep)
        return [part for _block, _previous, part in blocks]

    def carry(self, wreck: str, blocks: Sequence[Block], *, is_last: bool) -> None:
        """Commit what a wreck still holds as further records, each with its own time and boot.

        Args:
            wreck: name of the file, one of `wrecks`.
            blocks: what comes next in it, in order.
            is_last: whether there is no more.

        Raises:
            StoreError: nothing of it was committed.
        """
        through = blocks[-1].columns.last_sequence if blocks else self.wrecks[wreck]
        place = self.end
        with transaction(self._store):
            for block in blocks:
                moved = replace(block.columns, first_sequence=place.through + 1)
                of_boot = replace(self.origin, boot=block.origin.boot)
                for row, previous, _part in self._encoded(moved, place.head, of_boot):
                    self._insert(row, previous)
                    place = Place(row.last_sequence, row.hash)
            self._note_wreck(wreck, DRAINED if is_last else through)
        self.end = place
        self._note_end()
        self.wrecks[wreck] = DRAINED if is_last else through

    def wrecks_to_drain(self) -> list[str]:
        """Name the damaged journals that may still hold what headquarters lacks."""
        return [name for name, through in self.wrecks.items() if through != DRAINED]

    def adopt(self, wrecks: Iterable[str], kept: Mapping[str, str], secret: bytes) -> None:
        """Take over what damaged journals leave: in one transaction, so that it is done once.

        Args:
            wrecks: names of their files.
            kept: texts that were kept beside them.
            secret: for digests, so that they stay the same; b"" for none.

        Raises:
            StoreError: nothing was stored.
        """
        with transaction(self._store):
            for name in wrecks:
                self._note_wreck(name, 0)
            for name, value in kept.items():
                self._keep(name, value)
            if secret:
                self._store.execute("UPDATE state SET value = ? WHERE name = 'secret'", (secret,))
        self.wrecks |= dict.fromkeys(wrecks, 0)
        self.kept |= kept
        self.secret = secret or self.secret

    def blocks_after(self, sequence: int, count_max: int, bytes_max: int) -> list[StoredBlock]:
        """Read the blocks after a sequence, at least one if there is one, within the bounds.

        Raises:
            StoreDamagedError: one of them is not what was written.
        """
        found: list[StoredBlock] = []
        size = 0
        with named_faults():
            rows = self._rows(
                "WHERE first_sequence > ? ORDER BY first_sequence LIMIT ?", (sequence, count_max)
            )
            for block in rows:
                size += len(block.data)
                if found and size > bytes_max:
                    break
                check_whole(block)
                found.append(block)
        return found

    def recent_columns(self, blocks_count: int) -> list[RecordColumns]:
        """Read the records of the last blocks, in order, from behind the newest damaged one."""
        blocks: list[Block] = []
        with named_faults():
            for row in self._rows("ORDER BY first_sequence DESC LIMIT ?", (blocks_count,)):
                try:
                    blocks.append(decode_block(row.data))
                except WireError:
                    break  # what is only remembered must not keep a box from starting
        return [block.columns for block in reversed(blocks)]

    def rows_after(self, sequence: int, count_max: int) -> list[StoredBlock]:
        """Read blocks after a sequence as they lie there, unchecked."""
        with named_faults():
            return list(
                self._rows(
                    "WHERE first_sequence > ? ORDER BY first_sequence LIMIT ?",
                    (sequence, count_max),
                )
            )

    def forget(self, rows: Sequence[StoredBlock]) -> None:
        """Delete the oldest blocks, which headquarters holds; where the chain goes on is kept.

        Raises:
            StoreError: none was deleted.
        """
        start = Place(rows[-1].last_sequence, rows[-1].hash)
        assert start.through < self.committed.through
        with transaction(self._store):
            self._store.execute("DELETE FROM blocks WHERE first_sequence <= ?", (start.through,))
            self._store.execute(
                "INSERT OR REPLACE INTO state VALUES ('pruned_through', ?), ('pruned_head', ?)",
                (start.through, start.head),
            )
            committed = self._write_state("")
        self._committed_stored = committed
        self.start = start

    def hash_at(self, through: int) -> bytes | None:
        """Give the hash of the block that ends at a sequence; None if none does."""
        if through == self.start.through:
            return self.start.head
        with named_faults():
            row = self._store.execute(
                "SELECT hash FROM blocks WHERE first_sequence <= ?1 "
                "AND first_sequence + count - 1 = ?1 ORDER BY first_sequence DESC LIMIT 1",
                (through,),
            ).fetchone()
        return row[0] if row else None

    def wall_ms_after(self, sequence: int) -> int | None:
        """Give the wall time of the first record after a sequence, ms; None if there is none.

        Raises:
            StoreDamagedError: the block that holds it is not what was written.
        """
        for block in self.blocks_after(sequence, 1, 0):
            try:
                return int(decode_block(block.data).columns.wall_ms[0])
            except WireError as error:
                raise _damaged(block, str(error)) from None
        return None

    def free_bytes(self) -> int:
        """Measure the room for further records: what the card has, and what the file has freed."""
        with named_faults():
            freed = self._store.execute("PRAGMA freelist_count").get
            page_bytes = self._store.execute("PRAGMA page_size").get
        return card_room_bytes(self._folder) + int(freed) * int(page_bytes)

    def commit_through(self, place: Place) -> None:
        """Remember what headquarters holds for good; stored when the clock's memory is.

        It costs no write of its own: forgotten, it is only asked again.
        """
        self.committed = place

    def note_parting(self, place: Place | None) -> None:
        """Store the last place that headquarters' history and this one have in common.

        None forgets it: the two are one again.

        Raises:
            StoreError: it was not stored.
        """
        with transaction(self._store):
            if place is None:
                self._store.execute("DELETE FROM state WHERE name LIKE 'parted_%'")
                return
            self._store.execute(
                "INSERT OR REPLACE INTO state VALUES ('parted_through', ?), ('parted_head', ?)",
                (place.through, place.head),
            )

    def close(self) -> None:
        """Give the file back."""
        self._store.close()
        if self.witness is not None:
            self.witness.close()

    def _note_wreck(self, name: str, through: int) -> None:
        values = (_WRECK + name, through)
        self._store.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", values)

    def _insert(self, block: StoredBlock, previous: bytes) -> None:
        self._store.execute(
            "INSERT INTO blocks VALUES (?, ?, ?, ?, ?)",
            (block.first_sequence, block.count, previous, block.hash, block.data),
        )

    def _write_state(self, memory: str) -> Place:
        committed = self.committed
        if memory:
            self._store.execute("INSERT OR REPLACE INTO state VALUES ('clock', ?)", (memory,))
        if committed != self._committed_stored:
            self._store.execute(
                "INSERT OR REPLACE INTO state VALUES ('committed_through', ?), "
                "('committed_head', ?)",
                (committed.through, committed.head),
            )
        return committed

    def _encoded(
        self, columns: RecordColumns, previous: bytes, origin: Origin
    ) -> Iterator[tuple[StoredBlock, bytes, RecordColumns]]:
        """Cut records into blocks that can be sent; nearly always one."""
        waiting = [columns]
        while waiting:
            part = waiting.pop()
            data = _encode(origin, previous, part)
            if data is None:
                half = len(part) // 2
                waiting += [part.part(half, len(part)), part.part(0, half)]
            else:
                block = StoredBlock(part.first_sequence, len(part), block_hash(data), data)
                yield block, previous, part
                previous = block.hash

    def _rows(self, clause: str, values: tuple[int, ...]) -> Iterator[StoredBlock]:
        return read_rows(self._store, clause, values)

    def _keep(self, name: str, value: str | None) -> None:
        if value is None:
            self._store.execute("DELETE FROM kept WHERE name = ?", (name,))
        else:
            values = (name, sealed(name, value))
            self._store.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", values)

    def _note_end(self) -> None:
        if self.witness is not None:
            self.witness.note(self.origin.epoch, self.end.through, self.end.head)

    def _remember(self, keep: Mapping[str, str | None]) -> None:
        for name, value in keep.items():
            if value is None:
                self.kept.pop(name, None)
            else:
                self.kept[name] = value


def _encode(origin: Origin, previous: bytes, columns: RecordColumns) -> bytes | None:
    """Encode a block that can be sent; None if it is too large and must be cut."""
    if len(columns) > BLOCK_RECORDS_MAX:
        return None
    try:
        data = encode_block(origin, previous, columns)
    except RecordError:
        if len(columns) == 1:
            raise
        return None
    return data if len(data) <= SENDABLE_BLOCK_BYTES_MAX else None


def open_journal(
    path: Path, names: tuple[str, str, str], *, entropy: bytes, boot: bytes
) -> Journal:
    """Open the journal of a box, or begin one.

    Args:
        path: the file.
        names: company, site and box.
        entropy: 48 random bytes, used only if the journal begins now.
        boot: 16 random bytes, new at every start.

    Raises:
        NotOursError: it is another box's.
        StoreError: it cannot be opened or written, or its tail is damaged.
    """
    if not path.exists():
        _choose_pages(path)
    store = open_store(path, _SCHEMA)
    try:
        with transaction(store):
            store.execute(
                "INSERT OR IGNORE INTO state VALUES ('epoch', ?), ('secret', ?), ('box', ?)",
                (entropy[:EPOCH_BYTES], entropy[EPOCH_BYTES:], "/".join(names)),
            )
        _check_owner(store, "/".join(names))
        journal = Journal(store, Origin(*names, read_epoch(store), boot))
        journal.load()
    except BaseException:
        store.close()
        raise
    return journal


def _choose_pages(path: Path) -> None:
    """Make an empty file with small pages; one that is there keeps its own."""
    with named_faults():
        store = apsw.Connection(str(path))
        store.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        store.execute("PRAGMA journal_mode = WAL")
        store.close()
    sync_folder(path.parent)


def _check_owner(store: apsw.Connection, name: str) -> None:
    owner = read_state(store, "box")
    if owner == name:
        return
    for row in read_rows(store, "ORDER BY first_sequence DESC LIMIT 1"):
        with suppress(WireError):
            origin = decode_block(row.data).origin
            if name == f"{origin.company}/{origin.site}/{origin.box}":
                raise StoreDamagedError("the journal does not say whose it is")
    raise NotOursError(str(owner))


def sealed(name: str, value: str) -> str:
    """Write a text so that any change of it is noticed: SQLite itself would not."""
    return f"{value}{_SEAL_MARK}{sha256(f'{name}{_SEAL_MARK}{value}'.encode()).hexdigest()[:16]}"


def unsealed(rows: Iterable[tuple[Any, Any]]) -> tuple[dict[str, str], list[str]]:
    """Read sealed texts by name, and name those that are not what was written."""
    kept: dict[str, str] = {}
    damaged: list[str] = []
    for name, text in rows:
        value = str(text).rpartition(_SEAL_MARK)[0]
        if isinstance(name, str) and text == sealed(name, value):
            kept[name] = value
        else:
            damaged.append(str(name))
    return kept, damaged


def _typed(state: dict[str, Any], name: str, kind: type[T], default: T | None = None) -> T:
    value = state.get(name, default)
    if not isinstance(value, kind):
        raise StoreDamagedError(f"the journal does not say its {name}")
    return value


def read_state(store: apsw.Connection, name: str) -> str | int | bytes | None:
    """Read one value that is stored beside the blocks; None if there is none.

    Raises:
        StoreDamagedError: it is of a kind that is never stored.
    """
    with named_faults():
        row = store.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    value = row[0]
    if not isinstance(value, str | int | bytes):
        raise StoreDamagedError(f"the journal does not say its {name}")
    return value


def read_epoch(store: apsw.Connection) -> bytes:
    """Read which journal this is.

    Raises:
        StoreDamagedError: it does not say.
    """
    epoch = read_state(store, "epoch")
    if not isinstance(epoch, bytes) or len(epoch) != EPOCH_BYTES:
        raise StoreDamagedError("the journal does not say its epoch")
    return epoch


def read_start(store: apsw.Connection) -> Place:
    """Read where the first block attaches.

    Raises:
        StoreDamagedError: it does not say so rightly.
    """
    through, head = read_state(store, "pruned_through"), read_state(store, "pruned_head")
    if through is None:
        return Place()
    if not isinstance(through, int) or not isinstance(head, bytes) or len(head) != HASH_BYTES:
        raise StoreDamagedError("the journal does not say where it begins")
    return Place(through, head)


def read_rows(
    store: apsw.Connection, clause: str = "ORDER BY first_sequence", values: tuple[int, ...] = ()
) -> Iterator[StoredBlock]:
    """Read blocks as they lie there, one by one, unchecked."""
    statement = f"SELECT first_sequence, count, hash, bytes FROM blocks {clause}"  # noqa: S608 - clauses are ours
    for row in store.execute(statement, values):
        yield StoredBlock(*row)


def checked_chain(rows: Iterator[StoredBlock], start: Place | None) -> Iterator[Block]:
    """Decode rows and check that each is whole and continues the one before.

    Args:
        rows: in order.
        start: where the first must attach; None to trust its own word.

    Raises:
        StoreDamagedError: names the first sequence that is not what was written.
    """
    place = start
    for row in rows:
        try:
            block = decode_block(row.data)
        except WireError as error:
            raise _damaged(row, str(error)) from None
        named = (block.columns.first_sequence, len(block.columns), block.hash)
        if named != (row.first_sequence, row.count, row.hash):
            raise _damaged(row, "not the block of its row")
        if place is not None and (place.through + 1, place.head) != (named[0], block.previous):
            raise _damaged(row, "the chain is broken")
        place = Place(row.last_sequence, row.hash)
        yield block


def check_whole(row: StoredBlock) -> None:
    """Check that a row is the block that was written, without decoding it.

    Raises:
        StoreDamagedError: it is not.
    """
    digest = sha256(row.data[:-HASH_BYTES]).digest()
    if not digest == row.data[-HASH_BYTES:] == row.hash:
        raise _damaged(row, "hash does not match")


def _damaged(row: StoredBlock, why: str) -> StoreDamagedError:
    return StoreDamagedError(f"block at {row.first_sequence}: {why}", row.first_sequence)


assert len(NO_HASH) == HASH_BYTES
