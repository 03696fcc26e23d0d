"""What is accepted is on the disk; what cannot be is refused at once, counted and shown."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from agreed.machine import Moment
from agreed.records import GAP, Durability, Record
from edge.acceptance import WAITING_RECORDS_MAX, Acceptance
from edge.clock import BoxClock
from edge.decisions import Draft
from edge.journal import Entry, Journal
from edge.store import Reserve, StoreFaultError, StoreFullError
from tests.edge.stand_in import until
from tests.edge.test_journal import opened

DRAFT = (Draft("gate", "gate_passed", "r-1"),)
NOW = Moment(0, 0)


class Desk:
    """An acceptance over a real journal, with what it committed."""

    def __init__(self, folder: Path, window_ms: int) -> None:
        self.journal: Journal = opened(folder)
        self.commits: list[list[Record]] = []
        self.acceptance = Acceptance(
            self.journal,
            BoxClock(),
            Reserve(folder / "reserve", 65_536),
            window_ms,
            self.commits.append,
        )

    def records(self) -> list[Record]:
        return [record for commit in self.commits for record in commit]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.acceptance.run())
            yield
            self.acceptance.finish()
        self.acceptance.close()


def run(act: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await act()

    asyncio.run(bounded())


def test_passages_within_a_window_share_one_commit(tmp_path: Path) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 50)
        async with desk.running():
            waiting = [desk.acceptance.accept(DRAFT, NOW, Durability.PASSAGE) for _ in range(20)]
            assert all(await asyncio.gather(*waiting))
        assert [len(commit) for commit in desk.commits] == [20]

    run(act)


def test_custody_does_not_wait_and_takes_along_whoever_does(tmp_path: Path) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 5_000)
        async with desk.running():
            passage = desk.acceptance.accept(DRAFT, NOW, Durability.PASSAGE)
            begin_s = time.perf_counter()
            assert await desk.acceptance.accept(DRAFT, NOW, Durability.CUSTODY, {"a": "1"})
            assert time.perf_counter() - begin_s < 2
            assert await passage
            assert desk.journal.kept == {"a": "1"}
        assert [len(commit) for commit in desk.commits] == [2]

    run(act)


def test_finishing_commits_what_still_waits_and_takes_no_more(tmp_path: Path) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 5_000)
        async with desk.running():
            passage = desk.acceptance.accept(DRAFT, NOW, Durability.PASSAGE)
            desk.acceptance.finish()
            assert not await desk.acceptance.accept(DRAFT, NOW, Durability.CUSTODY)
        assert passage.result()

    run(act)
    assert opened(tmp_path).end.through == 1


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 5_000)
        many = DRAFT * WAITING_RECORDS_MAX
        first = desk.acceptance.accept(many, NOW, Durability.PASSAGE)
        assert not await desk.acceptance.accept(DRAFT, NOW, Durability.PASSAGE)
        assert desk.acceptance.refused_count == 1
        async with desk.running():
            assert await first

    run(act)


def test_any_text_becomes_a_record(tmp_path: Path) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 0)
        async with desk.running():
            draft = Draft("gate", "device_lost", detail="坏\n" * 100)
            assert await desk.acceptance.accept((draft,), NOW, Durability.PASSAGE)
        assert desk.records()[0].detail.startswith("坏坏")

    run(act)


def test_a_full_card_is_said_in_the_journal_itself_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.acceptance.RECOVERY_S", 0.05)

    async def act() -> None:
        desk = Desk(tmp_path, 0)
        append = desk.journal.append
        room = 0

        def without_room(*args: object) -> list[Record]:
            nonlocal room
            # The reserve leaves room for one gap record; then there is none until later.
            if room == 0 and not (tmp_path / "reserve").exists():
                room = 1
                return append(*args)  # type: ignore[arg-type]
            raise StoreFullError("full")

        desk.acceptance._reserve.make()
        monkeypatch.setattr(desk.journal, "append", without_room)
        async with desk.running():
            assert not await desk.acceptance.accept(DRAFT, NOW, Durability.CUSTODY)
            await until(desk.records)
            assert not await desk.acceptance.accept(DRAFT * 2, NOW, Durability.CUSTODY)
            assert str(desk.acceptance.fault) == "full"
            monkeypatch.setattr(desk.journal, "append", append)
            await until(lambda: desk.acceptance.fault is None)
            assert await desk.acceptance.accept(DRAFT, NOW, Durability.CUSTODY)
        assert [(r.node_kind, r.detail) for r in desk.records()] == [
            (GAP, "journal_full"),
            (GAP, "journal_refused 3"),
            ("gate_passed", ""),
        ]
        assert (tmp_path / "reserve").exists()

    run(act)


def test_a_card_that_stays_broken_does_not_keep_the_box_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 0)

        def broken(*_: object) -> list[Record]:
            raise StoreFaultError("disk I/O error")

        monkeypatch.setattr(desk.journal, "append", broken)
        async with desk.running():
            assert not await desk.acceptance.accept(DRAFT, NOW, Durability.PASSAGE)
        assert desk.records() == []

    run(act)


def test_what_the_clock_remembers_is_written_now_and_then_and_at_the_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 0)
    memories: list[str] = []
    append = desk.journal.append

    def noted(
        entries: list[Entry], keep: Mapping[str, str | None], memory: str = ""
    ) -> list[Record]:
        memories.append(memory)
        return append(entries, keep, memory)

    async def act() -> None:
        async with desk.running():
            for _ in range(20):
                assert await desk.acceptance.accept(DRAFT, NOW, Durability.CUSTODY)

    desk.journal.append = noted  # type: ignore[method-assign]
    run(act)
    assert len(memories) == 21
    assert [bool(memory) for memory in memories].count(True) == 2
    assert memories[0]
    assert memories[-1]
