"""Cuts the power of a disk under load, again and again, and looks at what is left."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final, Never

import pysqlite3.dbapi2 as sqlite

from agreed.records import (
    TASK_FINISHED,
    ClockState,
    Evidence,
    Record,
    to_columns,
    to_records,
)
from agreed.wire import NO_HASH, Origin, block_hash, encode_block
from agreed.words import RemedyError
from edge.config import BoxSettings
from edge.journal import FILE as JOURNAL_FILE
from edge.journal import checked_chain, read_rows
from edge.opening import only_one, open_all
from edge.store import StoreError, open_for_reading
from simulators.power.disk import LoopDisk
from simulators.power.writers import (
    Kind,
    Pipe,
    forked,
    greet,
    ingest_once,
    keep_accepting,
    keep_ingesting,
)
from simulators.world import template
from simulators.world.clocks import ZERO_WALL_MS

LIFE_S_MAX: Final = 0.06
"""A writer lives up to so long before the power goes: from its start, or from its first word."""

WORD_S_MAX: Final = 30.0
"""A writer on a busy machine takes so long to its first word, at most."""

_WORKING: Final = 0.7
"""Of the lives, those that are counted from the first word."""

CUTS_PER_DISK: Final = 40
BLOCKS_COUNT: Final = 3_000
_RECORDS_PER_BLOCK: Final = 2
_EPOCH: Final = b"e" * 16
FAULTS_SHOWN_MAX: Final = 10


class WriterEndedError(Exception):
    """A writer ended although its power was not cut; the message is its last words."""


@dataclass(slots=True)
class Cuts:
    """What many cuts came to.

    Attributes:
        cuts: how many.
        said: words of writers, by kind, that were said before a cut.
        left: what was found, by kind: more than was said is no fault.
        faults: one sentence for each broken rule.
        failed: cuts after which a rule was broken.
    """

    cuts: int = 0
    said: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    failed: int = 0

    def blame(self, found: list[str]) -> None:
        """Note what one cut broke."""
        self.failed += bool(found)
        self.faults += found[: FAULTS_SHOWN_MAX - len(self.faults)]

    def summary(self) -> dict[str, Any]:
        """Give the figures as they are printed."""
        return {
            "cuts": self.cuts,
            "failed": self.failed,
            "rate_below": round(3 / self.cuts, 6) if self.cuts and not self.failed else None,
            "said_durable": dict(self.said),
            "left": dict(self.left),
            "faults": self.faults,
        }


def cut_box(folder: Path, count: int, seed: int, *, is_control: bool = False) -> Cuts:
    """Cut the power below a box that accepts records; needs root.

    Args:
        folder: for the disk; empty.
        count: how many cuts.
        seed: decides about load and moments, as far as a real machine lets it.
        is_control: commit without a sync; that must be found out.
    """
    dice = Random(seed)
    cuts = Cuts()
    known = _KnownBox()
    with LoopDisk(folder) as disk:
        settings = _settings(disk.folder / "data")
        for number in range(count):
            if number % CUTS_PER_DISK == 0:
                disk.make()
                known = _KnownBox()
            first = known.tried + 1

            def write(pipe: Pipe, first: int = first) -> Never:
                keep_accepting(settings, first, Random(dice.random()), pipe, is_control=is_control)

            said = _cut_under(disk, write, dice)
            cuts.cuts += 1
            cuts.said += Counter({kind.name: len(numbers) for kind, numbers in said.items()})
            found = known.judge(settings, said)
            cuts.blame(found)
            cuts.left += known.new
            if found:
                disk.make()
                known = _KnownBox()
    return cuts


def cut_headquarters(folder: Path, count: int, seed: int, *, is_control: bool = False) -> Cuts:
    """Cut the power below headquarters while it takes in blocks; as `cut_box`."""
    dice = Random(seed)
    cuts = Cuts()
    blocks = _blocks()
    ready = folder / "template.db"
    template.make_template(ready, 1, 3_600)
    greet(ready, _EPOCH)
    warm = folder / "warm.db"
    warm.write_bytes(ready.read_bytes())
    ingest_once(warm, blocks[:20])
    with LoopDisk(folder) as disk:
        store = disk.folder / "headquarters.db"
        held, found = 0, ["no store yet"]
        for number in range(count):
            if number % CUTS_PER_DISK == 0 or found:
                disk.make()
                _copied(ready, store)
                held = 0
            waiting = blocks[held // _RECORDS_PER_BLOCK :]

            def write(pipe: Pipe, waiting: list[bytes] = waiting) -> Never:
                keep_ingesting(store, waiting, Random(dice.random()), pipe, is_control=is_control)

            said = _cut_under(disk, write, dice)
            cuts.cuts += 1
            cuts.said["BLOCK"] += len(said[Kind.BLOCK])
            before = held
            held, found = _judge_store(store, blocks, max(said[Kind.BLOCK], default=before))
            cuts.left["BLOCK"] += (held - before) // _RECORDS_PER_BLOCK
            cuts.blame(found)
    return cuts


def _cut_under(
    disk: LoopDisk, write: Callable[[Pipe], Never], dice: Random
) -> dict[Kind, list[int]]:
    """Let a writer live for a moment, cut, and mount again; what it said before the cut."""
    pipe = Pipe()
    log = disk.folder.with_name("writer.log")
    pid = forked(lambda: write(pipe), log)
    if dice.random() < _WORKING:
        pipe.wait(WORD_S_MAX)
    time.sleep(dice.uniform(0, LIFE_S_MAX))
    if os.waitpid(pid, os.WNOHANG) != (0, 0):
        raise WriterEndedError(log.read_text("utf-8", "replace"))
    cut_ns = time.monotonic_ns()
    disk.cut()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    heard = pipe.heard()
    disk.unmount()
    disk.mount()
    # What is stamped later may have been said by a process that did not yet know.
    before = [said for said in heard if said.mono_ns < cut_ns]
    return {kind: [said.number for said in before if said.kind is kind] for kind in Kind}


def _settings(folder: Path) -> BoxSettings:
    place = template.PLACE
    return BoxSettings.model_validate(
        {
            "company": place.company,
            "site": place.site,
            "box": template.BOXES[0].box,
            "data": folder,
            "headquarters": {"url": "mqtt://127.0.0.1:1883"},
        }
    )


class _KnownBox:
    """What is known of the box on one disk, from cut to cut.

    Attributes:
        tried: the last number that is taken; what comes after it may be offered, again or not.
        new: what the last cut left that was not there before.
    """

    def __init__(self) -> None:
        self.tried = 0
        self.new: Counter[str] = Counter()
        self._hashes: list[bytes] = []
        self._records = 0
        self._learned = 0

    def judge(self, settings: BoxSettings, said: dict[Kind, list[int]]) -> list[str]:
        """Open everything as the box does, and compare with what was said."""
        try:
            with only_one(settings.data):
                opened = open_all(settings)
        except (RemedyError, StoreError) as error:
            return [f"the files do not open: {error}"]
        kept, learned = opened.journal.kept, opened.learned.applied_through
        end = opened.journal.end
        opened.journal.close()
        opened.learned.close()
        if list(settings.data.glob("*-damaged-*")):
            return ["a file was set aside as damaged"]
        numbers, hashes, found = self._read(settings.data / JOURNAL_FILE)
        found += self._compare(numbers, hashes, said[Kind.RECORD])
        last = str(numbers[-1]) if numbers else None
        if kept.get("last") != last:
            found.append(f"kept {kept.get('last')} beside record {last}")
        if end.through != len(numbers):
            found.append(f"{end.through} records opened, {len(numbers)} read")
        told = max(said[Kind.DIRECTIVE], default=self._learned)
        if learned < told:
            found.append(f"learned {learned} of {told}")
        self.new = Counter(RECORD=len(numbers) - self._records, DIRECTIVE=learned - self._learned)
        self._hashes, self._records, self._learned = hashes, len(numbers), learned
        self.tried = max([*numbers[-1:], self.tried])
        return found

    def _read(self, path: Path) -> tuple[list[int], list[bytes], list[str]]:
        """Read every record with our reader, and every hash by plain SQL and arithmetic."""
        store = open_for_reading(path)
        numbers = [
            int(record.detail)
            for block in checked_chain(read_rows(store), None)
            for record in to_records(block.columns)
        ]
        store.close()
        plain = sqlite.connect(f"file:{path}?mode=ro", uri=True)
        rows = plain.execute("SELECT hash, bytes FROM blocks ORDER BY first_sequence").fetchall()
        plain.close()
        wrong = [h for h, data in rows if sha256(data[:-32]).digest() != h or data[-32:] != h]
        return numbers, [h for h, _ in rows], [f"{len(wrong)} blocks altered"] if wrong else []

    def _compare(self, numbers: list[int], hashes: list[bytes], said: list[int]) -> list[str]:
        found = []
        if hashes[: len(self._hashes)] != self._hashes:
            found.append("blocks that were there before the cut are gone or altered")
        if sorted(set(numbers)) != numbers:
            found.append("records are doubled or out of order")
        missing = set(range(self.tried + 1, max(said, default=0) + 1)) - set(numbers)
        if missing:
            found.append(f"{len(missing)} accepted records lost, the first {min(missing)}")
        return found


def _blocks() -> list[bytes]:
    """Write the journal that headquarters is fed with."""
    origin = Origin(*template.BOXES[0], _EPOCH, b"b" * 16)
    blocks: list[bytes] = []
    previous = NO_HASH
    for first in range(1, BLOCKS_COUNT * _RECORDS_PER_BLOCK, _RECORDS_PER_BLOCK):
        records = [_record(first + i) for i in range(_RECORDS_PER_BLOCK)]
        blocks.append(encode_block(origin, previous, to_columns(records)))
        previous = block_hash(blocks[-1])
    return blocks


def _record(sequence: int) -> Record:
    order = f"o-{sequence % template.ORDERS_COUNT}"
    at_ms = ZERO_WALL_MS + sequence
    return Record(
        sequence,
        sequence,
        at_ms,
        5,
        ClockState.SYNCED,
        Evidence.DEVICE,
        "kiosk-1",
        TASK_FINISHED,
        "r-1",
        order,
        str(sequence),
    )


def _copied(ready: Path, store: Path) -> None:
    """Put the store on the disk, durably, as an installation would have left it."""
    store.write_bytes(ready.read_bytes())
    for path in (store, store.parent):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _judge_store(store: Path, blocks: list[bytes], said: int) -> tuple[int, list[str]]:
    """Read headquarters' file by plain SQL; how far it holds the journal, and what is wrong."""
    try:
        with closing(sqlite.connect(f"file:{store}?mode=rw", uri=True)) as db:
            held = [data for (data,) in db.execute("SELECT data FROM blocks ORDER BY first")]
            records = [n for (n,) in db.execute("SELECT sequence FROM records ORDER BY sequence")]
            row = db.execute("SELECT max(committed_through) FROM journals").fetchone()
    except sqlite.Error as error:
        return 0, [f"the store does not open: {error}"]
    through = len(held) * _RECORDS_PER_BLOCK
    found = []
    if through < said:
        found.append(f"committed through {said} was said, {through} is held")
    if held != blocks[: len(held)] or records != list(range(1, through + 1)):
        found.append("blocks or records are not those that were sent, each once and in order")
    if (row[0] or 0) != through:
        found.append(f"headquarters takes {row[0]} for committed and holds {through}")
    return through, found
