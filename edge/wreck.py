"""What can still be read of a damaged journal: every block proves itself by its own hash.

SQLite gives up a file whose structure is broken, and drops what stands behind a bad frame of its
write-ahead log. Blocks need neither: each begins with a mark that stands on a leaf page, and its
row says how long it is and where it goes on. So the pages of the file and of its log are searched
for the mark, and whatever has the right hash is a block that was written.
"""

import struct
from array import array
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from agreed.limits import BLOCK_BYTES_MAX
from agreed.records import Int64s
from agreed.wire import HASH_BYTES, MAGIC, NO_HASH, Block, WireError, block_hash, decode_block
from edge.journal import Place, StoredBlock
from edge.pages import PAGE_SIZES, Pages, long_value

_HEAD: Final = struct.Struct("<4s16s16sQIII32s")
"""Of a block, see docs/wire.md: mark, epoch, boot, first, count, raw, packed, previous."""

_PLACE_BITS: Final = 17


class Wreck:
    """A damaged journal, read in spite of SQLite; nothing in it is changed.

    It takes 16 bytes of memory for each block, whatever the size of the file.

    Attributes:
        path: the file; its write-ahead log lies beside it.
        epoch: of its blocks; zeros if none can be read.
    """

    def __init__(self, path: Path) -> None:
        """Search the file.

        Raises:
            OSError: it cannot be read.
        """
        self.path = path
        tried = sorted((Pages(path, size) for size in PAGE_SIZES), key=_count_blocks)
        *others, self._pages = tried
        for pages in others:
            pages.close()
        self.epoch = bytes(16)
        self._firsts, self._places = self._search()

    def __len__(self) -> int:
        """Count the blocks found; some may be there twice."""
        return len(self._firsts)

    def hash_at(self, through: int) -> bytes | None:
        """Give the hash of the block that ends there, as itself or the next one says it."""
        if through == 0:
            return NO_HASH
        before = int(np.searchsorted(self._firsts, through, "right"))
        for index in range(before - 1, max(-1, before - 8), -1):
            block = self._stored(index)
            if block is not None and block.last_sequence == through:
                return block.hash
        follower = next(iter(self._beginning_at(through + 1)), None)
        return None if follower is None else _previous(follower.data)

    def following(self, place: Place) -> StoredBlock | None:
        """Give the block that continues the chain there; None if it cannot be read."""
        blocks = self._beginning_at(place.through + 1)
        return next((b for b in blocks if _previous(b.data) == place.head), None)

    def end_of_chain(self, place: Place) -> Place:
        """Follow the chain from a place for as long as it is whole."""
        while (block := self.following(place)) is not None:
            place = Place(block.last_sequence, block.hash)
        return place

    def blocks_after(self, through: int) -> Iterator[Block]:
        """Read whatever can be read behind a sequence, in order, each record once."""
        index = int(np.searchsorted(self._firsts, through, "right"))
        while index < len(self._firsts):
            first = int(self._firsts[index])
            candidates = list(self._beginning_at(first)) if first > through else []
            block = self._likeliest(candidates)
            if block is not None:
                through = block.columns.last_sequence
                yield block
            index = int(np.searchsorted(self._firsts, max(first, through), "right"))

    def close(self) -> None:
        """Give the file back."""
        self._pages.close()

    def _search(self) -> tuple[Int64s, Int64s]:
        firsts, places, epochs = array("q"), array("q"), array("q")
        known: dict[bytes, int] = {}
        counts: Counter[int] = Counter()
        for image, at in self._pages.marks(MAGIC):
            data = self._data(image, at)
            if data is None:
                continue
            epoch = known.setdefault(data[4:20], len(known))
            counts[epoch] += 1
            firsts.append(_HEAD.unpack_from(data)[3])
            places.append(image << _PLACE_BITS | at)
            epochs.append(epoch)
        if not counts:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        (ours, _count), *_others = counts.most_common(1)
        self.epoch = list(known)[ours]
        is_ours = np.array(epochs, np.int64) == ours
        all_firsts, all_places = np.array(firsts)[is_ours], np.array(places)[is_ours]
        order = np.argsort(all_firsts, kind="stable")
        return all_firsts[order], all_places[order]

    def _beginning_at(self, first: int) -> Iterator[StoredBlock]:
        """Read the blocks that begin there: nearly always one, perhaps in several copies."""
        start, stop = np.searchsorted(self._firsts, [first, first + 1])
        seen: set[bytes] = set()
        for index in range(int(start), int(stop)):
            block = self._stored(index)
            if block is not None and block.hash not in seen:
                seen.add(block.hash)
                yield block

    def _likeliest(self, blocks: list[StoredBlock]) -> Block | None:
        """Choose the block that another one continues; else the one written last."""
        blocks = [b for b in blocks if self.following(Place(b.last_sequence, b.hash))] or blocks
        for block in reversed(blocks):
            try:
                return decode_block(block.data)
            except WireError:
                continue
        return None

    def _stored(self, index: int) -> StoredBlock | None:
        place = int(self._places[index])
        data = self._data(place >> _PLACE_BITS, place & ((1 << _PLACE_BITS) - 1))
        if data is None:
            return None
        _mark, _epoch, _boot, first, count, *_rest = _HEAD.unpack_from(data)
        return StoredBlock(first, count, block_hash(data), data)

    def _data(self, image: int, at: int) -> bytes | None:
        """Put a block together; None unless its hash is right."""
        for with_log in (True, False):
            data = long_value(self._pages, image, at, BLOCK_BYTES_MAX, with_log=with_log)
            is_long = data is not None and len(data) > _HEAD.size + HASH_BYTES
            if (
                data is not None
                and is_long
                and sha256(data[:-HASH_BYTES]).digest() == (data[-HASH_BYTES:])
            ):
                return data
        return None


def _count_blocks(pages: Pages) -> int:
    """Count blocks among the first marks: with the wrong page size hardly any is whole."""
    count = 0
    for seen, (image, at) in enumerate(pages.marks(MAGIC)):
        data = long_value(pages, image, at, BLOCK_BYTES_MAX, with_log=True)
        if data is not None and sha256(data[:-HASH_BYTES]).digest() == data[-HASH_BYTES:]:
            count += 1
        if seen >= 64:
            break
    return count


def _previous(data: bytes) -> bytes:
    previous: bytes = _HEAD.unpack_from(data)[7]
    return previous
