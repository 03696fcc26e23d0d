"""Flips bits of a journal's file, and puts old cards back: both must be noticed, always."""

import shutil
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import pysqlite3.dbapi2 as sqlite

from agreed.messages import Committed
from edge.journal import FILE, Journal, Place, open_journal
from edge.salvage import check_journal
from edge.store import StoreError
from edge.sync import BoxSync, CheckHead, Incident, Phase, Voice
from edge.witness import FILE as WITNESS_FILE
from edge.witness import Witness
from simulators.power.states import NAMES, commit
from simulators.signing import key_of

FAULTS_SHOWN_MAX: Final = 10
CARDS_PER_JOURNAL: Final = 100
_FLIPS: Final = (1, 1, 1, 2, 8)

_BLOCKS: Final = "SELECT first_sequence, count, hash, bytes FROM blocks ORDER BY first_sequence"

Files = dict[str, bytes]
"""A card, by file."""

Content = dict[str, list[tuple[Any, ...]]]
"""Rows of a journal by what they are: blocks, and what is stored beside them."""


@dataclass(slots=True)
class Cards:
    """What many cards came to.

    Attributes:
        flipped: cards with flipped bits.
        harmless: of them, those in which every row still reads as it was written.
        noticed: of the others, those that the box refused before its start.
        beside: those that it took, and in which something beside the blocks differs.
        set_back: old cards that were put back.
        stopped: of them, those with which the box stopped and said why.
        failed: cards that were not noticed, or broke something else.
        faults: one sentence for each of the first.
    """

    flipped: int = 0
    harmless: int = 0
    noticed: int = 0
    beside: int = 0
    set_back: int = 0
    stopped: int = 0
    failed: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Cards") -> None:
        """Count what another process saw."""
        for name in ("flipped", "harmless", "noticed", "beside", "set_back", "stopped", "failed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults += other.faults[: FAULTS_SHOWN_MAX - len(self.faults)]

    def blame(self, found: str) -> None:
        """Note a card that was not noticed."""
        self.failed += 1
        if len(self.faults) < FAULTS_SHOWN_MAX:
            self.faults.append(found)

    def summary(self) -> dict[str, Any]:
        """Give the figures as they are printed."""
        counts = Counter({name: getattr(self, name) for name in self.__slots__ if name != "faults"})
        return {**counts, "faults": self.faults}


def spoil(folder: Path, count: int, seed: int, *, is_control: bool = False) -> Cards:
    """Flip bits of so many cards, and put as many old cards back.

    Args:
        folder: empty, in memory.
        count: how many of each.
        seed: the same gives the same.
        is_control: look with SQLite's own `integrity_check` instead of the box's own look.
    """
    dice = Random(seed)
    cards = Cards()
    while cards.flipped < count:
        images, places = _recorded(folder / "recorded", dice)
        wanted = _content(_laid(folder / "spoiled", images[-1]))
        for _ in range(min(CARDS_PER_JOURNAL, count - cards.flipped)):
            path = _laid(folder / "spoiled", _flipped(images[-1], dice))
            _count(cards, _look(path, wanted, is_control=is_control))
            _put_back(folder / "old", images, places, dice, cards)
    return cards


def _recorded(folder: Path, dice: Random) -> tuple[list[Files], list[Place]]:
    """Let a box live, and give its card and the end of its journal after every commit."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    images, places = [], []
    for _ in range(dice.randint(1, 2)):
        journal = open_journal(
            folder / FILE, NAMES, entropy=dice.randbytes(48), boot=dice.randbytes(16)
        )
        journal.witness = Witness(folder / WITNESS_FILE)
        for _ in range(dice.randint(2, 6)):
            commit(journal, dice)
            images.append({name: (folder / name).read_bytes() for name in _files(folder)})
            places.append(journal.end)
        journal.close()
    return images, places


def _files(folder: Path) -> list[str]:
    return [name for name in (FILE, f"{FILE}-wal", WITNESS_FILE) if (folder / name).exists()]


def _flipped(card: Files, dice: Random) -> Files:
    """Flip bits of the journal or its log; what stands beside them is only a note."""
    held = {name: bytearray(data) for name, data in card.items()}
    names = [name for name in held if name != WITNESS_FILE and held[name]]
    for _ in range(dice.choice(_FLIPS)):
        data = held[dice.choice(names)]
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return {name: bytes(data) for name, data in held.items()}


def _laid(folder: Path, card: Files) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in card.items():
        (folder / name).write_bytes(data)
    return folder / FILE


def _content(path: Path) -> Content | None:
    """Read every row by plain SQL; None if that is not possible."""
    try:
        with closing(sqlite.connect(f"file:{path}?mode=ro", uri=True)) as db:
            db.text_factory = bytes
            return {
                "blocks": db.execute(_BLOCKS).fetchall(),
                "state": db.execute("SELECT name, value FROM state ORDER BY name").fetchall(),
                "kept": db.execute("SELECT name, value FROM kept ORDER BY name").fetchall(),
            }
    except (sqlite.Error, OverflowError, UnicodeError):
        return None


def _look(path: Path, wanted: Content | None, *, is_control: bool) -> str:
    """Say what became of one card: harmless, noticed, beside, or a sentence on what went wrong."""
    is_noticed = _integrity(path) if is_control else _noticed(path)
    left = _content(path)
    if is_noticed:
        return "noticed" if left != wanted else "harmless"
    if left == wanted:
        return "harmless"
    if left is None or wanted is None:
        return "the file cannot be read by plain SQL, and nothing noticed"
    return "beside" if left["blocks"] == wanted["blocks"] else "blocks differ, and nothing noticed"


def _noticed(path: Path) -> bool:
    """Look at a card as the box does before every start, and open it; whether either refuses."""
    try:
        check_journal(path)
        open_journal(path, NAMES, entropy=bytes(48), boot=bytes(16)).close()
    except StoreError:
        return True
    return False


def _integrity(path: Path) -> bool:
    with closing(sqlite.connect(str(path))) as db:
        try:
            return bool(db.execute("PRAGMA integrity_check").fetchone()[0] != "ok")
        except (sqlite.Error, OverflowError, UnicodeError):
            return True


def _count(cards: Cards, found: str) -> None:
    cards.flipped += 1
    if found in {"harmless", "noticed", "beside"}:
        setattr(cards, found, getattr(cards, found) + 1)
    else:
        cards.blame(found)


def _put_back(
    folder: Path, images: list[Files], places: list[Place], dice: Random, cards: Cards
) -> None:
    """Start a box with an older image of its card, and let headquarters say what it holds."""
    older, held = sorted(dice.sample(range(len(images)), 2))
    path = _laid(folder, images[older])
    cards.set_back += 1
    try:
        check_journal(path)
        journal = open_journal(path, NAMES, entropy=bytes(48), boot=dice.randbytes(16))
    except StoreError as error:
        cards.blame(f"the old card does not open: {error}")
        return
    answer = Committed(
        epoch=journal.origin.epoch.hex(),
        through=places[held].through,
        head=places[held].head.hex(),
    )
    if _stops(journal, answer, dice):
        cards.stopped += 1
    else:
        cards.blame(f"a card of {places[older]} was put back, {places[held]} is held, nobody told")
    journal.close()


def _stops(journal: Journal, answer: Committed, dice: Random) -> bool:
    """Let the box hear the answer to its greeting; sometimes it has recorded more meanwhile."""
    key = key_of(NAMES[-1])
    voice = Voice(NAMES, key.public, key.sign)
    sync = BoxSync(voice, journal.origin.epoch, "0" * 32, 0, dice.random)
    for _ in range(dice.choice((0, 0, 1, 3))):
        commit(journal, dice)
    sync.journaled(journal.end.through)
    sync.connected(0)
    facts = [
        fact
        for wanted in sync.received(answer, 1)
        if isinstance(wanted, CheckHead)
        for fact in sync.head_found(wanted, journal.hash_at(wanted.through), 1)
    ]
    is_told = any(isinstance(fact, Incident) for fact in facts)
    return is_told and sync.phase is Phase.STOPPED and sync.next_after() is None
