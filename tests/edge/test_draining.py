"""What a damaged journal holds is brought to headquarters under its own numbers, each once."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from agreed.messages import BlocksSent, Committed, Hello, Message
from agreed.wire import Block, decode_block
from edge.draining import (
    CARRIED_RECORDS_MAX,
    LOST_TOLD_MAX,
    Lost,
    WreckOffice,
    batches,
    settle_wreck,
)
from edge.journal import Place, StoredBlock
from edge.sync import BoxSync, CheckHead, Settled, Voice
from edge.wreck import Wreck
from tests.edge.stand_in import NAMES
from tests.edge.test_journal import ENTROPY, entries, opened

STREAM = "0" * 32


class Behind:
    """The box behind: it learns, and hears of the link."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    async def blocks_after(self, *_: int) -> list[StoredBlock]:
        raise AssertionError("the wreck answers")

    async def hash_at(self, _through: int) -> bytes | None:
        raise AssertionError("the wreck answers")

    async def places_between(self, *_: int) -> list[tuple[int, bytes]]:
        raise AssertionError("the wreck answers")

    async def note_parting(self, _parting: Place | None) -> None:
        raise AssertionError("the wreck answers")

    async def learn(self, stream: str, first: int, texts: list[str]) -> int | None:
        self.heard.append((stream, first, texts))
        return first

    def settled(self, _through: int, _head: bytes) -> None:
        raise AssertionError("the wreck answers")

    def link_changed(self, *, is_up: bool) -> None:
        self.heard.append(is_up)


class DirectLine:
    """Headquarters at the other end of no broker: takes what continues, answers at once."""

    def __init__(self, sync: BoxSync, office: WreckOffice, held: Place) -> None:
        self.sync = sync
        self.office = office
        self.held = held
        self.taken: list[Block] = []

    async def run(self, _jitter: Callable[[], float]) -> None:
        self.office.link_changed(is_up=True)
        self.sync.connected(0)
        while True:
            for message in self.sync.messages_to_send():
                await self.hear(message)
            while (after := self.sync.next_after()) is not None:
                found = await self.office.blocks_after(after, 3, 10**6)
                self.sync.blocks_loaded([b.data for b in found], found[-1].last_sequence, 0)
            await asyncio.sleep(0)

    async def hear(self, message: Message) -> None:
        if not isinstance(message, Hello):
            assert isinstance(message, BlocksSent)
            for data in message.blocks:
                self.take(decode_block(data))
        answer = Committed(
            epoch=self.office._wreck.epoch.hex(),
            through=self.held.through,
            head=self.held.head.hex(),
        )
        for wanted in self.sync.received(answer, 0):
            assert isinstance(wanted, CheckHead)
            for fact in self.sync.head_found(wanted, await self.office.hash_at(wanted.through), 0):
                if isinstance(fact, Settled):
                    self.office.settled(fact.through, fact.head)

    def take(self, block: Block) -> None:
        begins = (block.columns.first_sequence, block.previous)
        assert begins == (self.held.through + 1, self.held.head)
        self.taken.append(block)
        self.held = Place(block.columns.last_sequence, block.hash)


def settle(path: Path, held: Place) -> tuple[int | None, DirectLine, Behind]:
    async def act() -> tuple[int | None, DirectLine, Behind]:
        with closing(Wreck(path)) as wreck:
            voice = Voice(NAMES, bytes(32), lambda _statement: bytes(64))
            sync = BoxSync(voice, wreck.epoch, STREAM, 0, random.random)
            behind = Behind()
            office = WreckOffice(wreck, sync, behind)
            line = DirectLine(sync, office, held)
            assert await office.learn(STREAM, 4, []) == 4
            async with asyncio.timeout(90):
                return await settle_wreck(sync, office, line, random.random), line, behind

    return asyncio.run(act())


def filled(folder: Path) -> list[Place]:
    journal = opened(folder)
    places = [Place()]
    for count in (1, 2, 3, 4, 5, 6):
        journal.append(entries(count), {})
        places.append(journal.end)
    journal.close()
    return places


def spoil(path: Path, first: int) -> None:
    """Flip a bit in every copy of the block that begins there, and nothing else."""
    mark = ENTROPY[:16] + bytes(16) + first.to_bytes(8, "little")
    data = path.read_bytes()
    assert mark in data
    path.write_bytes(data.replace(mark, mark[:20] + b"\1" + mark[21:]))


def test_what_continues_from_headquarters_leaves_under_its_own_numbers(tmp_path: Path) -> None:
    places = filled(tmp_path)
    for begin in (0, 2, 6):
        through, line, behind = settle(tmp_path / "journal.db", places[begin])
        assert through == 21
        assert [b.hash for b in line.taken] == [p.head for p in places[begin + 1 :]]
        assert behind.heard == [(STREAM, 4, []), True]


def test_it_ends_before_a_gap_and_goes_on_where_headquarters_is_beyond_it(tmp_path: Path) -> None:
    places = filled(tmp_path)
    path = tmp_path / "journal.db"
    spoil(path, places[2].through + 1)
    through, line, _behind = settle(path, places[1])
    assert (through, len(line.taken)) == (places[2].through, 1)
    # The block itself cannot be read, but the next one says its hash.
    through, line, _behind = settle(path, places[3])
    assert (through, len(line.taken)) == (21, 3)


def test_headquarters_may_hold_more_than_can_be_read(tmp_path: Path) -> None:
    filled(tmp_path)
    through, line, _behind = settle(tmp_path / "journal.db", Place(40, bytes(32)))
    assert (through, line.taken) == (40, [])


def test_another_history_is_left_to_a_person(tmp_path: Path) -> None:
    places = filled(tmp_path)
    through, line, _behind = settle(
        tmp_path / "journal.db", Place(places[3].through, bytes([1] * 32))
    )
    assert (through, line.taken) == (None, [])


def blocks(folder: Path) -> Iterator[Block]:
    with closing(Wreck(folder / "journal.db")) as wreck:
        yield from wreck.blocks_after(0)


def test_what_is_carried_over_is_bounded_in_each_commit(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for _ in range(4):
        journal.append(entries(CARRIED_RECORDS_MAX // 2), {})
    journal.append(entries(CARRIED_RECORDS_MAX + 1), {})
    journal.close()
    sizes = [[len(b.columns) for b in batch] for batch in batches(blocks(tmp_path))]
    half = CARRIED_RECORDS_MAX // 2
    assert sizes == [[half, half], [half, half], [CARRIED_RECORDS_MAX + 1]]
    assert list(batches(iter([]))) == [[]]


def test_what_is_lost_is_told_by_its_numbers(tmp_path: Path) -> None:
    filled(tmp_path)
    some = [b for b in blocks(tmp_path) if b.columns.first_sequence in {2, 7, 16}]
    lost = Lost(0)
    assert list(lost.watched(iter(some))) == some
    assert [draft.detail for draft in lost.drafts("journal-damaged-1.db")] == [
        "lost 1-1 of journal-damaged-1.db",
        "lost 4-6 of journal-damaged-1.db",
        "lost 11-15 of journal-damaged-1.db",
        "lost 9 in all of journal-damaged-1.db",
    ]
    assert Lost(0).drafts("x") == ()
    assert LOST_TOLD_MAX > 3
