"""What is accepted is on the disk; what cannot be is refused at once, counted and shown."""

import asyncio
import contextlib
import os
import random
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from agreed.machine import Moment
from agreed.records import GAP, Durability, Record, RecordColumns, join_columns, to_records
from edge.acceptance import WAITING_TELEMETRY_MAX, Acceptance
from edge.clock import BoxClock
from edge.columns import Together
from edge.config import JournalSettings
from edge.decisions import Draft
from edge.journal import Journal, Place, checked_chain, read_rows
from edge.room import MIB, Room
from edge.store import Reserve, StoreFaultError, StoreFullError, open_for_reading
from tests.edge.stand_in import until
from tests.edge.test_journal import opened

DRAFT = (Draft("gate", "gate_passed", "r-1"),)
NOW = Moment(0, 0)
ENDLESS_MS = 60_000
ENDLESS = JournalSettings().model_copy(update={"window_ms": ENDLESS_MS})
"""A window longer than anybody may set: what comes earlier did not wait for it."""


class Desk:
    """An acceptance over a real journal, with what it committed."""

    def __init__(
        self,
        folder: Path,
        window_ms: int,
        telemetry_window_ms: int = 5_000,
        settings: JournalSettings | None = None,
    ) -> None:
        self.journal: Journal = opened(folder)
        self.commits: list[list[RecordColumns]] = []
        self.clock = BoxClock()
        self.acceptance = Acceptance(
            self.journal,
            self.clock,
            Reserve(folder / "reserve", 65_536),
            settings
            or JournalSettings(window_ms=window_ms, telemetry_window_ms=telemetry_window_ms),
            self.commits.append,
        )

    def records(self) -> list[Record]:
        return [record for run in self.runs() for record in to_records(run)]

    def runs(self) -> list[RecordColumns]:
        return [run for commit in self.commits for run in commit]

    def journal_columns(self, folder: Path) -> RecordColumns:
        """Read everything on the card, whatever was told."""
        with contextlib.closing(open_for_reading(folder / "journal.db")) as store:
            return join_columns([b.columns for b in checked_chain(read_rows(store), Place())])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.acceptance.run())
            yield
            self.acceptance.finish()
        self.acceptance.close()


def run(act: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(150):
            await act()

    asyncio.run(bounded())


def test_passages_within_a_window_share_one_commit(tmp_path: Path) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 50)
        async with desk.running():
            waiting = [desk.acceptance.accept(DRAFT, NOW, Durability.PASSAGE) for _ in range(20)]
            assert all(await asyncio.gather(*waiting))
        assert [len(run) for run in desk.runs()] == [20]

    run(act)


def test_custody_does_not_wait_and_takes_along_whoever_does(tmp_path: Path) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 0, settings=ENDLESS)
        async with desk.running():
            passage = desk.acceptance.accept(DRAFT, NOW, Durability.PASSAGE)
            begin_s = time.perf_counter()
            assert await desk.acceptance.accept(DRAFT, NOW, Durability.CUSTODY, {"a": "1"})
            assert time.perf_counter() - begin_s < ENDLESS_MS / 2_000
            assert await passage
            assert desk.journal.kept == {"a": "1"}
        assert [len(run) for run in desk.runs()] == [2]

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
    gap, passed = to_records(opened(tmp_path).recent_columns(1)[0])
    assert (gap.node_kind, gap.detail) == (GAP, "refused box_ending custody 1")
    assert (passed.sequence, passed.node_kind) == (2, "gate_passed")


def test_telemetry_waits_longer_and_goes_along_with_whatever_is_written(tmp_path: Path) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 50, ENDLESS_MS)
        accept = desk.acceptance.accept
        async with desk.running():
            telemetry = accept(DRAFT, NOW, Durability.TELEMETRY)
            assert await accept(DRAFT, NOW, Durability.PASSAGE)
            assert telemetry.done()
        assert [len(run) for run in desk.runs()] == [2]
        desk = Desk(tmp_path, 50, 400)
        accept = desk.acceptance.accept
        async with desk.running():
            begin_s = time.perf_counter()
            assert await accept(DRAFT, NOW, Durability.TELEMETRY)
            assert time.perf_counter() - begin_s >= 0.39
        assert [len(run) for run in desk.runs()] == [1]

    run(act)


def test_what_waits_is_bounded_and_telemetry_gives_way_first(tmp_path: Path) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 5_000)
        accept = desk.acceptance.accept
        half = DRAFT * WAITING_TELEMETRY_MAX
        waiting = [accept(half, NOW, Durability.PASSAGE)]
        assert not await accept(DRAFT * 3, NOW, Durability.TELEMETRY)
        waiting.append(accept(half, NOW, Durability.PASSAGE))
        assert not await accept(DRAFT, NOW, Durability.CUSTODY)
        assert desk.acceptance.refused_count == 4
        async with desk.running():
            assert all(await asyncio.gather(*waiting))
        gaps = [r.detail for r in desk.records() if r.node_kind == GAP]
        assert sorted(gaps) == ["refused queue_full custody 1", "refused queue_full telemetry 3"]
        assert desk.acceptance.refused_count == 0

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
        append = desk.journal.commit
        room = 0

        def without_room(*args: object) -> list[RecordColumns]:
            nonlocal room
            # The reserve leaves room for one gap record; then there is none until later.
            if room == 0 and not (tmp_path / "reserve").exists():
                room = 1
                return append(*args)  # type: ignore[arg-type]
            raise StoreFullError("full")

        desk.acceptance._reserve.make()
        monkeypatch.setattr(desk.journal, "commit", without_room)
        async with desk.running():
            assert not await desk.acceptance.accept(DRAFT, NOW, Durability.CUSTODY)
            await until(desk.records)
            assert not await desk.acceptance.accept(DRAFT * 2, NOW, Durability.CUSTODY)
            assert str(desk.acceptance.fault) == "full"
            monkeypatch.setattr(desk.journal, "commit", append)
            await until(lambda: desk.acceptance.fault is None)
            assert await desk.acceptance.accept(DRAFT, NOW, Durability.CUSTODY)
        assert [(r.node_kind, r.detail) for r in desk.records()] == [
            (GAP, "refused card_full custody 1"),
            (GAP, "journal_full"),
            (GAP, "refused card_full custody 2"),
            ("gate_passed", ""),
        ]
        assert (tmp_path / "reserve").exists()

    run(act)


def test_a_card_that_stays_broken_does_not_keep_the_box_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        desk = Desk(tmp_path, 0)

        def broken(*_: object) -> list[RecordColumns]:
            raise StoreFaultError("disk I/O error")

        monkeypatch.setattr(desk.journal, "commit", broken)
        async with desk.running():
            assert not await desk.acceptance.accept(DRAFT, NOW, Durability.PASSAGE)
        assert desk.records() == []

    run(act)


def test_what_the_clock_remembers_is_written_now_and_then_and_at_the_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 0)
    memories: list[str] = []
    commit = desk.journal.commit

    def noted(
        groups: Sequence[Together], keep: Mapping[str, str | None], memory: str = ""
    ) -> list[RecordColumns]:
        memories.append(memory)
        return commit(groups, keep, memory)

    async def act() -> None:
        async with desk.running():
            for _ in range(20):
                assert await desk.acceptance.accept(DRAFT, NOW, Durability.CUSTODY)

    desk.journal.commit = noted  # type: ignore[method-assign]
    run(act)
    assert len(memories) == 21
    assert [bool(memory) for memory in memories].count(True) == 2
    assert memories[0]
    assert memories[-1]


@pytest.fixture
def small_card(tmp_path: Path) -> Iterator[Path]:
    """Mount a card of 24 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small card needs root")
    card = tmp_path / "card"
    card.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "card", str(card)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small card can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield card
    finally:
        subprocess.run(["umount", str(card)], check=True)


def test_a_card_that_fills_gives_up_telemetry_first_then_new_custody_and_recovers(
    small_card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.acceptance.RECOVERY_S", 0.02)
    settings = JournalSettings(
        window_ms=0, telemetry_window_ms=0, telemetry_room_mib=12, custody_room_mib=4
    )

    async def act() -> None:
        desk = Desk(small_card, 0, settings=settings)
        accept, ballast = desk.acceptance.accept, small_card / "ballast"

        async def taken(durability: Durability, *, is_action: bool = False) -> bool:
            return await accept(DRAFT, desk.clock.moment(), durability, is_action=is_action)

        async def filled_to(free_mib: int, room: Room) -> None:
            card = os.statvfs(small_card)
            size = ballast.stat().st_size if ballast.exists() else 0
            size += card.f_bavail * card.f_frsize - free_mib * MIB
            ballast.write_bytes(bytes(max(0, size)))
            # Every commit measures; while there is little room, so does time.
            assert await taken(Durability.PASSAGE)
            await until(lambda: desk.acceptance.room is room)

        async with desk.running():
            await filled_to(8, Room.SCARCE)
            assert not await taken(Durability.TELEMETRY)
            assert await taken(Durability.CUSTODY, is_action=True)
            await filled_to(3, Room.LOW)
            assert not await taken(Durability.CUSTODY, is_action=True)
            assert await taken(Durability.CUSTODY)
            ballast.unlink()
            await until(lambda: desk.acceptance.room is Room.AMPLE)
            assert await taken(Durability.TELEMETRY)
            assert await taken(Durability.CUSTODY, is_action=True)
            first = await desk.acceptance.call(desk.journal.blocks_after, 0, 1, 0)
            assert first[0].first_sequence == 1
        gaps = [r.detail for r in to_records(desk.journal_columns(small_card))]
        assert "refused card_low telemetry 1" in gaps
        assert "refused card_low custody 1" in gaps

    run(act)


def test_a_card_filled_to_the_last_byte_loses_nothing_accepted_and_recovers(
    small_card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.acceptance.RECOVERY_S", 0.02)
    dice = random.Random(1)

    async def act() -> None:
        desk = Desk(
            small_card, 0, settings=JournalSettings(telemetry_room_mib=2, custody_room_mib=2)
        )
        await desk.acceptance.call(desk.acceptance._reserve.make)
        accepted = 0
        async with desk.running():
            (small_card / "ballast").write_bytes(bytes(20 * MIB))
            while desk.acceptance.fault is None:
                drafts = tuple(Draft("g", "k", dice.randbytes(32).hex()) for _ in range(500))
                if await desk.acceptance.accept(drafts, desk.clock.moment(), Durability.CUSTODY):
                    accepted += len(drafts)
            assert isinstance(desk.acceptance.fault, StoreFullError)
            (small_card / "ballast").unlink()
            await until(lambda: desk.acceptance.fault is None)
            assert await desk.acceptance.accept(DRAFT, desk.clock.moment(), Durability.CUSTODY)
        records = to_records(desk.journal_columns(small_card))
        assert sum(r.node_kind == "k" for r in records) == accepted > 0
        assert [r.sequence for r in records] == list(range(1, len(records) + 1))
        assert sum("refused card_full custody" in r.detail for r in records) >= 1

    run(act)
