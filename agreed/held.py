"""Promises held as columns: some sixty bytes each, names and indexes included."""

from collections.abc import Iterable
from enum import IntEnum
from itertools import groupby
from typing import Final

import numpy as np

from agreed.promises import Match, Promise, Terms, Verdict
from agreed.records import Bools, Bytes8, Int64s
from agreed.runs import ROWS_MAX, Runs, UInt64s, distinct, ranges
from agreed.sightings import hash_texts, index_keys, keys_of

_GROWTH: Final = 16
"""Arrays grow by a sixteenth, and rows are freed once an eighth of them is dead."""

_NUMBERS: Final = 7
"""Whole numbers of a template, behind its two texts."""

_COLUMNS: Final = {
    "promised_at_ms": np.int64,
    "opens_at_ms": np.int64,
    "key": np.uint64,
    "template": np.int32,
    "proof": np.int32,
    "name_at": np.int32,
    "verdict": np.uint8,
    "stage": np.uint8,
}


class Stage(IntEnum):
    """Where a promise stands on its way."""

    WAITING = 0  # not looked at yet: it opens later
    OPEN = 1
    AT_RISK = 2
    LATE_RUNNING = 3
    DECIDED = 4
    GONE = 5  # cancelled, replaced or forgotten; its row is free soon


_Template = tuple[str, str, int, int, int, int, int, int, int]


class Held:
    """Rows of promises. What a pack gives to many promises alike is stored once, as a template.

    Attributes:
        promised_at_ms: int64[rows], ms since the epoch.
        opens_at_ms: int64[rows], ms since the epoch.
        key: uint64[rows], what would prove it, see `sightings.keys_of`.
        template: int32[rows], node, node kind, match and terms.
        proof: int32[rows], row of the sighting that proves it, -1 for none.
        name_at: int32[rows], where the order's name is; one for neighbours of the same order.
        verdict: uint8[rows], `Verdict` values.
        stage: uint8[rows], `Stage` values.
    """

    promised_at_ms: Int64s
    opens_at_ms: Int64s
    key: UInt64s
    template: np.ndarray[tuple[int], np.dtype[np.int32]]
    proof: np.ndarray[tuple[int], np.dtype[np.int32]]
    name_at: np.ndarray[tuple[int], np.dtype[np.int32]]
    verdict: Bytes8
    stage: Bytes8

    def __init__(self) -> None:
        for name, dtype in _COLUMNS.items():
            setattr(self, name, np.empty(0, dtype))
        self._count = 0
        self._templates: dict[_Template, int] = {}
        self._nodes: list[str] = []
        self._terms = np.empty((0, _NUMBERS), np.int64)
        self._names = np.empty(0, np.uint8)
        self._names_bytes = 0
        self._runs_by_order = Runs()

    def __len__(self) -> int:
        """Count the rows, dead ones included."""
        return self._count

    def match(self, rows: Int64s) -> Int64s:
        """Give the `Match` of rows."""
        return self._terms[:, 0][self.template[rows]]

    def hard_ms(self, rows: Int64s) -> Int64s:
        """Give the hard limit of rows, ms after what was promised."""
        return self._terms[:, 2][self.template[rows]]

    def at_risk_ms(self, rows: Int64s) -> Int64s:
        """Give how long before the end of the tolerance rows are at risk, ms."""
        return self._terms[:, 3][self.template[rows]]

    def weakest_evidence(self, rows: Int64s) -> Int64s:
        """Give the `Evidence` that rows still accept."""
        return self._terms[:, 6][self.template[rows]]

    def terms(self, rows: Int64s) -> Terms:
        """Give what `judge` needs of rows."""
        _, tolerance_ms, hard_ms, _, rate, most, _ = self._terms[self.template[rows]].T
        return Terms(self.promised_at_ms[rows], tolerance_ms, hard_ms, rate, most)

    def name(self, row: int) -> tuple[str, str]:
        """Give (order, node) of a row."""
        start = int(self.name_at[row])
        stop = start + 1 + int(self._names[start])
        return self._names[start + 1 : stop].tobytes().decode(), self._nodes[self.template[row]]

    def find(self, order: str) -> list[int]:
        """Find the rows of an order that are not gone."""
        key = index_keys(hash_texts([order]))
        return [
            row
            for first in self._runs_by_order.find(key).tolist()
            if self.name(first)[0] == order
            for row in self._run(first)
            if self.stage[row] != Stage.GONE
        ]

    def find_any(self, promises: Iterable[Promise]) -> list[int]:
        """Find the rows with the (order, node) of any of the promises."""
        names = {(p.order, p.node) for p in promises}
        orders = list({order for order, _ in names})
        firsts = self._runs_by_order.find(distinct(index_keys(hash_texts(orders))))
        rows = (row for first in firsts.tolist() for row in self._run(first))
        return [row for row in rows if self.stage[row] != Stage.GONE and self.name(row) in names]

    def add(self, promises: list[Promise]) -> Int64s:
        """Write promises into new rows, waiting; call `reserve` first.

        Args:
            promises: at least one, no two of the same (order, node).

        Returns:
            int64[n], their rows.
        """
        start, stop = self._count, self._count + len(promises)
        assert stop <= len(self.stage), "reserve was not called"
        self.promised_at_ms[start:stop] = [p.promised_at_ms for p in promises]
        self.opens_at_ms[start:stop] = [p.opens_at_ms for p in promises]
        self.key[start:stop] = _sought(promises)
        self.template[start:stop] = self._templates_of(promises)
        self.proof[start:stop] = -1
        self.verdict[start:stop] = Verdict.OPEN
        self.stage[start:stop] = Stage.WAITING
        self._add_names([p.order for p in promises], start)
        self._count = stop
        return np.arange(start, stop)

    def reserve(self, rows: int) -> None:
        """Make room for more rows.

        Raises:
            ValueError: there would be more than ROWS_MAX.
        """
        needed = self._count + rows
        if needed > ROWS_MAX:
            raise ValueError(f"more than {ROWS_MAX} promises at once")
        if needed <= len(self.stage):
            return
        for name in _COLUMNS:
            old = getattr(self, name)
            new = np.empty(needed + needed // _GROWTH, old.dtype)
            new[: self._count] = old[: self._count]
            setattr(self, name, new)

    def drop(self, is_dead: Bools) -> Int64s:
        """Free the rows of dead promises; the others move up.

        Args:
            is_dead: bool[rows], one row at least.

        Returns:
            int64[rows], for each row before its row now, -1 for dead ones.
        """
        left = np.flatnonzero(~is_dead)
        row_after = np.where(is_dead, -1, np.cumsum(~is_dead) - 1)
        self._renumber_orders(row_after)
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[left])
        self._count = len(left)
        self._drop_templates()
        self._drop_names()
        return row_after

    @property
    def nbytes(self) -> int:
        """Bytes held in arrays."""
        columns: int = sum(getattr(self, name).nbytes for name in _COLUMNS)
        return columns + self._terms.nbytes + self._names.nbytes + self._runs_by_order.nbytes

    def _run(self, first: int) -> range:
        stop = first + 1
        while stop < self._count and self.name_at[stop] == self.name_at[first]:
            stop += 1
        return range(first, stop)

    def _templates_of(self, promises: list[Promise]) -> list[int]:
        known = len(self._templates)
        indices = [self._templates.setdefault(_template(p), len(self._templates)) for p in promises]
        if len(self._templates) > known:
            self._read_templates()
        return indices

    def _read_templates(self) -> None:
        self._nodes = [template[0] for template in self._templates]
        self._terms = np.array([template[2:] for template in self._templates], np.int64)

    def _drop_templates(self) -> None:
        used = distinct(self.template.astype(np.int64))
        templates = list(self._templates)
        self._templates = {templates[old]: new for new, old in enumerate(used.tolist())}
        self._read_templates()
        self._terms = self._terms.reshape(-1, _NUMBERS)
        self.template = np.searchsorted(used, self.template).astype(np.int32)

    def _add_names(self, orders: list[str], row: int) -> None:
        at = self._names_bytes
        names: list[bytes] = []
        firsts: list[int] = []
        ats: list[int] = []
        lengths: list[int] = []
        for order, same in groupby(orders):
            text = order.encode()
            names.append(bytes([len(text)]) + text)
            firsts.append(row + sum(lengths))
            lengths.append(len(list(same)))
            ats.append(at)
            at += 1 + len(text)
        self._reserve_names(at)
        self._names[self._names_bytes : at] = np.frombuffer(b"".join(names), np.uint8)
        self._names_bytes = at
        self.name_at[row : row + len(orders)] = np.repeat(ats, lengths)
        keys = index_keys(hash_texts([orders[first - row] for first in firsts]))
        self._runs_by_order.add(keys, np.array(firsts))

    def _reserve_names(self, size: int) -> None:
        if size > len(self._names):
            new = np.empty(size + size // _GROWTH, np.uint8)
            new[: self._names_bytes] = self._names[: self._names_bytes]
            self._names = new

    def _drop_names(self) -> None:
        starts = distinct(self.name_at.astype(np.int64))
        sizes = 1 + self._names[starts].astype(np.int64)
        self._names = self._names[ranges(starts, starts + sizes)]
        self._names_bytes = len(self._names)
        starts_after = np.cumsum(sizes) - sizes
        self.name_at = starts_after[np.searchsorted(starts, self.name_at)].astype(np.int32)

    def _renumber_orders(self, row_after: Int64s) -> None:
        """Let an order's entry lead to the first of its rows that is left."""
        name_at = self.name_at[: self._count]
        firsts = np.flatnonzero(np.concatenate(([True], name_at[1:] != name_at[:-1])))
        left = np.minimum.reduceat(np.where(row_after < 0, ROWS_MAX, row_after), firsts)
        first_after = np.full(self._count, -1, np.int64)
        first_after[firsts] = np.where(left == ROWS_MAX, -1, left)
        self._runs_by_order.renumber(first_after)


def _template(promise: Promise) -> _Template:
    return (
        promise.node,
        promise.node_kind,
        promise.match,
        promise.tolerance_ms,
        promise.hard_ms,
        promise.at_risk_ms,
        promise.early_bp_per_hour,
        promise.early_bp_max,
        promise.weakest_evidence,
    )


def _sought(promises: list[Promise]) -> UInt64s:
    """Give the key of each promise."""
    match = np.array([p.match for p in promises], np.uint8)
    kind = hash_texts([p.node_kind for p in promises])
    who = hash_texts([p.order if p.match == Match.BY_ORDER else p.worker for p in promises])
    place = hash_texts([p.place for p in promises])
    is_by_turn = match == Match.BY_TURN
    return np.where(is_by_turn, keys_of(match, who, kind, place), keys_of(match, who, kind))
