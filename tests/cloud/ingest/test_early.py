"""What came too early waits within bounds, and only for what is missing."""

from agreed.messages import BlocksSent
from cloud.ingest.early import EARLY_BYTES_MAX, EARLY_PER_JOURNAL_MAX, EarlyBlocks
from tests.cloud.world import BOX

JOURNAL = (BOX, "ab" * 16)


def message(size_bytes: int = 10) -> BlocksSent:
    return BlocksSent(blocks=[bytes(size_bytes)], signature=bytes(64))


def test_what_follows_is_given_back_once_and_in_order() -> None:
    early, third, fifth = EarlyBlocks(), message(), message()
    early.keep(JOURNAL, 5, fifth)
    early.keep(JOURNAL, 3, third)
    assert early.next_after(JOURNAL, 1) is None
    assert early.next_after(JOURNAL, 2) is third
    assert early.next_after(JOURNAL, 2) is None
    assert early.next_after((BOX, "cd" * 16), 4) is None
    assert early.next_after(JOURNAL, 4) is fifth


def test_what_lies_behind_is_forgotten() -> None:
    early = EarlyBlocks()
    early.keep(JOURNAL, 3, message(EARLY_BYTES_MAX))
    early.keep(JOURNAL, 9, message())  # no room
    assert early.next_after(JOURNAL, 8) is None
    kept = message(EARLY_BYTES_MAX)
    early.keep(JOURNAL, 9, kept)
    assert early.next_after(JOURNAL, 8) is kept


def test_one_journal_takes_only_so_many_places() -> None:
    early = EarlyBlocks()
    for first in range(2, EARLY_PER_JOURNAL_MAX + 3):
        early.keep(JOURNAL, first, message())
    assert early.next_after(JOURNAL, EARLY_PER_JOURNAL_MAX + 1) is None
    for first in range(1, 5):
        early.keep((BOX, "cd" * 16), first, message(0))
    assert early.next_after((BOX, "cd" * 16), 0) is not None
