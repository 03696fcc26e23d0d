"""Whatever block is whole is read, whatever happened to the rest of the file."""

import random
from contextlib import closing
from pathlib import Path

import pytest

from agreed.records import to_records
from edge.decisions import Draft
from edge.journal import Entry, Journal, Place
from edge.wreck import Wreck
from tests.edge.test_journal import STAMP, opened

BLOCKS_COUNT = 60


def filled(folder: Path, dice: random.Random) -> tuple[Journal, dict[int, list[str]]]:
    """Write a journal of small and large blocks; give it, and its records by first sequence."""
    journal = opened(folder)
    written = {}
    for _ in range(BLOCKS_COUNT):
        count = dice.choice([1, 1, 2, 5, 40, 400])
        texts = [dice.randbytes(9).hex() for _ in range(count)]
        first = journal.end.through + 1
        journal.append([Entry(Draft("gate", "gate_passed", text), STAMP) for text in texts], {})
        written[first] = texts
    return journal, written


def read(wreck: Wreck, through: int = 0) -> dict[int, list[str]]:
    return {
        block.columns.first_sequence: [r.subject for r in to_records(block.columns)]
        for block in wreck.blocks_after(through)
    }


def test_a_whole_journal_is_read_in_order_from_file_and_log(tmp_path: Path) -> None:
    journal, written = filled(tmp_path, random.Random(1))
    end, epoch = journal.end, journal.origin.epoch
    for is_closed in (False, True):
        if is_closed:
            journal.close()
        with closing(Wreck(tmp_path / "journal.db")) as wreck:
            assert read(wreck) == written
            assert wreck.epoch == epoch
            assert wreck.end_of_chain(Place()) == end
            assert wreck.hash_at(end.through) == end.head
            assert wreck.following(end) is None
            later = sorted(written)[30]
            assert min(read(wreck, later - 1)) == later


def test_nothing_is_found_in_nothing(tmp_path: Path) -> None:
    with closing(Wreck(tmp_path / "none.db")) as wreck:
        assert (len(wreck), wreck.epoch, list(wreck.blocks_after(0))) == (0, bytes(16), [])
        assert wreck.hash_at(0) == bytes(32)
        assert wreck.hash_at(1) is None


@pytest.mark.parametrize("seed", range(6))
def test_zeroed_pages_cost_no_more_than_the_blocks_on_them(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    journal, written = filled(tmp_path, dice)
    journal.close()
    path = tmp_path / "journal.db"
    data = bytearray(path.read_bytes())
    lost_pages = {1, 2, *dice.sample(range(1, len(data) // 1_024 + 1), 5)}
    for page in lost_pages:
        data[(page - 1) * 1_024 : page * 1_024] = bytes(1_024)
    path.write_bytes(data)
    with closing(Wreck(path)) as wreck:
        kept = read(wreck)
    assert kept.items() <= written.items()
    # A page holds at most three rows here, and a long row stands on many pages.
    assert len(kept) >= BLOCKS_COUNT - 3 * len(lost_pages)


def test_a_log_whose_head_is_gone_is_read_all_the_same(tmp_path: Path) -> None:
    journal, written = filled(tmp_path, random.Random(5))
    path, log = tmp_path / "journal.db", tmp_path / "journal.db-wal"
    data = bytearray(log.read_bytes())
    data[:1_024] = bytes(1_024)
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    copy.with_name("copy.db-wal").write_bytes(data)
    journal.close()
    with closing(Wreck(copy)) as wreck:
        assert len(read(wreck)) >= len(written) - 1


def test_a_block_whose_own_bytes_are_bad_is_left_out_and_the_next_one_says_its_hash(
    tmp_path: Path,
) -> None:
    journal, written = filled(tmp_path, random.Random(3))
    numbers = sorted(written)
    bad = numbers[20]
    (row,) = journal.blocks_after(bad - 1, 1, 0)
    journal.close()
    path = tmp_path / "journal.db"
    data = bytearray(path.read_bytes())
    data[data.index(row.data[:80]) + 40] ^= 1
    path.write_bytes(data)
    with closing(Wreck(path)) as wreck:
        assert sorted(set(written) - set(read(wreck))) == [bad]
        end = wreck.end_of_chain(Place())
        assert end.through == bad - 1
        assert wreck.hash_at(row.last_sequence) == row.hash
        after = wreck.following(Place(row.last_sequence, row.hash))
        assert after is not None
        assert after.first_sequence == numbers[21]
