"""Forgets, step by step, what headquarters has held for long enough."""

from typing import Final

from agreed.records import ClockState
from agreed.wire import WireError, decode_block
from edge.journal import Journal, StoredBlock

STEP_BLOCKS_COUNT: Final = 200
STEP_BYTES_MAX: Final = 1024 * 1024
"""What one step looks at and forgets at most, or one larger block: nobody waits long for it."""


class Pruner:
    """Decides what goes; the journal's newest block that headquarters holds always stays.

    A block whose clock was never set has no time of its own: it goes with the next one that has.
    """

    def __init__(self) -> None:
        self._looked_through = 0
        self._sure_through = 0

    def step(self, journal: Journal, before_ms: int) -> int:
        """Forget a bounded number of blocks.

        Args:
            journal: used from this thread now.
            before_ms: what was certainly recorded before this wall time may go, ms.

        Returns:
            How many blocks went; 0 when there is nothing to do for now.

        Raises:
            StoreError: none went.
        """
        if self._sure_through <= journal.start.through:
            self._look(journal, before_ms)
        rows: list[StoredBlock] = []
        size = 0
        for row in journal.rows_after(journal.start.through, STEP_BLOCKS_COUNT):
            size += len(row.data)
            if row.last_sequence > self._sure_through or (rows and size > STEP_BYTES_MAX):
                break
            rows.append(row)
        if rows:
            journal.forget(rows)
        return len(rows)

    def _look(self, journal: Journal, before_ms: int) -> None:
        after = max(self._looked_through, journal.start.through)
        for row in journal.rows_after(after, STEP_BLOCKS_COUNT):
            if row.last_sequence >= journal.committed.through:
                return
            latest_ms = _latest_ms(row)
            if latest_ms is not None and latest_ms >= before_ms:
                self._looked_through = self._sure_through
                return
            self._looked_through = row.last_sequence
            if latest_ms is not None:
                self._sure_through = row.last_sequence


def _latest_ms(row: StoredBlock) -> int | None:
    """Give the time after which certainly nothing in a block was recorded; None if unknown."""
    try:
        columns = decode_block(row.data).columns
    except WireError:
        return None
    is_known = columns.clock_state != ClockState.UNSET
    if not is_known.any():
        return None
    return int((columns.wall_ms + columns.bound_ms)[is_known].max())
