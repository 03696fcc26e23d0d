"""A memory card that forgets what was not synced, runs full, or dies in the middle of a write.

It stands below SQLite as its default file system while a world is played; files outside of its
folders are left alone. What the journal does with it is the journal's own code.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import apsw

SECTOR_BYTES: Final = 512
_KEPT: Final = ("", "-wal", "-journal")


@dataclass(slots=True)
class Card:
    """One card.

    Attributes:
        folder: where its files really are.
        is_full: nothing more fits.
        is_dead: the process that wrote is gone; nothing reaches the card any more.
        operations_left: writes and syncs until it dies; None for no such end.
        is_lying: says that it synced, and did not.
        unsynced: what the sectors of each file held when it was last synced.
        sizes: of each file when it was last synced.
    """

    folder: Path
    is_full: bool = False
    is_dead: bool = False
    operations_left: int | None = None
    is_lying: bool = False
    unsynced: dict[str, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    sizes: dict[str, int] = field(default_factory=dict)

    def used(self) -> None:
        """Count one operation.

        Raises:
            apsw.IOError: the card is dead.
        """
        if self.operations_left is not None:
            self.operations_left -= 1
            if self.operations_left < 0:
                self.is_dead = True
        if self.is_dead:
            raise apsw.IOError("the power is gone")

    def removed(self, name: str) -> None:
        """Forget a file that was deleted."""
        self.unsynced.pop(name, None)
        self.sizes.pop(name, None)

    def after_kill(self, folder: Path) -> "Card":
        """Give the card as the next process finds it: every write is there, synced or not."""
        folder.mkdir()
        for path in sorted(self.folder.iterdir()):
            if path.name.endswith(".db") or path.name.endswith(_KEPT[1:]):
                shutil.copyfile(path, folder / path.name)
        return Card(folder, is_lying=self.is_lying)

    def after_power_cut(self, folder: Path, dice: Random) -> "Card":
        """Give the card as the next start finds it: any unsynced sector may be lost."""
        card = self.after_kill(folder)
        for name, sectors in self.unsynced.items():
            path = folder / name
            if path.exists():
                _forget(path, sectors, self.sizes.get(name, 0), dice)
        return card


def _forget(path: Path, sectors: dict[int, bytes], size: int, dice: Random) -> None:
    share = dice.choice((0.0, 0.2, 0.5, 1.0))
    with path.open("r+b") as file:
        for number in sorted(sectors):
            if dice.random() < share:
                file.seek(number * SECTOR_BYTES)
                file.write(sectors[number])
        if dice.random() < share:
            file.truncate(max(size, 0))


# The names of methods are SQLite's.
# ruff: noqa: N802


class _File(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], card: Card | None) -> None:
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "")
        self._name = path.name
        self._card = card if self._name.endswith((".db", "-wal", "-journal")) else None
        super().__init__("unix", name, flags)
        if self._card is not None:
            self._card.sizes.setdefault(self._name, 0 if not path.exists() else path.stat().st_size)

    def xWrite(self, data: bytes, offset: int) -> None:
        card = self._card
        if card is not None:
            card.used()
            if card.is_full:
                raise apsw.FullError("no room left")
            self._remember(card, offset, len(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        card = self._card
        if card is not None:
            card.used()
            self._remember(card, size, max(0, self.xFileSize() - size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        card = self._card
        if card is not None:
            card.used()
            if not card.is_lying:
                card.unsynced.pop(self._name, None)
                card.sizes[self._name] = self.xFileSize()
        super().xSync(flags)

    def _remember(self, card: Card, offset: int, length: int) -> None:
        held = card.unsynced[self._name]
        size = self.xFileSize()
        for number in range(offset // SECTOR_BYTES, -(-(offset + length) // SECTOR_BYTES)):
            if number not in held:
                start = number * SECTOR_BYTES
                there = max(0, min(SECTOR_BYTES, size - start))
                old = super().xRead(there, start) if there else b""
                held[number] = old.ljust(SECTOR_BYTES, b"\0")


class CardFiles(apsw.VFS):
    """SQLite's file system for every card of a world."""

    def __init__(self) -> None:
        self._cards: dict[str, Card] = {}
        super().__init__("duifu-card", "unix", makedefault=True)

    def insert(self, card: Card) -> None:
        """Watch over the files of a card."""
        self._cards[str(card.folder.resolve())] = card

    def _card(self, name: str) -> Card | None:
        return self._cards.get(str(Path(name).parent))

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        """Open a file, watched over if it lies on a card."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _File(name, flags, self._card(path) if path else None)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """Delete a file; a dead card keeps it."""
        card = self._card(filename)
        if card is not None:
            card.used()
            card.removed(Path(filename).name)
        super().xDelete(filename, syncdir)


@contextmanager
def card_files() -> Iterator[CardFiles]:
    """Put cards below SQLite for a while; one world at a time."""
    files = CardFiles()
    try:
        yield files
    finally:
        files.unregister()
