"""A real box with simulated devices: it works alone, and a kill loses nothing it accepted."""

import asyncio
import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agreed.records import DEVICE_BACK, PARCEL_COLLECTED, PARCEL_DEPOSITED, Record, to_records
from agreed.wire import decode_block
from edge.learned import LearnedStore
from edge.status import SOCKET
from simulators.devices.gate_reader import TapOutcome
from simulators.devices.scanner import Answered
from simulators.evidence import read_journal
from tests.edge.stand_in import (
    CARD,
    STREAM,
    Devices,
    Headquarters,
    box_process,
    box_toml,
    broker,
    credential,
    devices,
    free_port,
    kill,
    memory_bytes,
    order,
    until,
)
from tests.edge.test_journal import entries, opened

MEMORY_BYTES_MAX = 80_000_000
LATE_S = 3.0


def duifu(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "duifu", "edge", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def teach(folder: Path, headquarters: Headquarters) -> None:
    """Let the box have learned everything before, as if it had been on-line."""
    (folder / "data").mkdir()
    store = LearnedStore(folder / "data" / "learned.db")
    for after in range(0, len(headquarters.directives), 200):
        for sent in headquarters.directives_after(after):
            store.apply(STREAM, sent.first, sent.directives)  # type: ignore[union-attr]
    store.close()


async def journaled(folder: Path, node_kind: str, count: int = 1) -> None:
    """Wait until the running box has written so many records of a kind."""

    def written() -> int:
        journal = read_journal(folder / "data" / "journal.db")
        blocks = [decode_block(data) for data in journal.blocks]
        kinds = [record.node_kind for one in blocks for record in to_records(one.columns)]
        return kinds.count(node_kind)

    await until((folder / "data" / SOCKET).is_socket)
    await until(lambda: written() >= count)


async def status_of(config: Path) -> dict[str, Any]:
    """Ask a running box how it is, until it has the time to answer."""
    command = ("status", "--json", "--config", str(config))
    async with asyncio.timeout(120):
        while (answer := await asyncio.to_thread(duifu, *command)).returncode != 0:
            assert "Traceback" not in answer.stderr
    said: dict[str, Any] = json.loads(answer.stdout)
    return said


@pytest.mark.broker
@pytest.mark.scenario
def test_gates_lockers_and_kiosk_work_alone_and_report_later(tmp_path: Path) -> None:
    port = free_port()
    headquarters = Headquarters([credential(), order("o-1"), order("o-2")])
    teach(tmp_path, headquarters)

    async def alone(config: Path) -> None:
        async with devices(tmp_path) as site:
            path = box_toml(tmp_path, f"mqtt://127.0.0.1:{port}", site.ports)
            assert path == config
            with box_process(config) as process:
                await journaled(tmp_path, DEVICE_BACK, 3)
                assert await site.reader.tap(CARD) is TapOutcome.ADMITTED
                assert await site.reader.tap("26:00000000") is TapOutcome.REFUSED
                assert await site.scanner.scan("o-1-start") is Answered.GOOD
                for action, done in (
                    ("deposit", PARCEL_DEPOSITED),
                    ("collect", PARCEL_COLLECTED),
                ):
                    assert await site.scanner.scan(f"o-1-{action}") is Answered.GOOD
                    assert await site.bank.opened(1)
                    await asyncio.sleep(0.5)  # nobody closes a door at once
                    site.bank.close(1)
                    await journaled(tmp_path, done)
                assert await site.scanner.scan("o-1-collect") is Answered.BAD
                assert await site.scanner.scan("o-1-finish") is Answered.GOOD
                await report(process)

    async def report(process: "subprocess.Popen[bytes]") -> None:
        serving = asyncio.create_task(headquarters.serve(port))
        with broker(tmp_path, port):
            await until(lambda: "task_finished" in headquarters.kinds())
            await until(lambda: headquarters.statuses)
            assert (await status_of(tmp_path / "box.toml"))["is_linked"]
            assert memory_bytes(process) < MEMORY_BYTES_MAX
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 60) == 0
            await until(lambda: headquarters.presence[-1:] == [b"offline"])
        serving.cancel()

    asyncio.run(alone(tmp_path / "box.toml"))
    assert [k for k in headquarters.kinds() if not k.startswith(("device", "box", "clock"))] == [
        "gate_passed",
        "gate_refused",
        "task_started",
        "compartment_opened",
        "parcel_deposited",
        "compartment_opened",
        "parcel_collected",
        "code_refused",
        "task_finished",
    ]
    assert duifu("journal", "verify", "--config", str(tmp_path / "box.toml")).returncode == 0


class Life:
    """People who use a box while it is killed, and headquarters that must learn of all they did."""

    def __init__(self, orders: int) -> None:
        self.names = [f"o-{i}" for i in range(orders)]
        self.headquarters = Headquarters([credential(), *(order(name) for name in self.names)])
        self.good: set[str] = set()

    def started(self) -> set[str]:
        records = self.headquarters.records.values()
        return {record.reference for record in records if record.node_kind == "task_started"}

    def has_everything(self) -> bool:
        return self.good <= self.started()

    def has_taught(self) -> bool:
        return self.headquarters.applied_through == len(self.headquarters.directives)

    async def use(self, site: Devices) -> None:
        await until(lambda: site.reader.is_online)
        while True:
            await site.reader.tap(CARD, wait_s=0.5)
            name = self.names.pop()
            answered = await site.scanner.scan(f"{name}-start", wait_s=1.0)
            if answered is Answered.GOOD:
                self.good.add(name)
            elif answered is Answered.NOTHING:
                await asyncio.sleep(LATE_S)  # a late beep must not be taken for the next scan's


@pytest.mark.broker
@pytest.mark.scenario
@pytest.mark.parametrize("seed", [1])
def test_kills_of_the_box_and_of_the_broker_lose_nothing(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    port = free_port()
    life = Life(400)

    async def round_(site: Devices, config: Path, *, kills_broker: bool) -> None:
        with broker(tmp_path, port) as middle, box_process(config) as box:
            using = asyncio.create_task(life.use(site))
            await until(life.has_taught)
            used = len(life.good) + 3
            await until(lambda: len(life.good) >= used, wait_s=60)
            await asyncio.sleep(dice.random())
            if kills_broker:
                kill(middle)
                await asyncio.sleep(dice.random() / 2)
            kill(box)
            using.cancel()

    async def act() -> None:
        serving = asyncio.create_task(life.headquarters.serve(port))
        async with devices(tmp_path) as site:
            config = box_toml(tmp_path, f"mqtt://127.0.0.1:{port}", site.ports)
            for number in range(5):
                await round_(site, config, kills_broker=number % 2 == 1)
            with broker(tmp_path, port), box_process(config):
                await until(life.has_everything)
        serving.cancel()

    asyncio.run(act())
    assert len(life.good) > 10
    assert not life.headquarters.forked
    assert len({epoch for epoch, _ in life.headquarters.records}) == 1
    sequences = sorted(sequence for _, sequence in life.headquarters.records)
    assert sequences == list(range(1, len(sequences) + 1))


@pytest.mark.broker
@pytest.mark.scenario
def test_what_is_readable_in_a_damaged_journal_reaches_headquarters_once(tmp_path: Path) -> None:
    port, headquarters = free_port(), Headquarters()
    (tmp_path / "data").mkdir()
    journal = opened(tmp_path / "data")
    epoch = journal.origin.epoch
    for _ in range(20):
        journal.append(entries(3), {"a": "1"})
    journal.close()
    path = tmp_path / "data" / "journal.db"
    data = path.read_bytes()
    mark = epoch + bytes(16) + (31).to_bytes(8, "little")
    assert mark in data
    path.write_bytes(data.replace(mark, mark[:20] + b"\1" + mark[21:]))
    config = box_toml(tmp_path, f"mqtt://127.0.0.1:{port}", ("/none/a", "/none/b", "/none/c"))

    async def act() -> None:
        serving = asyncio.create_task(headquarters.serve(port))
        with broker(tmp_path, port), box_process(config, "--keep-trying") as box:
            await until(lambda: any(r.detail.startswith("lost") for r in told(headquarters)))
            box.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(box.wait, 60) == 0
        serving.cancel()

    asyncio.run(act())
    old = [sequence for of, sequence in headquarters.records if of == epoch.hex()]
    assert old == list(range(1, 31))
    carried = [r.subject for r in told(headquarters) if r.node_kind == "gate_passed"]
    assert len(carried) == 60 - 3
    details = [r.detail for r in told(headquarters) if r.node_kind == "gap"]
    assert details[0] == "journal_damaged journal-damaged-1.db"
    assert "lost 31-33 of journal-damaged-1.db" in details
    assert not headquarters.forked


def told(headquarters: Headquarters) -> list[Record]:
    return list(headquarters.records.values())


def test_a_box_imports_nothing_of_headquarters() -> None:
    code = (
        "import sys, duifu.__main__, edge.__main__, edge.agent, edge.opening\n"
        "rooms = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(rooms & {'cloud', 'sqlalchemy', 'fastapi', 'simulators', 'uvicorn'}))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("alive_s = 3600", "alive_s = 0"), "alive_s"),
        (("window_ms", "windows_ms"), "windows_ms"),
        (("[[gate]]", "[[gate"), "TOML"),
        (("", ""), "/none/a"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_status_2(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    path = box_toml(tmp_path, "mqtt://127.0.0.1:1", ("/none/a", "/none/b", "/none/c"))
    path.write_text(path.read_text().replace(*change, 1) if change[0] else path.read_text())
    answer = duifu("run", "--config", str(path))
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_box_with_nothing_but_faults_still_starts_and_ends_when_told(tmp_path: Path) -> None:
    path = box_toml(tmp_path, "mqtt://127.0.0.1:1", ("/none/a", "/none/b", "/none/c"))

    async def act() -> None:
        with box_process(path, "--keep-trying") as process:
            faults: set[str] = set()
            async with asyncio.timeout(120):
                while len(faults) < 3:
                    faults = set((await status_of(path))["port_faults"])
            assert faults == {"/none/a", "/none/b", "/none/c"}
            second = duifu("run", "--keep-trying", "--config", str(path))
            assert second.returncode == 2
            human = duifu("status", "--config", str(path))
            assert "/none/a" in human.stdout
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0

    asyncio.run(act())
    stopped = duifu("status", "--config", str(path))
    assert stopped.returncode == 2
    assert "edge run" in stopped.stderr
