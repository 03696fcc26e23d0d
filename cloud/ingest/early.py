"""Keeps blocks that came before what precedes them, so that only what is missing comes again.

Pure, bounded, and only a help: what it drops or forgets is asked for again.
"""

from typing import Final

from agreed.messages import BlocksSent
from cloud.database.fleet import BoxName

EARLY_BYTES_MAX: Final = 32 * 1024 * 1024
EARLY_PER_JOURNAL_MAX: Final = 64

Journal = tuple[BoxName, str]
"""A box and the hex of its journal's epoch."""


class EarlyBlocks:
    """Messages by the first sequence that they hold."""

    def __init__(self) -> None:
        self._held: dict[Journal, dict[int, BlocksSent]] = {}
        self._size_bytes = 0

    def keep(self, journal: Journal, first: int, message: BlocksSent) -> None:
        """Keep a message that begins with record `first`, if there is room."""
        size_bytes = _size_bytes(message)
        held = self._held.setdefault(journal, {})
        is_room = self._size_bytes + size_bytes <= EARLY_BYTES_MAX
        if first not in held and is_room and len(held) < EARLY_PER_JOURNAL_MAX:
            held[first] = message
            self._size_bytes += size_bytes

    def next_after(self, journal: Journal, through: int) -> BlocksSent | None:
        """Take out what follows a record, and forget what lies before it; None for nothing."""
        held = self._held.get(journal, {})
        for first in [number for number in held if number <= through]:
            self._size_bytes -= _size_bytes(held.pop(first))
        message = held.pop(through + 1, None)
        if message is not None:
            self._size_bytes -= _size_bytes(message)
        if not held:
            self._held.pop(journal, None)
        return message


def _size_bytes(message: BlocksSent) -> int:
    return sum(map(len, message.blocks))
