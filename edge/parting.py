"""Finds places of a journal to compare with headquarters, where the two histories part."""

from typing import Final

from agreed.limits import TRAIL_PLACES_MAX
from edge.journal import Journal

PLACES_COUNT_MAX: Final = TRAIL_PLACES_MAX


def places_between(journal: Journal, after: int, before: int) -> list[tuple[int, bytes]]:
    """Give ends of blocks between two sequences, evenly spread, the newest first.

    Args:
        journal: the box's.
        after: the end of a block, or 0.
        before: greater than `after`.

    Returns:
        at most PLACES_COUNT_MAX of (last sequence, hash), all in after < last < before. Empty only
        if the block behind `after` ends at `before` or later, or there is none.
    """
    steps = min(PLACES_COUNT_MAX, before - after)
    places: dict[int, bytes] = {}
    for step in range(steps):
        wanted = after + (before - after) * step // steps
        for block in journal.blocks_after(wanted, 1, 0):
            if block.last_sequence < before:
                places[block.last_sequence] = block.hash
    return sorted(places.items(), reverse=True)
