"""Lets a long backlog drain through real processes that are all killed in the middle of it."""

import asyncio
import os
import random
import time
from contextlib import AsyncExitStack, closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pysqlite3.dbapi2 as sqlite

from agreed.records import GATE_PASSED, ClockState
from edge.clock import Stamp
from edge.columns import Together
from edge.decisions import Draft
from edge.journal import open_journal
from simulators.evidence import journaled_count, stored_count
from simulators.kills.load import Load
from simulators.kills.nursery import ForkedProcess, Nursery
from simulators.kills.stage import BOX, NAMES, SITE, Stage

STILL_S_MAX: Final = 120.0
"""Headquarters may take in nothing for so long before the backlog counts as stuck."""

_SETTLES_MAX: Final = 5
_LOOK_S: Final = 0.2
_BOOT_MS: Final = 1_750_000_000_000
_SUBJECTS: Final = 400


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of one backlog.

    Attributes:
        records: in the box's file when the drain began.
        batch: records of each block.
        journaled, stored: records in the two files at the end.
        missing, doubled, altered: blocks of the box that headquarters lacks, records that it holds
            twice, and blocks that differ.
        seconds: from the start of the box to the last record, the restart included.
    """

    records: int
    batch: int
    journaled: int
    stored: int
    missing: int
    doubled: int
    altered: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether everything arrived, each once and unaltered."""
        is_whole = self.stored == self.journaled >= self.records
        return is_whole and not self.missing + self.doubled + self.altered

    def as_dict(self) -> dict[str, Any]:
        """Give it for a report."""
        per_s = round(self.stored / self.seconds)
        return asdict(self) | {"records_per_s": per_s, "is_clean": self.is_clean}


async def drain(folder: Path, records: int, batch: int) -> Drained:
    """Fill a journal, and let it drain across a kill of box, broker and headquarters."""
    names = (NAMES[0], NAMES[1], BOX)
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(Nursery(folder / "nursery.log"))
        stage = Stage(folder, [BOX], partial(ForkedProcess, nursery))
        journal = stage.journal()
        journal.parent.mkdir(parents=True)
        await asyncio.to_thread(fill, journal, names, records, batch)
        await stack.enter_async_context(stage)
        load = await stack.enter_async_context(Load(folder, ["none"], 1))
        settings = stage.write_box(load.tables)
        box = stage.starter("box", ["edge", "run", "--config", str(settings)], folder / "box.log")
        stack.push_async_callback(box.stop)
        began_s = time.monotonic()
        await box.start(os.environ)
        await _until(stage, records // 2)
        for process in (box, stage.headquarters, stage.broker):
            await process.kill()
        await stage.start_broker()
        await stage.start_headquarters()
        await box.start(os.environ)
        await _until(stage, records)
        took_s = time.monotonic() - began_s
        # What the box says of its own start comes a little later.
        for _ in range(_SETTLES_MAX):
            await _until(stage, journaled_count(journal))
            await box.kill()
            if stored_count(stage.store, SITE) >= journaled_count(journal):
                break
            await box.start(os.environ)
    return compare(journal, stage.store, records, batch, took_s)


def fill(path: Path, names: tuple[str, str, str], records: int, batch: int) -> None:
    """Write so many records with the box's own journal, so many in each block."""
    dice = random.Random(batch)
    journal = open_journal(path, names, entropy=dice.randbytes(48), boot=dice.randbytes(16))
    for first in range(1, records + 1, batch):
        groups = [_passage(number) for number in range(first, min(first + batch, records + 1))]
        journal.commit(groups, {})
    journal.close()


def _passage(number: int) -> Together:
    draft = Draft(f"gate-{number % 7}", GATE_PASSED, f"w-{number % _SUBJECTS}", detail="resident")
    stamp = Stamp(number * 1_000_000, _BOOT_MS + number * 250, 50, ClockState.SYNCED)
    return Together((draft,), stamp)


async def _until(stage: Stage, stored_min: int) -> None:
    """Wait until so many records are stored, or nothing more is for too long."""
    before, moved_s = -1, time.monotonic()
    while (stored := stored_count(stage.store, SITE)) < stored_min:
        if stored > before:
            before, moved_s = stored, time.monotonic()
        if time.monotonic() > moved_s + STILL_S_MAX:
            break
        await asyncio.sleep(_LOOK_S)


def compare(journal: Path, store: Path, records: int, batch: int, took_s: float) -> Drained:
    """Hold every block of both files against each other, with plain SQL."""
    with closing(sqlite.connect(str(store))) as db:
        db.execute("ATTACH ? AS box", (str(journal),))
        missing = db.execute(_MISSING).fetchone()[0]
        altered = db.execute(_ALTERED).fetchone()[0]
        doubled = db.execute(_DOUBLED).fetchone()[0]
    return Drained(
        records,
        batch,
        journaled_count(journal),
        stored_count(store, SITE),
        missing,
        doubled,
        altered,
        round(took_s, 1),
    )


_MISSING: Final = """
    SELECT count(*) FROM box.blocks mine
    WHERE NOT EXISTS (SELECT 1 FROM main.blocks WHERE first = mine.first_sequence)
"""
_ALTERED: Final = """
    SELECT count(*) FROM box.blocks mine JOIN main.blocks theirs ON first = mine.first_sequence
    WHERE mine.bytes IS NOT theirs.data
"""
_DOUBLED: Final = "SELECT count(*) - count(DISTINCT sequence) FROM main.records"
