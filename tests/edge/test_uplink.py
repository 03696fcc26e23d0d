"""Any broker will do, and none of them can lose anything of ours."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest

from agreed.directives import decode_directive
from agreed.messages import Committed, topic
from edge.clock import BoxClock
from edge.config import BoxSettings
from edge.journal import Journal, Place, StoredBlock
from edge.key import make_key
from edge.parting import places_between
from edge.store import StoreDamagedError
from edge.sync import BoxSync, CheckHead, Phase, Voice
from edge.uplink import OFFLINE, ONLINE, Uplink
from tests.cancelling import cancel_with_the_word
from tests.edge.stand_in import (
    NAMES,
    STREAM,
    Headquarters,
    broker,
    credential,
    free_port,
    order,
    until,
    wait_for_port,
)
from tests.edge.test_journal import entries, opened

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
pytestmark = pytest.mark.broker


@contextlib.contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    assert MOSQUITTO is not None
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([MOSQUITTO, "-c", config], stdout=log, stderr=log)
    try:
        wait_for_port(port)
        yield process
    finally:
        process.kill()
        process.wait()


KEY = make_key(bytes(32))
VOICE = Voice(NAMES, KEY.public, KEY.sign)


class Office:
    """A journal and a list of what was learned, without threads."""

    def __init__(self, folder: Path) -> None:
        self.journal: Journal = opened(folder)
        self.learned: list[str] = []
        self.links: list[bool] = []

    async def blocks_after(
        self, sequence: int, count_max: int, bytes_max: int
    ) -> list[StoredBlock]:
        return self.journal.blocks_after(sequence, count_max, bytes_max)

    async def hash_at(self, through: int) -> bytes | None:
        return self.journal.hash_at(through)

    async def learn(self, stream: str, first: int, texts: list[str]) -> int | None:
        assert stream == STREAM
        if first > len(self.learned) + 1:
            return None
        self.learned += texts[len(self.learned) + 1 - first :]
        return len(self.learned)

    async def places_between(self, after: int, before: int) -> list[tuple[int, bytes]]:
        return places_between(self.journal, after, before)

    async def note_parting(self, parting: Place | None) -> None:
        self.journal.note_parting(parting)

    def settled(self, through: int, head: bytes) -> None:
        self.journal.commit_through(Place(through, head))

    def link_changed(self, *, is_up: bool) -> None:
        self.links.append(is_up)


def settings(port: int) -> BoxSettings:
    company, site, box = NAMES
    return BoxSettings.model_validate(
        {
            "company": company,
            "site": site,
            "box": box,
            "data": "data",
            "headquarters": {"url": f"mqtt://127.0.0.1:{port}", "reconnect_s_max": 1},
        }
    )


class World:
    """One box's uplink and headquarters at a broker's port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.office = Office(folder)
        self.headquarters = Headquarters([credential(), *(order(f"o-{i}") for i in range(450))])
        self.sync = BoxSync(VOICE, self.office.journal.origin.epoch, "0" * 32, 0, lambda: 0.5)
        self.uplink = Uplink(settings(port), self.sync, self.office, BoxClock())

    def journal(self, blocks: int) -> None:
        for _ in range(blocks):
            self.office.journal.append(entries(2), {})
        self.sync.journaled(self.office.journal.end.through)
        self.uplink.wake()

    def is_settled(self) -> bool:
        return self.office.journal.committed == self.office.journal.end

    @contextlib.asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[None]:
        async with asyncio.timeout(150), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.headquarters.serve(port)),
                group.create_task(self.uplink.run(lambda: 0.5)),
            ]
            yield
            for task in reversed(tasks):
                task.cancel()
                await asyncio.wait([task])


BROKERS = [
    broker,
    pytest.param(
        mosquitto,
        marks=pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
    ),
]


@pytest.mark.parametrize("start", BROKERS)
def test_a_broker_that_is_killed_and_wiped_loses_nothing(
    tmp_path: Path, start: "type[contextlib.AbstractContextManager[subprocess.Popen[bytes]]]"
) -> None:
    port = free_port()
    world = World(tmp_path, port)
    world.journal(100)

    async def act() -> None:
        async with world.running(port):
            with start(tmp_path / "first", port):  # type: ignore[call-arg]
                await until(world.is_settled)
                world.journal(50)
            await until(lambda: world.office.links[-1:] == [False])
            world.journal(50)
            with start(tmp_path / "second", port):  # type: ignore[call-arg]
                await until(world.is_settled)
                await until(lambda: len(world.office.learned) == 451)
                await until(lambda: world.headquarters.applied_through == 451)
                assert world.sync.phase is Phase.SENDING
                world.uplink.wake()

    asyncio.run(act())
    assert len(world.headquarters.records) == 400
    assert [
        decode_directive(text) for text in world.office.learned
    ] == world.headquarters.directives
    assert not world.headquarters.forked
    assert world.headquarters.presence[0] == ONLINE


def test_a_clean_end_says_offline_at_once(tmp_path: Path) -> None:
    port = free_port()
    world = World(tmp_path, port)

    async def act() -> None:
        with broker(tmp_path, port):
            async with asyncio.timeout(150), asyncio.TaskGroup() as group:
                listening = group.create_task(world.headquarters.serve(port))
                speaking = group.create_task(world.uplink.run(lambda: 0.5))
                # Said while headquarters subscribes, a word may come twice: as news and as kept.
                await until(lambda: ONLINE in world.headquarters.presence)
                speaking.cancel()
                await until(lambda: world.headquarters.presence[-1] == OFFLINE)
                listening.cancel()

    asyncio.run(act())
    assert topic(*NAMES, "presence") == "duifu/1/greentown/lakeside/east-gate/presence"


def test_an_incident_is_kept_until_a_person_has_looked(tmp_path: Path) -> None:
    port = free_port()
    world = World(tmp_path, port)
    epoch = world.office.journal.origin.epoch.hex()
    world.headquarters._ends[epoch] = 2, bytes(32)
    world.journal(3)

    async def act() -> None:
        with broker(tmp_path, port):
            async with world.running(port):
                await until(lambda: world.sync.phase is Phase.STOPPED)

    asyncio.run(act())
    assert "history" in world.sync.incident
    assert not world.headquarters.records


def test_a_goodbye_that_fails_does_not_hide_a_cancellation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, 1)
    is_serving = asyncio.Event()

    @contextlib.asynccontextmanager
    async def client() -> AsyncIterator[None]:
        try:
            yield
        finally:
            raise aiomqtt.MqttError("Operation timed out")

    async def serve(_client: object) -> None:
        is_serving.set()
        await asyncio.sleep(60)

    async def act() -> None:
        monkeypatch.setattr(world.uplink, "_client", client)
        monkeypatch.setattr(world.uplink, "_serve", serve)
        task = asyncio.create_task(world.uplink.run(lambda: 0.5))
        await is_serving.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(30):
                await task

    asyncio.run(act())


def test_a_cancellation_that_comes_with_the_brokers_word_is_not_forgotten(tmp_path: Path) -> None:
    port = free_port()
    world = World(tmp_path, port)

    async def act() -> None:
        asyncio.get_running_loop().set_task_factory(cancel_with_the_word)
        with broker(tmp_path, port):
            task = asyncio.create_task(world.uplink.run(lambda: 0.5))
            await asyncio.wait([task], timeout=60)
            assert task.cancelled()

    asyncio.run(act())
    assert world.office.links == [True, False]


def test_a_hole_in_the_journal_is_said_and_does_not_spin(tmp_path: Path) -> None:
    world = World(tmp_path, 1)
    world.journal(3)
    world.office.journal._store.execute("DELETE FROM blocks WHERE first_sequence = 1")
    world.sync.connected(0)
    epoch = world.office.journal.origin.epoch.hex()
    for wanted in world.sync.received(Committed(epoch=epoch, through=0, head="00" * 32), 0):
        assert isinstance(wanted, CheckHead)
        world.sync.head_found(wanted, bytes(32), 0)
    with pytest.raises(StoreDamagedError, match="after record 0"):
        asyncio.run(world.uplink._load())
