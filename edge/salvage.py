"""Sees whether the journal is what was written, and sets it aside when it is not.

A new journal has a new epoch, so no number is ever given twice: headquarters may hold more of the
old one than can be read here. What is still readable in the old one reaches headquarters through
`edge.draining`.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import apsw

from agreed.records import GAP
from agreed.wire import MAGIC
from edge.decisions import Draft
from edge.journal import (
    FILE,
    Journal,
    Place,
    StoredBlock,
    check_whole,
    read_epoch,
    read_rows,
    read_state,
    unsealed,
)
from edge.store import (
    StoreDamagedError,
    StoreError,
    StoreFaultError,
    named_faults,
    open_for_reading,
    sync_folder,
    undo_unfinished,
)
from edge.witness import FILE as WITNESS_FILE
from edge.witness import read_witness

CHECKED_BLOCKS_COUNT: Final = 20_000
"""Newest blocks looked at before every start: a second on a Pi. Older ones are when they leave."""

ASIDE_COUNT_MAX: Final = 1_000
_ASIDE: Final = "journal-damaged-"
_LOGS: Final = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Left:
    """What can be read of a damaged journal besides its blocks.

    Attributes:
        kept: texts kept beside it, by name.
        is_kept_whole: whether those are all.
        secret: for digests; b"" if it cannot be read.
        clock_memory: what the clock was to remember.
    """

    kept: dict[str, str] = field(default_factory=dict)
    is_kept_whole: bool = False
    secret: bytes = b""
    clock_memory: str = ""


def check_journal(path: Path) -> None:
    """See that a journal is what was written, without changing the file or its log.

    Raises:
        StoreDamagedError: it is not, or its end is missing.
        StoreError: it cannot be read.
    """
    told = read_witness(path.with_name(WITNESS_FILE))
    if not path.exists():
        if told is not None or _log_of(path).exists():
            raise StoreDamagedError("the journal is not there any more")
        return
    undo_unfinished(path)
    try:
        with closing(open_for_reading(path, may_be_copy=False)) as store, named_faults():
            _check(store, told)
    except (UnicodeDecodeError, TypeError, ValueError) as error:
        raise StoreDamagedError(str(error)) from error


def _check(store: apsw.Connection, told: tuple[bytes, int] | None) -> None:
    epoch = read_epoch(store)
    rows = read_rows(store, "ORDER BY first_sequence DESC LIMIT ?", (CHECKED_BLOCKS_COUNT,))
    through = _check_rows(rows, epoch)
    if told is not None and told[0] == epoch and told[1] > through:
        raise StoreDamagedError(f"its end is missing: {told[1]} records were there", through + 1)
    store.execute("SELECT name, value FROM kept").fetchall()


def _check_rows(rows: Iterator[StoredBlock], epoch: bytes) -> int:
    """Check rows, the newest first; give the last sequence."""
    through = 0
    later: StoredBlock | None = None
    for row in rows:
        check_whole(row)
        if row.data[: len(MAGIC) + len(epoch)] != MAGIC + epoch:
            raise StoreDamagedError("a block is of another journal", row.first_sequence)
        if later is None:
            through = row.last_sequence
        elif (row.last_sequence + 1, row.hash) != (later.first_sequence, previous_of(later)):
            raise StoreDamagedError("the chain is broken", later.first_sequence)
        later = row
    return through


def set_aside(path: Path) -> Path:
    """Rename a damaged journal and what belongs to it; nothing is deleted.

    Raises:
        StoreFaultError: there are too many already.
        OSError: it cannot be renamed.
    """
    aside = _free_name(path)
    witness = path.with_name(WITNESS_FILE)
    for part, name in [(path.with_name(path.name + log), aside.name + log) for log in _LOGS] + [
        (witness, aside.stem + "-end"),
        (path, aside.name),
    ]:
        if part.exists():
            part.rename(path.with_name(name))
    if not aside.exists():
        aside.touch()
    sync_folder(path.parent)
    return aside


def read_left(path: Path) -> Left:
    """Read what a damaged journal still says besides its blocks; nothing if it cannot."""
    try:
        with closing(open_for_reading(path)) as store, named_faults():
            kept, damaged = unsealed(store.execute("SELECT name, value FROM kept"))
            secret, memory = read_state(store, "secret"), read_state(store, "clock")
    except (StoreError, UnicodeDecodeError):
        return Left()
    return Left(
        kept,
        not damaged,
        secret if isinstance(secret, bytes) else b"",
        memory if isinstance(memory, str) else "",
    )


def adopt_wrecks(journal: Journal, folder: Path) -> list[Draft]:
    """Take over what damaged journals in the folder leave; give the gap records that say so.

    A journal that was set aside just before a power cut is found here, too.

    Raises:
        StoreError: nothing was taken over.
    """
    names = sorted(path.name for path in folder.glob(f"{_ASIDE}*.db"))
    new = [name for name in names if name not in journal.wrecks]
    gaps = [Draft("", GAP, detail=f"kept_damaged {name}"[:64]) for name in journal.kept_damaged]
    if not new:
        return gaps
    left = Left()
    if not journal.kept and journal.end == Place():
        left = read_left(folder / new[-1])
        gaps += [] if left.is_kept_whole else [Draft("", GAP, detail="kept_damaged")]
        journal.clock_memory = left.clock_memory
    journal.adopt(new, left.kept, left.secret)
    return [*(Draft("", GAP, detail=f"journal_damaged {name}") for name in new), *gaps]


def previous_of(row: StoredBlock) -> bytes:
    """Give the hash of the block before, as a block says it. Source: docs/wire.md#a-block."""
    return row.data[56:88]


def _free_name(path: Path) -> Path:
    for number in range(1, ASIDE_COUNT_MAX):
        aside = path.with_name(f"{_ASIDE}{number}.db")
        if not aside.exists():
            return aside
    raise StoreFaultError("too many damaged journals lie in the data folder")


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


assert FILE.endswith(".db")
