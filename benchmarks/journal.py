"""How fast the box makes records durable, and what that writes, beside plain SQLite.

python -m benchmarks.journal --json prints an object with figures and ratios. Ours is the door that
a running box uses (`edge.acceptance`): from drafts to numbered, stamped, chained blocks on the
disk, and their end noted beside them. It is asked in two ways: records of one moment in one call
("accept"), and each in a call of its own, all waiting for one commit ("apart"). Two floors insert
the same rows into a plain table through the standard library's sqlite3 with the same durability
(WAL, synchronous=FULL), one transaction for as many records: "floor" is handed finished rows,
"floor_from_drafts" makes them first, as ours must. All take turns in one run; ratios compare
medians, of the clock on the wall, because waiting for the card is the work.

Bytes written are those of /proc/self/io (write_bytes): what this process made the kernel send to
the block layer, in whole pages; the file system's own journal comes on top for both.
"""

import argparse
import asyncio
import gc
import json
import random
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

import numpy as np

from agreed.limits import WINDOW_BYTES_MAX, WINDOW_ITEMS_MAX
from agreed.records import (
    COMPARTMENT_OPENED,
    GATE_PASSED,
    TASK_FINISHED,
    TASK_STARTED,
    Durability,
    Evidence,
    Record,
)
from agreed.timex import Discipline
from edge.acceptance import STATE_S_MAX, Acceptance
from edge.clock import BoxClock, ClockMemory
from edge.columns import Together
from edge.config import JournalSettings
from edge.decisions import Draft
from edge.journal import Journal, open_journal
from edge.salvage import check_journal
from edge.store import Reserve
from edge.witness import FILE as WITNESS_FILE
from edge.witness import Witness

PAGE_BYTES: Final = 4_096
WORKERS: Final = 500
NAMES: Final = ("greentown", "lakeside", "east-gate")
MACHINE_BOOT: Final = "8e2f5a86-5b0b-4b3e-9d0a-3c4d5e6f7a8b"
BACKLOG_BLOCK_COUNT: Final = 50
RATES_PER_S: Final = (1, 5, 50, 1_000)
WINDOWS_MS: Final = (0, 200, 1_000, 5_000)
COMMITS_MAX: Final = 1_200
COMMITS_MIN: Final = 60
_ROWS: Final = """
CREATE TABLE records (
    sequence INTEGER PRIMARY KEY, mono_ns INTEGER, wall_ms INTEGER, bound_ms INTEGER,
    clock_state INTEGER, evidence INTEGER, device TEXT, node_kind TEXT, subject TEXT,
    reference TEXT, detail TEXT
)
"""
_INSERT: Final = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

Report = dict[str, dict[str, Any]]
Row = tuple[Any, ...]
Accept = Callable[[Acceptance, BoxClock, list[Draft]], Awaitable[None]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sizes", default="1,100,10000", help="records accepted together")
    parser.add_argument("--records", type=int, default=100_000, help="of a round, at most")
    parser.add_argument("--commits", type=int, default=COMMITS_MAX, help="of a round, at most")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--backlog", type=int, default=100_000, help="records that wait, for memory"
    )
    parser.add_argument("--folder", type=Path, default=Path("var"), help="on the disk to measure")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    report: Report = {"figures": {}, "ratios": {}}
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        for size in map(int, asked.sizes.split(",")):
            commits = max(1, min(asked.commits, asked.records // size))
            compare_speed(report, Path(name), size, commits, asked.rounds)
        measure_backlog(report, Path(name), asked.backlog)
        for rate in RATES_PER_S:
            for window_ms in WINDOWS_MS:
                compare_writes(report, Path(name), rate, window_ms, asked.commits)
    print(json.dumps(report, indent=None if asked.json else 2))


@dataclass(slots=True)
class Taken:
    """How long the rounds of one side took.

    Attributes:
        rates: records per second, one for each round.
        waits_s: from handing in to durable, of records of all rounds.
    """

    rates: list[float] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)


def compare_speed(report: Report, folder: Path, size: int, commits: int, rounds: int) -> None:
    """Hand in `size` records together, wait until they are durable, and so on."""
    sides = {name: Taken() for name in ("ours", "ours_apart", "floor", "floor_from_drafts")}
    drafts = some_drafts(size * commits)
    rows = some_rows(size * commits)
    for number in range(rounds):
        at = [folder / f"{name}-{size}-{number}" for name in sides]
        asyncio.run(time_ours(sides["ours"], at[0], drafts, size, accept_together))
        asyncio.run(time_ours(sides["ours_apart"], at[1], drafts, size, accept_apart))
        time_floor(sides["floor"], at[2], rows, size, lambda rows, _first: rows)
        time_floor(sides["floor_from_drafts"], at[3], drafts, size, rows_of)
    for name, taken in sides.items():
        p50, p99 = np.percentile(taken.waits_s, [50, 99]) * 1e3
        report["figures"] |= {
            f"accept_{size}_{name}_per_s": round(median(taken.rates)),
            f"accept_{size}_{name}_p50_ms": round(float(p50), 3),
            f"accept_{size}_{name}_p99_ms": round(float(p99), 3),
        }
    rates = {name: median(taken.rates) for name, taken in sides.items()}
    report["ratios"] |= {
        f"accept_{size}_vs_floor": round(rates["ours"] / rates["floor"], 3),
        f"accept_{size}_vs_floor_from_drafts": round(rates["ours"] / rates["floor_from_drafts"], 3),
        f"accept_{size}_apart_vs_floor": round(rates["ours_apart"] / rates["floor"], 3),
    }


async def accept_together(acceptance: Acceptance, clock: BoxClock, drafts: list[Draft]) -> None:
    """Hand in what happened at one moment, and wait for it."""
    assert await acceptance.accept(tuple(drafts), clock.moment(), Durability.CUSTODY)


async def accept_apart(acceptance: Acceptance, clock: BoxClock, drafts: list[Draft]) -> None:
    """Hand in each by itself, and wait for all."""
    accept = acceptance.accept
    durable = [accept((draft,), clock.moment(), Durability.CUSTODY) for draft in drafts]
    await durable[-1]
    assert all(one.result() for one in durable)


async def time_ours(
    taken: Taken, folder: Path, drafts: list[Draft], size: int, accept: Accept
) -> None:
    """Time the box's own front door."""
    clock = synced_clock()
    reserve = Reserve(folder / "reserve")
    journal = begun_journal(folder)
    acceptance = Acceptance(journal, clock, reserve, JournalSettings(), lambda _columns: None)
    gc.freeze()  # a box does not hold its whole day in memory
    waits: list[float] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(acceptance.run())
        began = perf_counter()
        for first in range(0, len(drafts), size):
            handed_in = perf_counter()
            await accept(acceptance, clock, drafts[first : first + size])
            waits.append(perf_counter() - handed_in)
        taken.rates.append(len(drafts) / (perf_counter() - began))
        acceptance.finish()
    taken.waits_s += waits
    assert journal.end.through == len(drafts)
    acceptance.close()


def time_floor(
    taken: Taken, folder: Path, given: list[Any], size: int, rows: Callable[..., list[Row]]
) -> None:
    """Time a plain table of the same rows."""
    table = plain_table(folder)
    began = perf_counter()
    for first in range(0, len(given), size):
        handed_in = perf_counter()
        write_rows(table, rows(given[first : first + size], first + 1))
        taken.waits_s.append(perf_counter() - handed_in)
    taken.rates.append(len(given) / (perf_counter() - began))
    table.close()


def rows_of(drafts: list[Draft], first: int) -> list[Row]:
    """Stamp and number drafts of one moment, as plainly as can be."""
    at = synced_clock().now()
    times = (at.mono_ns, at.wall_ms, at.bound_ms, int(at.clock_state))
    return [
        (
            first + i,
            *times,
            int(d.evidence),
            d.device,
            d.node_kind,
            d.subject,
            d.reference,
            d.detail,
        )
        for i, d in enumerate(drafts)
    ]


def measure_backlog(report: Report, folder: Path, backlog: int) -> None:
    """Measure what memory a box needs to start over a backlog and to send all of it."""
    for records in (backlog // 10, backlog):
        path = folder / f"backlog-{records}"
        journal, clock = begun_journal(path), synced_clock()
        drafts = some_drafts(BACKLOG_BLOCK_COUNT)
        for _ in range(records // BACKLOG_BLOCK_COUNT):
            journal.commit([Together((draft,), clock.now()) for draft in drafts], {})
        journal.close()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            began, opened, sent = pool.submit(sending_memory_kib, path).result()
        name = f"backlog_{records}"
        report["figures"] |= {
            f"{name}_opening_kib": opened - began,
            f"{name}_sending_kib": sent - began,
        }


def sending_memory_kib(folder: Path) -> tuple[int, int, int]:
    """Open a journal as a box does and read all of it to send; peak memory at each step, KiB."""
    gc.collect()
    began = _peak_kib()
    check_journal(folder / "journal.db")
    journal = reopened_journal(folder)
    opened = _peak_kib()
    through = 0
    while blocks := journal.blocks_after(through, WINDOW_ITEMS_MAX, WINDOW_BYTES_MAX):
        through = blocks[-1].last_sequence
    assert through == journal.end.through
    journal.close()
    return began, opened, _peak_kib()


def _peak_kib() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def compare_writes(report: Report, folder: Path, rate: int, window_ms: int, commits: int) -> None:
    """Write what arrives at random at this rate, one commit for each window that a record opens."""
    dice = np.random.default_rng(rate * 10_000 + window_ms)
    sizes = (1 + dice.poisson(rate * window_ms / 1_000, commits)).tolist()
    while len(sizes) > COMMITS_MIN and sum(sizes) > 100 * commits:
        sizes = sizes[: len(sizes) // 2]
    records = sum(sizes)
    name = f"written_{rate}_per_s_window_{window_ms}_ms"
    # A window opens with a record, so on average this much time lies between two commits.
    period_s = window_ms / 1_000 + 1 / rate
    ours = written_bytes(lambda: write_ours(folder / f"{name}-ours", sizes, period_s)) / records
    floor = written_bytes(lambda: write_floor(folder / f"{name}-floor", sizes)) / records
    page = PAGE_BYTES * len(sizes) / records
    report["figures"] |= {
        f"{name}_bytes_per_record": round(ours),
        f"{name}_plain_table_bytes_per_record": round(floor),
        f"{name}_page_per_commit_bytes_per_record": round(page),
    }
    report["ratios"] |= {
        f"{name}_vs_plain_table": round(ours / floor, 2) if floor else None,
        f"{name}_vs_page_per_commit": round(ours / page, 2),
    }


def write_ours(folder: Path, sizes: list[int], period_s: float) -> None:
    """Append to a journal as the box's front door does."""
    journal, clock = begun_journal(folder), synced_clock()
    drafts = iter(some_drafts(sum(sizes)))
    memory_due_s = 0.0
    for number, size in enumerate(sizes):
        groups = [Together((next(drafts),), clock.now()) for _ in range(size)]
        is_due = number * period_s >= memory_due_s
        memory_due_s += STATE_S_MAX * is_due
        journal.commit_through(journal.end)
        journal.commit(groups, {}, str(clock.memory) if is_due else "")
    journal.close()


def write_floor(folder: Path, sizes: list[int]) -> None:
    """Write the same rows to a plain table."""
    rows, table, first = some_rows(sum(sizes)), plain_table(folder), 0
    for size in sizes:
        write_rows(table, rows[first : first + size])
        first += size
    table.close()


def written_bytes(write: Callable[[], None]) -> int:
    """Count what this process sends to the block layer meanwhile."""
    gc.collect()
    before = _sent_bytes()
    write()
    return _sent_bytes() - before


def _sent_bytes() -> int:
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def begun_journal(folder: Path) -> Journal:
    """Begin a journal."""
    folder.mkdir()
    return reopened_journal(folder)


def reopened_journal(folder: Path) -> Journal:
    """Open a journal."""
    dice = random.Random(1)
    entropy, boot = dice.randbytes(48), dice.randbytes(16)
    journal = open_journal(folder / "journal.db", NAMES, entropy=entropy, boot=boot)
    journal.witness = Witness(folder / WITNESS_FILE)
    return journal


def synced_clock() -> BoxClock:
    """Make the box's clock, steered by a time source: then it has most to remember."""
    kernel = Discipline(is_synced=True, error_us_max=4_000)
    return BoxClock(ClockMemory(), kernel=lambda: kernel, machine_boot=MACHINE_BOOT)


def plain_table(folder: Path) -> sqlite3.Connection:
    """Make a table of rows with the journal's durability."""
    folder.mkdir()
    table = sqlite3.connect(folder / "rows.db", isolation_level=None)
    table.execute("PRAGMA journal_mode = WAL")
    table.execute("PRAGMA synchronous = FULL")
    table.execute(_ROWS)
    return table


def write_rows(table: sqlite3.Connection, rows: list[Row]) -> None:
    """Commit rows together."""
    table.execute("BEGIN IMMEDIATE")
    table.executemany(_INSERT, rows)
    table.execute("COMMIT")


def some_drafts(count: int, seed: int = 1) -> list[Draft]:
    """Give what a site's day is made of: mostly passages, some tasks, some compartments."""
    dice = random.Random(seed)
    workers = [f"worker-{i:04d}" for i in range(WORKERS)]
    drafts = []
    for number in range(count):
        subject, order = dice.choice(workers), f"o-{number // 4:09d}"
        match number % 10:
            case 0:
                draft = Draft("kiosk", TASK_STARTED, subject, order, evidence=Evidence.KIOSK)
            case 1:
                draft = Draft("kiosk", TASK_FINISHED, subject, order, evidence=Evidence.KIOSK)
            case 2:
                detail = f"{number % 24 + 1} deposit"
                draft = Draft("lockers", COMPARTMENT_OPENED, subject, order, detail)
            case _:
                draft = Draft(f"gate-{number % 4}", GATE_PASSED, subject, detail="worker")
        drafts.append(draft)
    return drafts


def some_records(count: int, seed: int = 1) -> list[Record]:
    """Give the same as stamped and numbered records."""
    clock, records = synced_clock(), []
    for sequence, draft in enumerate(some_drafts(count, seed), 1):
        at = clock.now()
        times = (at.mono_ns, at.wall_ms, at.bound_ms, at.clock_state)
        texts = (draft.device, draft.node_kind, draft.subject, draft.reference, draft.detail)
        records.append(Record(sequence, *times, draft.evidence, *texts))
    return records


def some_rows(count: int) -> list[Row]:
    """Give the same as rows of a plain table."""
    records = some_records(count)
    return [
        tuple(
            int(value) if isinstance(value, int) else value
            for value in (getattr(one, name) for name in Record.__slots__)
        )
        for one in records
    ]


if __name__ == "__main__":
    main()
