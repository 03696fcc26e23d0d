"""Replays crash states: every un-synced sector may be there or not, in any of its versions."""

import shutil
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final

import apsw
import pysqlite3.dbapi2 as sqlite

from agreed.records import GATE_PASSED, ClockState
from edge.clock import Stamp
from edge.decisions import Draft
from edge.journal import FILE, Entry, Journal, open_journal
from edge.salvage import check_journal
from edge.store import StoreDamagedError, StoreError
from simulators.power.recording import Did, Operation, Recording, recorded
from simulators.power.writers import without_sync

SECTOR_BYTES: Final = 512
NAMES: Final = ("acme", "north", "east-gate")
COMMITS_MAX: Final = 5
STOCK_EVERY: Final = 50
"""Every so many states are also opened by another SQLite, with plain SQL and arithmetic."""

FAULTS_SHOWN_MAX: Final = 10
BLOCKS_MAX: Final = 1_000
BASE_BLOCKS_MAX: Final = 6
"""A journal that already has more is not gone on from: decoding is what a state costs."""

_NO_DICE: Final = Random(0)
_FOLLOWING: Final = 1.0
"""How many states of a recording are gone on from, on average; the last one drawn is."""

_CHECKPOINTS_PAGES: Final = (2, 8, 1_000)
_SHARES: Final = (0.0, 0.1, 0.5, 0.9, 1.0)


@dataclass(slots=True)
class Known:
    """One recorded journal, and what it should hold.

    Attributes:
        base: the files that it began with, by name.
        floor: the last sequence in them.
        recording: what it did to its card.
        hashes: of every block that was ever committed, by its last sequence.
    """

    base: dict[str, bytes] = field(default_factory=dict)
    floor: int = 0
    recording: Recording = field(default_factory=Recording)
    hashes: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Replayed:
    """What many states came to.

    Attributes:
        states: how many were opened.
        journals: how many were recorded.
        stock: how many were opened by another SQLite too.
        lossy: in how many an un-synced sector was really missing or old.
        failed: in how many something accepted was lost, or that did not open.
        faults: one sentence for each of the first.
    """

    states: int = 0
    journals: int = 0
    stock: int = 0
    lossy: int = 0
    failed: int = 0
    faults: list[str] = field(default_factory=list)

    def blame(self, found: str) -> None:
        """Note a state that broke a rule."""
        self.failed += 1
        if len(self.faults) < FAULTS_SHOWN_MAX:
            self.faults.append(found)

    def add(self, other: "Replayed") -> None:
        """Count what another process replayed."""
        self.states += other.states
        self.journals += other.journals
        self.stock += other.stock
        self.lossy += other.lossy
        self.failed += other.failed
        self.faults += other.faults[: FAULTS_SHOWN_MAX - len(self.faults)]

    def summary(self) -> dict[str, Any]:
        """Give the figures as they are printed."""
        return {
            "states": self.states,
            "journals": self.journals,
            "opened_by_stock_sqlite": self.stock,
            "lossy": self.lossy,
            "failed": self.failed,
            "rate_below": 3 / self.states if self.states and not self.failed else None,
            "faults": self.faults,
        }


def replay(
    folder: Path, states: int, seed: int, per_journal: int = 500, *, is_control: bool = False
) -> Replayed:
    """Record journals, and open as many of their crash states.

    Half of the journals go on from a crash state of the one before.

    Args:
        folder: empty, in memory.
        states: how many.
        seed: the same gives the same.
        per_journal: how many of each recording.
        is_control: record journals that commit without a sync; that must be found out.
    """
    dice = Random(seed)
    done = Replayed()
    (folder / "crashed").mkdir()
    known = None
    while done.states < states:
        known = record(folder / "recorded", dice, known, is_control=is_control)
        done.journals += 1
        wanted = min(per_journal, states - done.states)
        known = _open_all(folder / "crashed", known, wanted, dice, done)
    return done


def record(
    folder: Path, dice: Random, crashed: Known | None = None, *, is_control: bool = False
) -> Known:
    """Let a journal live for some commits, ends and starts, and record it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    known = crashed or Known()
    for name, data in known.base.items():
        (folder / name).write_bytes(data)
    if is_control:
        apsw.connection_hooks.append(without_sync)
    try:
        with recorded() as known.recording:
            for _ in range(dice.randint(1, 2)):
                _live(folder, known, dice)
    finally:
        if is_control:
            apsw.connection_hooks.remove(without_sync)
    return known


def _live(folder: Path, known: Known, dice: Random) -> None:
    pages = dice.choice(_CHECKPOINTS_PAGES)
    often = partial(_checkpoint_every, pages)
    apsw.connection_hooks.append(often)
    try:
        journal = open_journal(
            folder / FILE, NAMES, entropy=dice.randbytes(48), boot=dice.randbytes(16)
        )
    finally:
        apsw.connection_hooks.remove(often)
    try:
        for _ in range(dice.randint(1, COMMITS_MAX)):
            commit(journal, dice)
            known.hashes[journal.end.through] = journal.end.head
            known.recording.mark(journal.end.through)
    finally:
        journal.close()


def _checkpoint_every(pages: int, connection: apsw.Connection) -> None:
    connection.wal_autocheckpoint(pages)


def commit(journal: Journal, dice: Random) -> None:
    """Commit some records, with what is kept beside them, as a box does."""
    first = journal.end.through + 1
    count = dice.choice((1, 1, 2, 5, 40))
    entries = [_entry(first + i) for i in range(count)]
    if dice.random() < 0.3:
        journal.commit_through(journal.end)
    memory = dice.choice(("", "", "5 boot-1 7 8 9"))
    journal.append(entries, {"last": str(first + count - 1)}, memory)


def _entry(number: int) -> Entry:
    stamp = Stamp(number, 1_800_000_000_000 + number, 5, ClockState.SYNCED)
    return Entry(Draft("gate-1", GATE_PASSED, f"w-{number % 7}", detail=str(number)), stamp)


class Card:
    """What a card may hold after a crash at any operation of a recording.

    Attributes:
        done: how many operations were done.
    """

    def __init__(self, known: Known) -> None:
        self.done = 0
        self._operations = known.recording.operations
        self._synced = {name: bytearray(data) for name, data in known.base.items()}
        self._pending: dict[str, list[Operation]] = {}
        self._ghosts: dict[str, bytearray] = {}

    def advance(self, done: int) -> None:
        """Do operations up to a number of them."""
        for operation in self._operations[self.done : done]:
            self._do(operation)
        self.done = max(self.done, done)

    def crashed(self, dice: Random) -> tuple[dict[str, bytes], bool]:
        """Draw what is left, by file, and whether anything un-synced is missing from it."""
        left: dict[str, bytes] = {}
        is_lossy = False
        for name in {*self._synced, *self._pending, *self._ghosts}:
            ghost = self._ghosts.get(name)
            if ghost is not None and dice.random() < 0.5:
                left[name] = bytes(ghost)
                is_lossy = True
                continue
            share = dice.choice(_SHARES)
            data = bytearray(self._synced.get(name, b""))
            lost = sum(_applied(data, one, share, dice) for one in self._pending.get(name, ()))
            is_lossy |= lost > 0
            if name in self._synced or (data and dice.random() >= share):
                left[name] = bytes(data)
        return left, is_lossy

    def _do(self, operation: Operation) -> None:
        name = operation.name
        if operation.did is Did.SYNC:
            data = self._synced.setdefault(name, bytearray())
            for one in self._pending.pop(name, ()):
                _applied(data, one, 0.0, _NO_DICE)
            # Names are changed in order, and any later sync writes down what came before it.
            self._ghosts.clear()
        elif operation.did is Did.DELETE:
            data = self._synced.pop(name, bytearray())
            for one in self._pending.pop(name, ()):
                _applied(data, one, 0.0, _NO_DICE)
            self._ghosts[name] = data
        else:
            self._pending.setdefault(name, []).append(operation)


def _applied(data: bytearray, operation: Operation, share: float, dice: Random) -> int:
    """Do one operation, sector by sector, and lose a share of them; how many were lost."""
    if operation.did is Did.CUT:
        if share and dice.random() < share:
            return 1
        del data[operation.offset :]
        return 0
    lost = 0
    start, end = operation.offset, operation.offset + len(operation.data)
    if not share:
        _put(data, start, operation.data)
        return 0
    at = start
    while at < end:
        until = min(end, at - at % SECTOR_BYTES + SECTOR_BYTES)
        if dice.random() < share:
            lost += 1
        else:
            _put(data, at, operation.data[at - start : until - start])
        at = until
    return lost


def _put(data: bytearray, at: int, piece: bytes) -> None:
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at : at + len(piece)] = piece


def _open_all(
    folder: Path, known: Known, states: int, dice: Random, done: Replayed
) -> Known | None:
    """Open crash states of a recording in order; one of them for the next recording, or None."""
    card = Card(known)
    count = len(known.recording.operations)
    following = None
    for point in sorted(dice.randint(0, count) for _ in range(states)):
        card.advance(point)
        left, is_lossy = card.crashed(dice)
        accepted = max((n for at, n in known.recording.marks if at <= point), default=known.floor)
        done.states += 1
        done.lossy += is_lossy
        is_stock = done.states % STOCK_EVERY == 0
        done.stock += is_stock
        held: dict[int, bytes] = {}
        found = _judge_stock(folder, left, known, accepted) if is_stock else ""
        found = found or _judge(folder, left, known, accepted, held)
        if found:
            done.blame(f"journal {done.journals}, operation {point} of {count}: {found}")
        elif len(held) <= BASE_BLOCKS_MAX and dice.random() < _FOLLOWING / states:
            following = Known(left, max(held, default=0), hashes=held)
    return following


def _laid_out(folder: Path, left: dict[str, bytes]) -> Path:
    for path in folder.iterdir():
        path.unlink()
    for name, data in left.items():
        (folder / name).write_bytes(data)
    return folder / FILE


def _judge(
    folder: Path, left: dict[str, bytes], known: Known, accepted: int, held: dict[int, bytes]
) -> str:
    """Open a state with the code of the box, and fill in what it holds; "" when all is well."""
    path = _laid_out(folder, left)
    try:
        check_journal(path)
        journal = open_journal(path, NAMES, entropy=bytes(48), boot=bytes(16))
    except StoreDamagedError as error:
        # Before anything was accepted the box sets the file aside and begins anew.
        return f"it counts as damaged: {error}" if accepted else ""
    except StoreError as error:
        return f"it does not open: {error}"
    try:
        blocks = journal.blocks_after(0, BLOCKS_MAX, 2**30)
        held.update({block.last_sequence: block.hash for block in blocks})
        return _compared(held, journal.kept.get("last"), known, accepted)
    finally:
        journal.close()


def _judge_stock(folder: Path, left: dict[str, bytes], known: Known, accepted: int) -> str:
    """Open a state with another SQLite, plain SQL and arithmetic."""
    path = _laid_out(folder, left)
    with closing(sqlite.connect(str(path))) as db:
        try:
            rows = db.execute("SELECT first_sequence + count - 1, bytes FROM blocks").fetchall()
            last = db.execute("SELECT value FROM kept WHERE name = 'last'").fetchone()
        except sqlite.OperationalError as error:
            return "" if "no such table" in str(error) and not accepted else str(error)
    held = {through: sha256(data[:-32]).digest() for through, data in rows}
    # The text, then a mark and its seal.
    return _compared(held, last[0].partition("\x1f")[0] if last else None, known, accepted)


def _compared(held: dict[int, bytes], kept: str | None, known: Known, accepted: int) -> str:
    through = max(held, default=0)
    if through < accepted:
        return f"accepted through {accepted}, left through {through}"
    if held != {last: known.hashes[last] for last in known.hashes if last <= through}:
        return "blocks are not those that were committed"
    if kept != (str(through) if through else None):
        return f"what is kept is of {kept}, the last record is {through}"
    return ""
