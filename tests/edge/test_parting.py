"""Places of a journal are evenly spread, and none is left when the parting is found."""

from pathlib import Path

from edge.journal import Journal
from edge.parting import PLACES_COUNT_MAX, places_between
from tests.edge.test_journal import entries, opened


def filled(folder: Path, sizes: list[int]) -> Journal:
    journal = opened(folder)
    for size in sizes:
        journal.append(entries(size), {})
    return journal


def test_places_are_ends_of_blocks_between_two_sequences(tmp_path: Path) -> None:
    journal = filled(tmp_path, [3, 2, 4])
    assert places_between(journal, 0, 10) == [(last, journal.hash_at(last)) for last in (9, 5, 3)]
    assert [last for last, _ in places_between(journal, 3, 9)] == [5]
    assert places_between(journal, 5, 9) == places_between(journal, 9, 10) == []
    journal.close()


def test_any_length_is_narrowed_down_in_a_few_rounds(tmp_path: Path) -> None:
    journal = filled(tmp_path, [1, 2, 3] * 400)
    after, before, common, rounds = 0, journal.end.through + 1, 1_201, 0
    while places := places_between(journal, after, before):
        assert len(places) <= PLACES_COUNT_MAX
        after = max([after, *(last for last, _ in places if last <= common)])
        before = min([before, *(last for last, _ in places if last > common)])
        rounds += 1
    assert rounds <= 4
    assert after == max(
        block.last_sequence
        for block in journal.blocks_after(0, 2_000, 1 << 30)
        if block.last_sequence <= common
    )
    journal.close()
