"""Which record proves which promise: the matching behind every verdict, arrays in, arrays out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from agreed.limits import WALL_MS_MAX
from agreed.promises import Match
from agreed.records import Bytes8, Int64s
from agreed.runs import distinct

NO_KEY: Final = 2**31 - 1
"""The key that no sighting has."""

_STAMP_END: Final = 2**62


@dataclass(frozen=True, slots=True)
class Wanted:
    """What would prove each promise, as arrays; rows in order of identity (order, node).

    Attributes:
        match: uint8[n], `Match` values.
        key: int64[n], [0, NO_KEY): numbers (order, node kind) BY_ORDER, (worker, node kind)
            BY_WORKER, (worker, node kind, place) BY_TURN; no number stands for two of them.
        opens_at_ms: int64[n], ms since the epoch.
        promised_at_ms: int64[n], ms since the epoch.
        hard_ms: int64[n], ms.
        weakest: uint8[n], `Evidence` values: a record proves it by these or lower ones.
    """

    match: Bytes8
    key: Int64s
    opens_at_ms: Int64s
    promised_at_ms: Int64s
    hard_ms: Int64s
    weakest: Bytes8

    def __len__(self) -> int:
        """Count the promises."""
        return len(self.key)


@dataclass(frozen=True, slots=True)
class Seen:
    """Sightings as arrays: one record under one key, of which it has one for each `Match`.

    Attributes:
        key: int64[m], [0, NO_KEY), numbered like `Wanted.key`; each (record, key) at most once,
            rows in order of the records' identity (box, epoch, sequence).
        at_ms: int64[m], ms since the epoch, >= 0.
        evidence: uint8[m], `Evidence` values.
    """

    key: Int64s
    at_ms: Int64s
    evidence: Bytes8


def prove(wanted: Wanted, seen: Seen) -> Int64s:
    """Find the sighting that proves each promise.

    Args:
        wanted: n promises.
        seen: m sightings.

    Returns:
        int64[n], row of the sighting, -1 where there is none. It depends on the set of sightings
        and of promises only, not on when each became known.

    Source: docs/promises.md#which-record-proves-a-promise.
    """
    found = np.full(len(wanted), -1, np.int64)
    turn = np.flatnonzero(wanted.match == Match.BY_TURN)
    # A promise in its turn takes no part in the plain search: nothing carries its key there.
    plain_key = np.where(wanted.match == Match.BY_TURN, NO_KEY, wanted.key)
    not_before_ms, not_after_ms = _windows(wanted)
    for weakest in distinct(wanted.weakest).tolist():  # three passes at most, mostly one
        rows = np.flatnonzero(wanted.weakest == weakest)
        good = np.flatnonzero(seen.evidence <= weakest)
        first = first_admissible(
            seen.key[good],
            seen.at_ms[good],
            plain_key[rows],
            not_before_ms[rows],
            not_after_ms[rows],
        )
        found[rows[first >= 0]] = good[first[first >= 0]]
    if len(turn):
        found[turn] = one_each(_rows_of(wanted, turn), seen)
    return found


def first_admissible(
    keys: Int64s, at_ms: Int64s, wanted: Int64s, not_before_ms: Int64s, not_after_ms: Int64s
) -> Int64s:
    """Find for each promise the earliest record with its key inside its window.

    Equal times are decided by position, so give the records in order of identity (box, epoch,
    sequence): then the answer does not depend on the order of arrival.

    Args:
        keys: int64[m], [0, 2**31), what each record could prove.
        at_ms: int64[m], ms since the epoch, >= 0.
        wanted: int64[n], [0, 2**31), what would prove each promise.
        not_before_ms: int64[n], ms since the epoch, inclusive.
        not_after_ms: int64[n], ms since the epoch, inclusive.

    Returns:
        int64[n], row of the record, -1 where there is none.

    Source: docs/promises.md#which-record-proves-a-promise.
    """
    found = np.full(len(wanted), -1, np.int64)
    if len(keys) == 0 or len(wanted) == 0:
        return found
    line = _Timeline(keys, at_ms)
    place = line.places(wanted, not_before_ms)
    candidate = line.order[np.minimum(place, len(keys) - 1)]
    is_found = (
        (place < len(keys)) & (keys[candidate] == wanted) & (at_ms[candidate] <= not_after_ms)
    )
    found[is_found] = candidate[is_found]
    return found


def one_each(wanted: Wanted, seen: Seen) -> Int64s:
    """Give every promise a record of its own: in order of time, each to the earliest due it fits.

    Every record prefers the promise due first, every promise the earliest record, so there is one
    stable assignment only, and it may be found from either side. Here promises choose, in order of
    due; where windows do not overlap they cannot compete and choose all at once.

    Args:
        wanted: n promises, all BY_TURN; equal dues are decided by position.
        seen: m sightings, each record once; equal times are decided by position.

    Returns:
        int64[n], row of the sighting, -1 where there is none; no row twice.

    Source: docs/promises.md#which-record-proves-a-promise.
    """
    found = np.full(len(wanted), -1, np.int64)
    if len(seen.key) == 0 or len(wanted) == 0:
        return found
    line = _Timeline(seen.key, seen.at_ms)
    not_before_ms, not_after_ms = _windows(wanted)
    start = line.places(wanted.key, not_before_ms)
    stop = line.places(wanted.key, not_after_ms + 1)
    hopeful = np.flatnonzero(start < stop)
    free = _Free(seen.evidence[line.order], wanted.weakest)
    for rows in _rounds(start[hopeful], stop[hopeful], wanted.promised_at_ms[hopeful]):
        chosen = hopeful[rows]
        place = free.next_after(start[chosen], chosen)
        is_found = place < stop[chosen]
        free.take(place[is_found])
        found[chosen[is_found]] = line.order[place[is_found]]
    return found


class _Timeline:
    """Records sorted by (key, time, position), to be searched by many promises at once.

    Attributes:
        order: int64[m], rows of the records in that order.
    """

    def __init__(self, keys: Int64s, at_ms: Int64s) -> None:
        self._keys_end = int(keys.max()) + 1
        self._origin_ms = int(at_ms.min())
        self._stride = int(at_ms.max()) - self._origin_ms + 2
        self._times: Int64s | None = None
        if (self._keys_end + 1) * self._stride >= _STAMP_END:
            times = np.sort(at_ms)
            self._times = times[np.concatenate(([True], np.diff(times) > 0))]
            self._stride = len(self._times) + 1
        stamps = self._stamps(keys, at_ms)
        self.order = np.argsort(stamps)
        self._stamps_sorted = stamps[self.order]
        if (np.diff(self._stamps_sorted) == 0).any():  # rare, and four times as slow
            self.order = np.argsort(stamps, kind="stable")

    def places(self, keys: Int64s, at_ms: Int64s) -> Int64s:
        """Find for each (key, time) the place in `order` of the first record not before it."""
        stamps = self._stamps(np.minimum(keys, self._keys_end), at_ms)
        by_stamp = np.argsort(stamps)  # five times as fast as to search in random order
        place = np.empty(len(stamps), np.int64)
        place[by_stamp] = np.searchsorted(self._stamps_sorted, stamps[by_stamp])
        return place

    def _stamps(self, keys: Int64s, at_ms: Int64s) -> Int64s:
        """Fit (key, time) into one sortable number; times become ranks where they are too long."""
        if self._times is None:
            times = np.clip(at_ms - self._origin_ms, 0, self._stride - 1)
        else:
            times = np.searchsorted(self._times, at_ms)
        return keys * self._stride + times


def _rounds(start: Int64s, stop: Int64s, due_ms: Int64s) -> Iterator[Int64s]:
    """Split promises into rounds: those of one round cannot want the same record.

    Ranges of places that touch, directly or through others, form a crowd; the k-th due of every
    crowd make up round k.
    """
    if not len(start):
        return
    by_start = np.argsort(start, kind="stable")
    reach = np.maximum.accumulate(stop[by_start])
    is_new = np.concatenate(([True], start[by_start][1:] >= reach[:-1]))
    crowd = np.empty(len(start), np.int64)
    crowd[by_start] = np.cumsum(is_new)
    by_due = np.lexsort((due_ms, crowd))
    is_first = np.concatenate(([True], np.diff(crowd[by_due]) > 0))
    begins = np.flatnonzero(is_first)
    turn = np.arange(len(start)) - np.repeat(begins, np.diff(np.append(begins, len(start))))
    by_turn = by_due[np.argsort(turn, kind="stable")]
    yield from np.split(by_turn, np.cumsum(np.bincount(turn))[:-1])


class _Free:
    """Which places of a timeline nobody has taken, for promises that ask for different evidence.

    One chain of links for each class of evidence asked for, one behind the other in one array: a
    link leads to its own place while that is free and good enough, else further on.
    """

    def __init__(self, evidence: Bytes8, weakest: Bytes8) -> None:
        levels = distinct(weakest)
        self._stride = len(evidence) + 1
        self._begins = np.arange(len(levels)) * self._stride
        self._begin_of = self._begins[np.searchsorted(levels, weakest)]
        places = np.arange(self._stride)
        is_good = np.ones((len(levels), self._stride), np.bool_)
        is_good[:, :-1] = evidence <= levels[:, np.newaxis]
        good = np.where(is_good, places, self._stride)
        good = np.minimum.accumulate(good[:, ::-1], axis=1)[:, ::-1]
        self._next = (good + self._begins[:, np.newaxis]).ravel()

    def next_after(self, place: Int64s, promise: Int64s) -> Int64s:
        """Find the first free place from each on, good enough for each promise."""
        begin = self._begin_of[promise]
        start = begin + place
        found = self._next[start]
        while True:
            further = self._next[found]
            if np.array_equal(further, found):
                break
            found = further
        self._next[start] = found  # a short cut for later
        places: Int64s = found - begin
        return places

    def take(self, place: Int64s) -> None:
        """Let nobody have these places any more."""
        taken = place + self._begins[:, np.newaxis]
        self._next[taken] = taken + 1


def _windows(wanted: Wanted) -> tuple[Int64s, Int64s]:
    """Give the first and the last ms at which a record proves each promise."""
    is_by_order = wanted.match == Match.BY_ORDER
    limit_ms = wanted.promised_at_ms + wanted.hard_ms
    return (
        np.where(is_by_order, 0, wanted.opens_at_ms),
        np.where(is_by_order, WALL_MS_MAX, limit_ms),
    )


def _rows_of(wanted: Wanted, rows: Int64s) -> Wanted:
    return Wanted(*(getattr(wanted, name)[rows] for name in Wanted.__slots__))
