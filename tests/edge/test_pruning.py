"""Only what headquarters holds, and is old enough, is forgotten; the chain still verifies."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from agreed.records import ClockState
from edge.clock import Stamp
from edge.decisions import Draft
from edge.inspection import verify
from edge.journal import Entry, Journal, Place, checked_chain, read_rows, read_start
from edge.pruning import STEP_BLOCKS_COUNT, Pruner
from edge.store import open_for_reading
from tests.edge.test_journal import opened

DAY_MS = 86_400_000
NOON_MS = 1_795_000_000_000


def append(
    journal: Journal, wall_ms: int, count: int = 2, state: ClockState = ClockState.SYNCED
) -> None:
    stamp = Stamp(5, wall_ms, 3, state)
    journal.append([Entry(Draft("gate", "gate_passed"), stamp)] * count, {"a": str(wall_ms)})


def blocks_left(folder: Path) -> list[int]:
    with closing(open_for_reading(folder / "journal.db")) as store:
        chain = checked_chain(read_rows(store), read_start(store))
        return [block.columns.first_sequence for block in chain]


def test_what_is_old_and_held_goes_and_the_rest_verifies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = opened(tmp_path)
    for day in range(10):
        append(journal, NOON_MS + day * DAY_MS)
    pruner = Pruner()
    assert pruner.step(journal, NOON_MS + 30 * DAY_MS) == 0
    journal.commit_through(Place(12, journal.hash_at(12) or b""))
    assert pruner.step(journal, NOON_MS + 3 * DAY_MS + 3) == 3
    assert pruner.step(journal, NOON_MS + 3 * DAY_MS + 3) == 0
    assert blocks_left(tmp_path)[0] == 7
    assert pruner.step(journal, NOON_MS + 30 * DAY_MS) == 2
    # The block that headquarters stands on stays: its hash is asked for after every connection.
    assert blocks_left(tmp_path)[0] == 11
    assert (journal.hash_at(10), journal.hash_at(8)) == (journal.start.head, None)
    kept = dict(journal.kept)
    journal.close()
    again = opened(tmp_path)
    assert (again.start.through, again.end.through, again.kept) == (10, 20, kept)
    assert (again.committed.through, again.hash_at(12)) == (12, again.committed.head)
    append(again, NOON_MS, 1)
    assert again.end.through == 21
    again.close()
    verify(file=tmp_path / "journal.db", as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["records"], answer["through"], answer["is_whole"]) == (11, 21, True)


def test_a_block_without_a_time_goes_with_the_next_that_has_one(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for _ in range(2 * STEP_BLOCKS_COUNT):
        append(journal, 1_000, 1, ClockState.UNSET)
    pruner = Pruner()
    journal.commit_through(journal.end)
    assert [pruner.step(journal, NOON_MS) for _ in range(4)] == [0] * 4
    append(journal, NOON_MS - 10, 1)
    append(journal, NOON_MS, 1)
    journal.commit_through(journal.end)
    steps = [pruner.step(journal, NOON_MS) for _ in range(5)]
    assert sum(steps) == 2 * STEP_BLOCKS_COUNT + 1
    assert max(steps) <= STEP_BLOCKS_COUNT


def test_a_block_that_cannot_be_read_any_more_goes_with_the_next(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for _ in range(3):
        append(journal, NOON_MS)
    journal._store.execute("UPDATE blocks SET bytes = zeroblob(9) WHERE first_sequence = 1")
    journal.commit_through(journal.end)
    assert Pruner().step(journal, NOON_MS + DAY_MS) == 2
    assert blocks_left(tmp_path) == [5]


def test_the_room_of_what_was_forgotten_is_used_again(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    pruner = Pruner()
    sizes = []
    for round_number in range(6):
        for _ in range(20):
            append(journal, NOON_MS + round_number, 300)
        journal.commit_through(journal.end)
        while pruner.step(journal, NOON_MS + DAY_MS):
            pass
        journal._store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes.append((tmp_path / "journal.db").stat().st_size)
    assert sizes[-1] <= sizes[0] * 1.1
