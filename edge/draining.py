"""Brings what a damaged journal still holds to headquarters, each record once.

Headquarters is asked how far it holds the old journal. What continues there leaves as it is, under
its own numbers, so that nothing can come twice. What stands behind a gap cannot be chained to it
any more: that is carried over into the journal, with its own times, and leaves with it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import structlog

from agreed.limits import TEXT_BYTES_MAX
from agreed.records import GAP
from agreed.wire import Block
from edge.decisions import Draft
from edge.journal import Place, StoredBlock
from edge.sync import OTHER_HISTORY, BoxSync
from edge.uplink import Office
from edge.wreck import Wreck

CARRIED_RECORDS_MAX: Final = 5_000
"""Records carried over in one commit, or those of one larger block."""

LOST_TOLD_MAX: Final = 16
"""Gaps of one wreck that are told one by one; the rest in a sum."""

LOOK_S: Final = 0.5

log = structlog.get_logger()


class Line(Protocol):
    """What carries messages between a sync and the broker, such as `edge.uplink.Uplink`."""

    async def run(self, jitter: Callable[[], float]) -> None:
        """Stay connected until cancelled."""
        ...


class WreckOffice:
    """Answers for a wreck what an uplink asks; everything else goes to the box behind.

    Attributes:
        known: how far headquarters holds the wreck's journal; None while it has not said.
        is_done: set once it holds whatever continues from there.
    """

    def __init__(self, wreck: Wreck, sync: BoxSync, behind: Office) -> None:
        self.known: Place | None = None
        self.is_done = asyncio.Event()
        self._wreck = wreck
        self._sync = sync
        self._behind = behind
        self._at = Place()
        self._end = Place()

    async def blocks_after(
        self, sequence: int, count_max: int, bytes_max: int
    ) -> list[StoredBlock]:
        """Read blocks of the chain."""
        return await asyncio.to_thread(self._read, sequence, count_max, bytes_max)

    async def hash_at(self, through: int) -> bytes | None:
        """Give the hash there; from now on it is known where headquarters stands."""
        head = await asyncio.to_thread(self._wreck.hash_at, through)
        self._at = self._end = Place(through, head or b"")
        if head is not None:
            self._end = await asyncio.to_thread(self._wreck.end_of_chain, self._at)
        if self.known is None or through >= self.known.through:
            self.known = Place(through, head or b"")
        if self._end.through <= through:
            self.is_done.set()
        self._sync.journaled(self._end.through)
        return head

    async def learn(self, stream: str, first: int, texts: list[str]) -> int | None:
        """Let the box learn."""
        return await self._behind.learn(stream, first, texts)

    async def places_between(self, _after: int, _before: int) -> list[tuple[int, bytes]]:
        """Name no places: where histories part, a wreck is left to a person."""
        return []

    async def note_parting(self, parting: Place | None) -> None:
        """Note nothing: it is not the journal's."""

    def settled(self, through: int, head: bytes) -> None:
        """Headquarters holds this much of the wreck's journal."""
        self.known = Place(through, head)
        if through >= self._end.through:
            self.is_done.set()

    def link_changed(self, *, is_up: bool) -> None:
        """Tell the box."""
        self._behind.link_changed(is_up=is_up)

    def _read(self, sequence: int, count_max: int, bytes_max: int) -> list[StoredBlock]:
        place = self._at
        if place.through != sequence:
            place = Place(sequence, self._wreck.hash_at(sequence) or b"")
        found: list[StoredBlock] = []
        size = 0
        while len(found) < count_max and (block := self._wreck.following(place)) is not None:
            size += len(block.data)
            if found and size > bytes_max:
                break
            found.append(block)
            place = Place(block.last_sequence, block.hash)
        self._at = place
        return found


async def settle_wreck(
    sync: BoxSync, office: WreckOffice, line: Line, jitter: Callable[[], float]
) -> int | None:
    """Talk to headquarters about a wreck until it holds what continues from what it held.

    Returns:
        The last sequence that it holds; None if it holds another history of that journal.
    """
    async with asyncio.TaskGroup() as group:
        talking = group.create_task(line.run(jitter))
        while not office.is_done.is_set() and sync.incident != OTHER_HISTORY:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await office.is_done.wait()
        talking.cancel()
    if not office.is_done.is_set() or office.known is None:
        return None
    return office.known.through


def batches(blocks: Iterator[Block]) -> Iterator[list[Block]]:
    """Put blocks together for one commit each; the last may be empty."""
    batch: list[Block] = []
    count = 0
    for block in blocks:
        if batch and count + len(block.columns) > CARRIED_RECORDS_MAX:
            yield batch
            batch, count = [], 0
        batch.append(block)
        count += len(block.columns)
    yield batch


class Lost:
    """Counts the numbers that nothing readable has.

    Attributes:
        ranges: first and last of each, at most LOST_TOLD_MAX.
        count: how many numbers in all.
    """

    def __init__(self, through: int) -> None:
        self.ranges: list[tuple[int, int]] = []
        self.count = 0
        self._through = through

    def watched(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Pass blocks on, and note what is missing between them."""
        for block in blocks:
            first = block.columns.first_sequence
            if first > self._through + 1:
                self.count += first - self._through - 1
                self.ranges.append((self._through + 1, first - 1))
                del self.ranges[LOST_TOLD_MAX:]
            self._through = block.columns.last_sequence
            yield block

    def drafts(self, name: str) -> tuple[Draft, ...]:
        """Write gap records that tell of it."""
        texts = [f"lost {first}-{last} of {name}" for first, last in self.ranges]
        if self.count:
            texts.append(f"lost {self.count} in all of {name}")
        return tuple(Draft("", GAP, detail=text[:TEXT_BYTES_MAX]) for text in texts)
