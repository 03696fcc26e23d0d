"""A multimap from whole numbers to rows, in a few sorted arrays: eight bytes for each entry."""

from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from agreed.records import Int64s

UInt64s = npt.NDArray[np.uint64]
_Number = TypeVar("_Number", np.int64, np.uint64, np.uint8)

ROW_BITS: Final = 22
ROWS_MAX: Final = 2**ROW_BITS
"""How many rows a multimap can tell apart."""

KEY_BITS: Final = 64 - ROW_BITS
KEY_MAX: Final = 2**KEY_BITS - 1
"""The largest key; as ms since the epoch it lies in the year 2109."""

_ROW_MASK: Final = np.uint64(ROWS_MAX - 1)
_SHIFT: Final = np.uint64(ROW_BITS)
_RUN_GROWTH: Final = 3


class Runs:
    """Sorted runs of entries (key << 22 | row), each more than three times as long as the next.

    A new run swallows its shorter neighbours, so an entry is copied a few times in all, and a
    search looks through a few arrays.
    """

    def __init__(self) -> None:
        self._runs: list[UInt64s] = []

    def __len__(self) -> int:
        """Count the entries."""
        return sum(len(run) for run in self._runs)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum((run if run.base is None else run.base).nbytes for run in self._runs)

    def add(self, keys: UInt64s, rows: Int64s) -> None:
        """Add entries.

        Args:
            keys: uint64[n], [0, KEY_MAX].
            rows: int64[n], [0, ROWS_MAX).
        """
        if not len(keys):
            return
        new = np.sort((keys << _SHIFT) | rows.astype(np.uint64))
        while self._runs and len(self._runs[-1]) <= _RUN_GROWTH * len(new):
            new = np.sort(np.concatenate((self._runs.pop(), new)), kind="stable")
        self._runs.append(new)

    def find(self, keys: UInt64s) -> Int64s:
        """Find the rows of all entries with any of the keys.

        Args:
            keys: uint64[n], [0, KEY_MAX], distinct and rising.

        Returns:
            int64[m], in no order.
        """
        found = [np.empty(0, np.uint64)]
        for run in self._runs:
            start = np.searchsorted(run, keys << _SHIFT)
            start = start[start < len(run)]
            hit = keys[: len(start)] == run[start] >> _SHIFT
            stop = np.searchsorted(run, (keys[: len(start)][hit] << _SHIFT) | _ROW_MASK, "right")
            found.append(run[ranges(start[hit], stop)])
        return (np.concatenate(found) & _ROW_MASK).astype(np.int64)

    def pop_through(self, key: int) -> Int64s:
        """Take out all entries with keys up to `key`.

        Returns:
            int64[m], their rows, in no order.
        """
        first = self.first_key()
        if first is None or first > key:
            return np.empty(0, np.int64)
        end = np.uint64((min(key, KEY_MAX) << ROW_BITS) | (ROWS_MAX - 1))
        found, left = [], []
        for run in self._runs:
            stop = int(np.searchsorted(run, end, "right"))
            found.append(run[:stop] & _ROW_MASK)
            if stop < len(run):
                left.append(_shrunk(run[stop:]))
        self._runs = left
        return np.concatenate(found).astype(np.int64)

    def first_key(self) -> int | None:
        """Give the smallest key, None when empty."""
        return min((int(run[0]) >> ROW_BITS for run in self._runs), default=None)

    def renumber(self, row_after: Int64s) -> None:
        """Give every row another number, and drop the entries of those that have none.

        Args:
            row_after: int64[r], for each row its new number, rising; -1 to drop it.
        """
        runs = []
        for run in self._runs:
            after = row_after[(run & _ROW_MASK).astype(np.int64)]
            is_left = after >= 0
            kept = (run[is_left] & ~_ROW_MASK) | after[is_left].astype(np.uint64)
            if len(kept):
                runs.append(kept)
        self._runs = runs


def distinct(values: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    """Sort values and leave each once; far faster than numpy.unique for many."""
    in_order = np.sort(values)
    return in_order[np.concatenate(([True], in_order[1:] != in_order[:-1]))[: len(values)]]


def ranges(start: Int64s, stop: Int64s) -> Int64s:
    """Spell out half-open ranges, one after the other."""
    counts = stop - start
    offset = np.cumsum(counts) - counts
    places: Int64s = np.arange(counts.sum()) + np.repeat(start - offset, counts)
    return places


def _shrunk(run: UInt64s) -> UInt64s:
    """Let go of the array behind a view once more than half of it is unused."""
    is_wasteful = run.base is not None and 2 * len(run) < run.base.size
    return run.copy() if is_wasteful else run
