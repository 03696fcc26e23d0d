"""Accepted means on the disk: numbered without gaps, chained, and there after any kill."""

import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from agreed.limits import BLOCK_RECORDS_MAX, MESSAGE_BYTES_MAX
from agreed.messages import BlockSent, encode_message
from agreed.records import ClockState, to_records
from agreed.wire import NO_HASH
from edge.clock import Stamp
from edge.decisions import Draft
from edge.journal import (
    PAGE_BYTES,
    Entry,
    Journal,
    NotOursError,
    Place,
    checked_chain,
    open_journal,
    read_epoch,
    read_rows,
)
from edge.store import StoreDamagedError, StoreFullError, open_for_reading
from tests.edge.stand_in import NAMES

STAMP = Stamp(5, 1_795_000_000_000, 3, ClockState.SYNCED)
ENTROPY = bytes(range(48))


def opened(folder: Path, boot: bytes = bytes(16)) -> Journal:
    return open_journal(folder / "journal.db", NAMES, entropy=ENTROPY, boot=boot)


def entries(count: int, detail: str = "") -> list[Entry]:
    return [
        Entry(Draft("gate", "gate_passed", f"r-{i}", detail=detail), STAMP) for i in range(count)
    ]


def damage(folder: Path, statement: str) -> None:
    store = apsw.Connection(str(folder / "journal.db"))
    store.execute(statement)
    store.close()


def test_records_are_numbered_from_one_without_gaps_across_restarts(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    assert [r.sequence for r in journal.append(entries(2), {})] == [1, 2]
    journal.close()
    journal = opened(tmp_path, bytes([7] * 16))
    assert [r.sequence for r in journal.append(entries(3), {})] == [3, 4, 5]
    assert journal.origin.epoch == ENTROPY[:16]
    assert journal.secret == ENTROPY[16:]
    blocks = list(checked_chain(iter(journal.blocks_after(0, 9, 10**6)), Place()))
    assert [b.origin.boot[0] for b in blocks] == [0, 7]
    assert [r.subject for b in blocks for r in to_records(b.columns)][:2] == ["r-0", "r-1"]
    assert journal.hash_at(5) == blocks[1].hash == journal.end.head
    assert (journal.hash_at(0), journal.hash_at(2)) == (NO_HASH, blocks[0].hash)
    assert (journal.hash_at(1), journal.hash_at(6)) == (None, None)


def test_reading_is_bounded_but_never_stands_still(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for _ in range(5):
        journal.append(entries(2), {})
    assert [b.first_sequence for b in journal.blocks_after(2, 2, 10**6)] == [3, 5]
    assert [b.last_sequence for b in journal.blocks_after(0, 9, 1)] == [2]
    assert journal.blocks_after(10, 9, 10**6) == []
    assert journal.wall_ms_after(4) == STAMP.wall_ms
    assert journal.wall_ms_after(10) is None
    assert [(c.first_sequence, len(c)) for c in journal.recent_columns(2)] == [(7, 2), (9, 2)]


def test_what_is_kept_commits_with_its_records(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(entries(1), {"a": "1", "b": "2"}, "clock memory")
    journal.append([], {"a": None, "b": "3"})
    assert journal.kept == {"b": "3"}
    journal.close()
    journal = opened(tmp_path)
    assert (journal.kept, journal.clock_memory) == ({"b": "3"}, "clock memory")


def test_the_committed_place_travels_with_the_next_write(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(entries(2), {})
    journal.commit_through(journal.end)
    journal.close()
    journal = opened(tmp_path)
    assert journal.committed == Place()
    journal.commit_through(journal.end)
    journal.append([], {})
    journal.close()
    journal = opened(tmp_path)
    assert journal.committed == journal.end


def test_too_much_for_one_block_becomes_several_in_one_commit(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    dice = random.Random(1)
    printable = [chr(c) for c in range(32, 127)]
    texts = ["".join(dice.choices(printable, k=64)) for _ in range(BLOCK_RECORDS_MAX * 2)]
    many = [
        Entry(Draft("g", "k", a, b, a[::-1]), STAMP)
        for a, b in zip(texts, texts[::-1], strict=True)
    ]
    assert len(journal.append(many, {})) == len(many)
    rows = journal.blocks_after(0, 99, 10**9)
    assert len(rows) > 2
    assert all(len(encode_message(BlockSent(data=r.data))) <= MESSAGE_BYTES_MAX for r in rows)
    assert sum(len(b.columns) for b in checked_chain(iter(rows), Place())) == len(many)


def test_a_full_card_commits_nothing_of_it_and_goes_on_later(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(entries(1), {"a": "1"})
    (pages,) = journal._store.execute("PRAGMA page_count").fetchall()[0]
    journal._store.execute(f"PRAGMA max_page_count = {pages}")
    dice = random.Random(1)
    large = [Entry(Draft("g", "k", dice.randbytes(32).hex()), STAMP) for _ in range(2_000)]
    with pytest.raises(StoreFullError):
        journal.append(large, {"a": "2"})
    assert (journal.end.through, journal.kept) == (1, {"a": "1"})
    journal._store.execute("PRAGMA max_page_count = 100000")
    assert journal.append(large, {})[0].sequence == 2


def test_a_journal_of_another_box_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(NotOursError, match="greentown/lakeside/east-gate"):
        open_journal(tmp_path / "journal.db", ("x", "y", "z"), entropy=ENTROPY, boot=bytes(16))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE blocks SET bytes = zeroblob(200) WHERE first_sequence = 3",
        "UPDATE blocks SET hash = zeroblob(32) WHERE first_sequence = 3",
        "UPDATE blocks SET count = 1 WHERE first_sequence = 3",
        "DELETE FROM blocks WHERE first_sequence = 3",
        "UPDATE state SET value = 99 WHERE name = 'committed_through'",
        "UPDATE state SET value = 'x' WHERE name = 'epoch'",
    ],
)
def test_a_tail_that_is_not_what_was_written_is_noticed(tmp_path: Path, statement: str) -> None:
    journal = opened(tmp_path)
    for _ in range(3):
        journal.append(entries(2), {})
    journal.commit_through(journal.end)
    journal.append([], {})
    journal.close()
    damage(tmp_path, statement)
    with pytest.raises(StoreDamagedError):
        opened(tmp_path)


def test_old_damage_keeps_no_box_from_starting_or_reporting(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for _ in range(100):
        journal.append(entries(1), {})
    journal.close()
    damage(tmp_path, "UPDATE blocks SET bytes = zeroblob(200) WHERE first_sequence = 20")
    journal = opened(tmp_path)
    assert [c.first_sequence for c in journal.recent_columns(2_000)] == list(range(21, 101))
    with pytest.raises(StoreDamagedError, match="block at 20"):
        journal.wall_ms_after(19)
    assert journal.wall_ms_after(20) == STAMP.wall_ms


def test_every_single_flipped_bit_of_a_block_is_noticed(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(entries(3), {})
    (row,) = journal.blocks_after(0, 1, 10**6)
    for place in range(len(row.data)):
        flipped = bytearray(row.data)
        flipped[place] ^= 1 << (place % 8)
        bad = type(row)(row.first_sequence, row.count, row.hash, bytes(flipped))
        with pytest.raises(StoreDamagedError):
            list(checked_chain(iter([bad]), Place()))


WRITER = """
import sys
from pathlib import Path
from tests.edge.test_journal import entries, opened
journal = opened(Path(sys.argv[1]))
while True:
    last = journal.append(entries(3), {"last": str(journal.end.through + 3)})[-1].sequence
    sys.stdout.write(f"{last}\\n")
    sys.stdout.flush()
"""


@pytest.mark.parametrize("seed", range(5))
def test_a_kill_loses_nothing_accepted(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    accepted = 0
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        for _ in range(dice.randrange(1, 60)):
            accepted = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        accepted = int(rest[-1]) if rest and rest[-1].isdigit() else accepted
        reader = open_for_reading(tmp_path / "journal.db")
        blocks = list(checked_chain(read_rows(reader), Place()))
        assert read_epoch(reader) == ENTROPY[:16]
        reader.close()
        journal = opened(tmp_path)
        assert blocks[-1].columns.last_sequence == journal.end.through >= accepted
        assert journal.kept["last"] == str(journal.end.through)
        journal.close()


def test_a_new_journal_has_small_pages_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    def page_bytes() -> int:
        with closing(apsw.Connection(str(tmp_path / "journal.db"))) as store:
            return int(store.execute("PRAGMA page_size").get)

    opened(tmp_path).close()
    assert page_bytes() == PAGE_BYTES
    (tmp_path / "journal.db").unlink()
    with closing(apsw.Connection(str(tmp_path / "journal.db"))) as store:
        store.execute("PRAGMA journal_mode = WAL")
    opened(tmp_path).close()
    assert page_bytes() == 4096
