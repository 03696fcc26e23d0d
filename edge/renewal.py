"""Begins a journal anew where an old one cannot go on, and carries over what only the old one has.

Two histories of one box part when an old card was put back or a card was copied. What headquarters
holds stays; the records behind the parting go on in a journal of their own, each with its own time
and the boot that it is of. Nothing is deleted: the old file stays beside the new one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Final

import apsw

from agreed.limits import WALL_MS_MAX
from agreed.records import (
    GAP,
    ClockState,
    Evidence,
    Record,
    RecordColumns,
    to_columns,
)
from agreed.wire import Block, Origin, block_hash, encode_block
from edge.journal import (
    EPOCH_BYTES,
    FILE,
    Place,
    StoredBlock,
    checked_chain,
    open_journal,
    read_rows,
    read_state,
)
from edge.store import (
    StoreDamagedError,
    StoreFaultError,
    open_for_reading,
    open_store,
    sync_folder,
    transaction,
)

PART: Final = "journal-renewed.db"
LEFT_COUNT_MAX: Final = 1_000


class NothingPartedError(Exception):
    """Headquarters has not said that histories part, or not yet where."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of a journal.

    Attributes:
        left: where the old one lies now.
        parted_through: the last record that headquarters holds of it.
        carried: how many records were carried over.
    """

    left: Path
    parted_through: int
    carried: int


def renew_journal(folder: Path, names: tuple[str, str, str], entropy: bytes) -> Renewed:
    """Put a new journal in the place of the old one, with all that headquarters lacks.

    Nothing has changed before the last step, and that is one rename of each file: whoever is
    interrupted begins again.

    Args:
        folder: the data folder; no box runs there.
        names: company, site and box from now on.
        entropy: 64 random bytes, for the new journal's epoch, secret and boot.

    Raises:
        NothingPartedError: there is no reason for it.
        StoreError: a file cannot be read or written, or the old one is damaged.
    """
    path, part = folder / FILE, folder / PART
    _remove(part)
    parted = _parting(path)
    new = open_journal(part, names, entropy=entropy[:48], boot=entropy[48:])
    new.close()
    left = _free_name(folder)
    carried = _carry(path, part, parted, Origin(*names, entropy[:EPOCH_BYTES], entropy[48:]), left)
    _replace(path, part, left)
    return Renewed(left, parted.through, carried)


def _parting(path: Path) -> Place:
    old = open_for_reading(path)
    try:
        through, head = read_state(old, "parted_through"), read_state(old, "parted_head")
        known, known_head = read_state(old, "committed_through"), read_state(old, "committed_head")
    finally:
        old.close()
    if not isinstance(through, int) or not isinstance(head, bytes):
        raise NothingPartedError
    parted = Place(through, head)
    if isinstance(known, int) and isinstance(known_head, bytes) and known > through:
        return Place(known, known_head)  # what lies before was pruned, and is held for certain
    return parted


def _carry(path: Path, part: Path, parted: Place, origin: Origin, left: Path) -> int:
    old, new = open_for_reading(path), open_store(part, "")
    try:
        rows = read_rows(old, "WHERE first_sequence > ? ORDER BY first_sequence", (parted.through,))
        blocks = chain([_gap(left)], (_moved(block) for block in checked_chain(rows, parted)))
        count = 0
        with transaction(new):
            for row, previous in _chained(blocks, origin):
                new.execute(
                    "INSERT INTO blocks VALUES (?, ?, ?, ?, ?)",
                    (row.first_sequence, row.count, previous, row.hash, row.data),
                )
                count += row.count
            _carry_kept(old, new)
    finally:
        old.close()
        new.close()
    return count - 1


def _carry_kept(old: apsw.Connection, new: apsw.Connection) -> None:
    for name, value in old.execute("SELECT name, value FROM kept"):
        new.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))
    # Which damaged journals are drained: forgotten, what was carried over would come again.
    for name, value in old.execute("SELECT name, value FROM state WHERE name LIKE 'wreck %'"):
        new.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))
    for name in ("secret", "clock"):
        value = read_state(old, name)
        if value is not None:
            new.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))


def _chained(
    blocks: Iterator[tuple[bytes | None, RecordColumns]], origin: Origin
) -> Iterator[tuple[StoredBlock, bytes]]:
    """Number and chain records anew; each block stays of the boot that it was of."""
    place = Place()
    for boot, columns in blocks:
        moved = replace(columns, first_sequence=place.through + 1)
        of_boot = origin if boot is None else replace(origin, boot=boot)
        data = encode_block(of_boot, place.head, moved)
        row = StoredBlock(moved.first_sequence, len(moved), block_hash(data), data)
        yield row, place.head
        place = Place(row.last_sequence, row.hash)


def _moved(block: Block) -> tuple[bytes, RecordColumns]:
    return block.origin.boot, block.columns


def _gap(left: Path) -> tuple[None, RecordColumns]:
    # Its time is not known: nobody's clock runs while a journal is renewed.
    record = Record(
        1, 0, 0, WALL_MS_MAX, ClockState.UNSET, Evidence.DEVICE, "", GAP,
        detail=f"journal_left {left.name}",
    )  # fmt: skip
    return None, to_columns([record])


def _free_name(folder: Path) -> Path:
    free = (folder / f"journal-left-{i}.db" for i in range(1, LEFT_COUNT_MAX))
    for path in free:
        if not path.exists():
            return path
    raise StoreDamagedError("too many journals were left behind in the data folder")


def _replace(path: Path, part: Path, left: Path) -> None:
    # Closed for good, so neither has a log beside it that would have to move with it.
    for file in (path, part):
        store = open_store(file, "")
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.close()
        if file.with_name(f"{file.name}-wal").exists():
            raise StoreFaultError(f"{file.name} is in use by another program")
    os.link(path, left)
    part.rename(path)
    sync_folder(path.parent)


def _remove(part: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        part.with_name(part.name + suffix).unlink(missing_ok=True)
