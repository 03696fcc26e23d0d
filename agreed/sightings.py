"""What records could prove, remembered for promises that become known later."""

from typing import Final

import numpy as np

from agreed.promises import NO_CLOCK, Match
from agreed.records import Bools, Bytes8, ClockState, Int64s, RecordColumns
from agreed.runs import KEY_BITS, ROWS_MAX, Runs, UInt64s, distinct

SIGHTINGS_MAX: Final = 131_072
"""How many sightings are remembered beside those that prove a promise held."""

_COLUMNS: Final = ("key", "at_ms", "bound_ms", "sequence", "evidence")
_HASH_SHIFT: Final = np.uint64(64 - KEY_BITS)
_STIR: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(32))


def hash_texts(texts: list[str]) -> UInt64s:
    """Hash texts to uint64[n], the same within this process only."""
    return np.array([hash(text) for text in texts], np.int64).view(np.uint64)


def keys_of(match: Match | Bytes8, *parts: UInt64s) -> UInt64s:
    """Mix hashed texts into keys: what a promise seeks and what a record offers under a match.

    Sixty-four bits: that two different keys of a million promises and a million records ever meet
    has a chance below one in ten million, and headquarters compares the texts themselves.

    Args:
        match: one `Match`, or uint8[n] of them.
        parts: uint64[n] each: order and node kind BY_ORDER; worker and node kind BY_WORKER;
            worker, node kind and place BY_TURN.

    Returns:
        uint64[n].
    """
    key = np.broadcast_to(np.asarray(match, np.uint64), parts[0].shape)
    for part in parts:
        key = (key ^ part) * _STIR[0]
        key = (key ^ (key >> _STIR[2])) * _STIR[1]
    return key ^ (key >> _STIR[2])


def index_keys(keys: UInt64s) -> UInt64s:
    """Cut keys down to what `Runs` can hold."""
    return keys >> _HASH_SHIFT


class Sightings:
    """The last sightings: one row for each record under each key it could prove.

    Attributes:
        key: uint64[n], see `keys_of`.
        at_ms: int64[n], ms since the epoch.
        bound_ms: int64[n], ms; NO_CLOCK where the clock was unset.
        sequence: int64[n], of the record.
        evidence: uint8[n], `Evidence` values.
    """

    def __init__(self, most: int = SIGHTINGS_MAX) -> None:
        """Remember nothing yet, and later the last `most` beside those that prove something."""
        self._most = most
        # One row at least, so that "no row" may be looked up as row 0 and then masked.
        self.key = np.zeros(1, np.uint64)
        self.at_ms = np.zeros(1, np.int64)
        self.bound_ms = np.zeros(1, np.int64)
        self.sequence = np.zeros(1, np.int64)
        self.evidence = np.zeros(1, np.uint8)
        self._rows_by_key = Runs()
        self._newest_sequence = 0
        self._count = 0
        self._full_at = most + most // 4

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        columns: int = sum(getattr(self, name).nbytes for name in _COLUMNS)
        return columns + self._rows_by_key.nbytes

    def __len__(self) -> int:
        """Count the sightings."""
        return self._count

    def add(self, records: RecordColumns) -> Int64s:
        """Remember what new records could prove.

        Returns:
            int64[m], the new rows; none for records that came before.
        """
        rows, keys = _offers(records)
        sequence = records.first_sequence + rows
        is_new = self._is_new(sequence)
        rows, keys, sequence = rows[is_new], keys[is_new], sequence[is_new]
        start, stop = self._count, self._count + len(rows)
        assert stop <= ROWS_MAX, "forget was not called"
        self._reserve(stop)
        is_unset = records.clock_state[rows] == ClockState.UNSET
        self.key[start:stop] = keys
        self.at_ms[start:stop] = records.wall_ms[rows]
        self.bound_ms[start:stop] = np.where(is_unset, NO_CLOCK, records.bound_ms[rows])
        self.sequence[start:stop] = sequence
        self.evidence[start:stop] = records.evidence[rows]
        self._newest_sequence = max(self._newest_sequence, records.last_sequence)
        self._count = stop
        new = np.arange(start, stop)
        self._rows_by_key.add(index_keys(keys), new)
        return new

    def find(self, keys: UInt64s) -> Int64s:
        """Find the rows with any of the keys, a few others perhaps, in no order."""
        return self._rows_by_key.find(distinct(index_keys(keys)))

    def use_up(self, rows: Int64s) -> None:
        """Let rows prove nothing any more."""
        self.key[rows] = 0

    def is_full(self) -> bool:
        """Say whether it is time to forget."""
        return self._count > self._full_at

    def forget(self, wanted: Int64s) -> Int64s:
        """Forget all but the last sightings and those that prove something.

        Args:
            wanted: int64[w], rows that prove something.

        Returns:
            int64[n], for each row before its row now, -1 for forgotten ones.
        """
        is_kept = np.zeros(self._count, np.bool_)
        is_kept[wanted] = True
        is_kept[max(0, self._count - self._most) :] = True
        row_after = np.where(is_kept, np.cumsum(is_kept) - 1, -1)
        left = np.flatnonzero(is_kept)
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[left])
        self._rows_by_key.renumber(row_after)
        self._count = len(left)
        self._full_at = max(self._most, self._count) + self._most // 4
        return row_after

    def _is_new(self, sequence: Int64s) -> Bools:
        is_new = sequence > self._newest_sequence
        if len(sequence) and not is_new.all():
            is_new |= ~np.isin(sequence, self.sequence[: self._count])
        return is_new

    def _reserve(self, rows: int) -> None:
        if rows > len(self.key):
            for name in _COLUMNS:
                old = getattr(self, name)
                new = np.empty(rows + rows // 8, old.dtype)
                new[: self._count] = old[: self._count]
                setattr(self, name, new)


def _offers(records: RecordColumns) -> tuple[Int64s, UInt64s]:
    """Give the rows of the records and the keys each could prove, by row and then by match."""

    def spelled(name: str) -> tuple[UInt64s, Bools]:
        distinct, index = records.texts[name]
        is_given = np.array([bool(text) for text in distinct], np.bool_)
        return hash_texts(distinct)[index], is_given[index]

    kind, _ = spelled("node_kind")
    place, has_place = spelled("device")
    worker, has_worker = spelled("subject")
    order, has_order = spelled("reference")
    keys = np.stack(
        (
            keys_of(Match.BY_ORDER, order, kind),
            keys_of(Match.BY_WORKER, worker, kind),
            keys_of(Match.BY_TURN, worker, kind, place),
        ),
        axis=1,
    )
    is_offered = np.stack((has_order, has_worker, has_worker & has_place), axis=1)
    rows, columns = np.nonzero(is_offered)
    return rows, keys[rows, columns]
