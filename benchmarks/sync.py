"""How fast a full journal drains to headquarters, on how many bytes, and how soon a record is seen.

python -m benchmarks.sync --json prints an object with figures and ratios. Headquarters is the real
process with SQLite, the broker a real NATS server; the box is its real journal, front door, sync
and uplink in this process. A backlog has drained when headquarters has committed all of it and the
box has heard so. Beside it in the same run: the same rows into a plain SQLite table with the same
durability, no broker, no checks.

Bytes are those that crossed the box's TCP connection, both ways, as a relay counted them.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Final, Self

import numpy as np
import pysqlite3.dbapi2 as sqlite
import structlog
import zstandard

from agreed.limits import BLOCK_RECORDS_MAX
from agreed.machine import NS_PER_MS, NS_PER_S
from agreed.records import Durability, Record, RecordColumns, to_columns, to_records
from agreed.wire import decode_block
from benchmarks.journal import (
    NAMES,
    Report,
    plain_table,
    some_drafts,
    synced_clock,
    write_rows,
)
from edge.acceptance import Acceptance
from edge.clock import Stamp
from edge.config import BoxSettings, JournalSettings, read_settings
from edge.journal import Entry, Journal, Place, StoredBlock, open_journal
from edge.key import open_key
from edge.store import Reserve
from edge.sync import BoxSync, Voice
from edge.uplink import Uplink
from simulators.kills.stage import Stage

LIVE_PERIOD_S: Final = 0.05
BYTES_BLOCKS_MAX: Final = 2_000
WATCH_S: Final = 0.002
SETTLED_S_MAX: Final = 600.0
STREAM: Final = "0" * 32
_READ_BYTES_MAX: Final = 1 << 18


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--blocks", default="1,10,100,1000,10000", help="records of a block")
    parser.add_argument("--records", type=int, default=200_000, help="of a round's backlog")
    parser.add_argument(
        "--blocks-max", type=int, default=50_000, help="blocks of a round's backlog at most"
    )
    parser.add_argument("--live", type=float, default=10.0, help="seconds of live records, idle")
    parser.add_argument("--backlog", type=int, default=1_000_000, help="before the live records")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("var"), help="on the disk to measure")
    asked = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asked.folder.mkdir(parents=True, exist_ok=True)
    report: Report = {"figures": {}, "ratios": {}}
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        asyncio.run(measure(report, Path(name).absolute(), asked))
    print(json.dumps(report, indent=None if asked.json else 2))


async def measure(report: Report, folder: Path, asked: argparse.Namespace) -> None:
    """Measure everything against one headquarters."""
    async with Stage(folder) as stage:
        for size in map(int, asked.blocks.split(",")):
            count = max(1, min(asked.records // size, asked.blocks_max))
            await compare_drains(report, stage, size, count, asked.rounds)
            await compare_bytes(report, stage, size, min(count, BYTES_BLOCKS_MAX))
        note_waits(report, "live_idle", await live(stage, 0, asked.live))
        note_waits(report, "live_behind_backlog", await live(stage, asked.backlog, 0))
        report["figures"]["live_behind_backlog_records"] = asked.backlog


class Parts:
    """What a running box has between its front door and the broker.

    Attributes:
        path: of its journal.
        journal: its journal.
        accepted_s: when a record was on the disk, by sequence; only live ones.
        up_s: when the broker was first reached.
    """

    def __init__(self, stage: Stage, port: int) -> None:
        """Begin a journal of its own, so that headquarters holds nothing of it yet."""
        self.accepted_s: dict[int, float] = {}
        settings = _settings(stage, port)
        folder = Path(tempfile.mkdtemp(dir=stage.folder))
        dice = random.SystemRandom()
        entropy, boot = dice.randbytes(48), dice.randbytes(16)
        self.path = folder / "journal.db"
        self.journal = open_journal(self.path, NAMES, entropy=entropy, boot=boot)
        self.clock = synced_clock()
        reserve = Reserve(folder / "reserve")
        self.acceptance = Acceptance(
            self.journal, self.clock, reserve, JournalSettings(window_ms=0), self._durable
        )
        key = open_key(stage.folder / "box.key", dice.randbytes(32))
        voice = Voice(NAMES, key.public, key.sign)
        self._sync = BoxSync(voice, self.journal.origin.epoch, STREAM, 0, random.random)
        self._uplink = Uplink(settings, self._sync, self, self.clock)
        self._settled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.up_s = 0.0

    async def __aenter__(self) -> Self:
        """Connect; what the journal holds begins to flow."""
        self._sync.journaled(self.journal.end.through)
        self._tasks = [
            asyncio.create_task(self.acceptance.run()),
            asyncio.create_task(self._uplink.run(random.random)),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect and close."""
        self.acceptance.finish()
        self._tasks[1].cancel()
        await asyncio.wait(self._tasks)
        self.acceptance.close()

    async def settle(self) -> None:
        """Wait until headquarters holds all and the box has heard so."""
        async with asyncio.timeout(SETTLED_S_MAX):
            while self.journal.committed.through < self.journal.end.through:
                self._settled.clear()
                await self._settled.wait()

    async def blocks_after(
        self, sequence: int, count_max: int, bytes_max: int
    ) -> list[StoredBlock]:
        """Read blocks, as the box does."""
        return await self.acceptance.call(self.journal.blocks_after, sequence, count_max, bytes_max)

    async def hash_at(self, through: int) -> bytes | None:
        """Give the hash of a block, as the box does."""
        return await self.acceptance.call(self.journal.hash_at, through)

    async def places_between(self, after: int, before: int) -> list[tuple[int, bytes]]:
        """Say nothing: no history parts here."""
        del after, before
        return []

    async def note_parting(self, parting: Place | None) -> None:
        """Never asked."""

    async def learn(self, stream: str, first: int, texts: list[str]) -> int | None:
        """Learn nothing: no card and no order matters here."""
        del stream
        return first + len(texts) - 1

    def settled(self, through: int, head: bytes) -> None:
        """Take in what headquarters holds for good."""
        self.journal.commit_through(Place(through, head))
        self._settled.set()

    def link_changed(self, *, is_up: bool) -> None:
        """Note when the link came up."""
        if is_up and not self.up_s:
            self.up_s = perf_counter()

    def _durable(self, runs: list[RecordColumns]) -> None:
        now_s = perf_counter()
        for run in runs:
            numbers = range(run.first_sequence, run.last_sequence + 1)
            self.accepted_s |= dict.fromkeys(numbers, now_s)
            self._sync.journaled(run.last_sequence)
            self._uplink.wake()


async def compare_drains(report: Report, stage: Stage, size: int, count: int, rounds: int) -> None:
    """Drain a journal of `count` blocks; write the same rows to a plain table."""
    ours, floor, busy_s = [], [], []
    for number in range(rounds):
        parts = Parts(stage, stage.broker_port)
        fill(parts.journal, size, count)
        began_s = busy_seconds(stage)
        async with parts:
            await parts.settle()
            ours.append(size * count / (perf_counter() - parts.up_s))
            busy_s.append(busy_seconds(stage) - began_s)
        assert stored_count(stage.store, parts.journal.origin.epoch) == size * count
        floor.append(await asyncio.to_thread(time_floor, stage.folder / f"{size}-{number}", parts))
    report["figures"] |= {
        f"drain_{size}_records": size * count,
        f"drain_{size}_ours_per_s": round(median(ours)),
        f"drain_{size}_headquarters_cpu_us_per_record": round(
            median(busy_s) * 1e6 / (size * count), 2
        ),
        f"drain_{size}_plain_table_per_s": round(median(floor)),
    }
    report["ratios"][f"drain_{size}_vs_plain_table"] = round(median(ours) / median(floor), 3)


def busy_seconds(stage: Stage) -> float:
    """Give the seconds of processor that headquarters has used: they count on a busy machine, too.

    Source: proc(5), /proc/PID/stat, fields 14 and 15.
    """
    fields = Path(f"/proc/{stage.headquarters.pid}/stat").read_text("ascii").rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def fill(journal: Journal, size: int, count: int) -> None:
    """Journal blocks of `size` records that happened at random, five in a second."""
    now, after_ns, dice = synced_clock().now(), 0, random.Random(size)
    drafts = iter(some_drafts(size * count))
    for _ in range(count):
        entries = []
        for _ in range(size):
            after_ns += int(dice.expovariate(5) * NS_PER_S)
            mono_ns, wall_ms = now.mono_ns + after_ns, now.wall_ms + after_ns // NS_PER_MS
            stamp = Stamp(mono_ns, wall_ms, now.bound_ms, now.clock_state)
            entries.append(Entry(next(drafts), stamp))
        journal.append(entries, {})


def time_floor(folder: Path, parts: Parts) -> float:
    """Give rows a second into a plain table, as many in one transaction as a full block has."""
    rows = [
        tuple(getattr(record, name) for name in Record.__slots__)
        for data in parts_blocks(parts)
        for record in to_records(decode_block(data).columns)
    ]
    with closing(plain_table(folder)) as table:
        began_s = perf_counter()
        for first in range(0, len(rows), BLOCK_RECORDS_MAX):
            write_rows(table, rows[first : first + BLOCK_RECORDS_MAX])
        return len(rows) / (perf_counter() - began_s)


async def compare_bytes(report: Report, stage: Stage, size: int, count: int) -> None:
    """Count the bytes of a drain, and those of the same records written otherwise."""
    relay = Relay(stage.broker_port)
    server = await asyncio.start_server(relay.carry, "127.0.0.1", 0)
    parts = Parts(stage, server.sockets[0].getsockname()[1])
    fill(parts.journal, size, count)
    async with parts:
        await parts.settle()
    server.close()
    rows = size * count
    blocks = parts_blocks(parts)
    records = [to_records(decode_block(data).columns) for data in blocks]
    others = {
        "json": sum(len(as_json(one)) for block in records for one in block) / rows,
        "columns_zstd": sum(len(as_columns(block)) for block in records) / rows,
    }
    ours = relay.bytes_count / rows
    name = f"wire_{size}"
    report["figures"] |= {
        f"{name}_bytes_per_record": round(ours, 2),
        f"{name}_blocks_alone_bytes_per_record": round(sum(map(len, blocks)) / rows, 2),
    }
    for other, size_bytes in others.items():
        report["figures"][f"{name}_{other}_bytes_per_record"] = round(size_bytes, 2)
        report["ratios"][f"{name}_vs_{other}"] = round(ours / size_bytes, 3)


def parts_blocks(parts: Parts) -> list[bytes]:
    """Read every block of a journal that is closed by now."""
    with closing(sqlite.connect(str(parts.path))) as db:
        return [data for (data,) in db.execute("SELECT bytes FROM blocks ORDER BY first_sequence")]


def as_json(record: Record) -> bytes:
    """Write one record as gateways do: one object with every field."""
    fields = {name: getattr(record, name) for name in Record.__slots__}
    return json.dumps(fields, separators=(",", ":")).encode()


def as_columns(records: list[Record]) -> bytes:
    """Write records as plain columns, distinct texts once, in one zstd frame."""
    columns = to_columns(records)
    parts = [columns.mono_ns, columns.wall_ms, columns.bound_ms]
    raw = b"".join(np.diff(part, prepend=0).tobytes() for part in parts)
    raw += columns.clock_state.tobytes() + columns.evidence.tobytes()
    for distinct, index in columns.texts.values():
        raw += "\0".join(distinct).encode() + index.astype(np.uint16).tobytes()
    return zstandard.compress(raw)


@dataclass(slots=True)
class Relay:
    """Carries bytes to the broker and back, and counts them."""

    port: int
    bytes_count: int = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end closes."""
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        ways = (self._pump(reader, far_writer), self._pump(far_reader, writer))
        await asyncio.gather(*ways)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_READ_BYTES_MAX):
                self.bytes_count += len(data)
                writer.write(data)
                await writer.drain()
        writer.close()


async def live(stage: Stage, backlog: int, seconds: float) -> list[float]:
    """Accept a record every 50 ms, so long or until a backlog has drained; give the waits, s."""
    parts = Parts(stage, stage.broker_port)
    fill(parts.journal, BLOCK_RECORDS_MAX, backlog // BLOCK_RECORDS_MAX)
    behind = parts.journal.end.through
    watch = Watch(stage.store, parts.journal.origin.epoch)
    watching = asyncio.create_task(asyncio.to_thread(watch.run))
    async with parts:
        began_s = perf_counter()
        for draft in some_drafts(100_000):
            moment = parts.clock.moment()
            await parts.acceptance.accept((draft,), moment, Durability.CUSTODY)
            await asyncio.sleep(LIVE_PERIOD_S)
            is_over = perf_counter() - began_s >= seconds
            if is_over and parts.journal.committed.through >= behind:
                break
        await parts.settle()
    watch.last = parts.journal.end.through
    await watching
    return [watch.seen_s(sequence) - at_s for sequence, at_s in parts.accepted_s.items()]


class Watch:
    """Reads headquarters' file again and again to see when records become visible there.

    Attributes:
        last: stop once this one is there.
    """

    def __init__(self, store: Path, epoch: bytes) -> None:
        self.last: int | None = None
        self._store = store
        self._epoch = epoch
        self._steps: list[tuple[int, float]] = []
        self._previews: dict[int, float] = {}

    def run(self) -> None:
        """Watch until the last record is there."""
        through = 0
        with closing(sqlite.connect(str(self._store))) as db:
            while self.last is None or through < self.last:
                found = db.execute(_THROUGH, (self._epoch,)).fetchone()
                if found is not None and found[0] > through:
                    through = found[0]
                    self._steps.append((through, perf_counter()))
                newest = max(self._previews, default=0)
                for (sequence,) in db.execute(_PREVIEWS, (self._epoch, newest)).fetchall():
                    self._previews[sequence] = perf_counter()
                sleep(WATCH_S)

    def seen_s(self, sequence: int) -> float:
        """Say when a record was first seen, committed or ahead of that as a preview."""
        committed_s = next(at_s for through, at_s in self._steps if through >= sequence)
        return min(committed_s, self._previews.get(sequence, committed_s))

    @property
    def previews_count(self) -> int:
        """How many records were seen ahead of their turn."""
        return len(self._previews)


def note_waits(report: Report, name: str, waits_s: list[float]) -> None:
    """Note percentiles."""
    p50, p99 = np.percentile(waits_s, [50, 99]) * 1e3
    report["figures"] |= {
        f"{name}_p50_ms": round(float(p50), 1),
        f"{name}_p99_ms": round(float(p99), 1),
        f"{name}_samples": len(waits_s),
    }


def stored_count(store: Path, epoch: bytes) -> int:
    """Count the records of a journal at headquarters."""
    with closing(sqlite.connect(str(store))) as db:
        count: int = db.execute(_COUNT, (epoch,)).fetchone()[0]
    return count


def _settings(stage: Stage, port: int) -> BoxSettings:
    settings = read_settings(stage.write_box(""))
    url = f"mqtt://127.0.0.1:{port}"
    return settings.model_copy(
        update={"headquarters": settings.headquarters.model_copy(update={"url": url})}
    )


_THROUGH: Final = "SELECT committed_through FROM journals WHERE epoch = ?"
_PREVIEWS: Final = (
    "SELECT sequence FROM previews WHERE epoch = ? AND sequence > ? ORDER BY sequence"
)
_COUNT: Final = "SELECT count(*) FROM records WHERE epoch = ?"

if __name__ == "__main__":
    main()
