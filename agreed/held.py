"""Promises held as columns: some sixty bytes each, names and indexes included."""

from dataclasses import replace
from enum import IntEnum
from typing import Final

import numpy as np

from agreed.calendars import NO_PAUSES, Calendar, Pauses
from agreed.promises import ROUND_THE_CLOCK, Match, PromiseColumns, Terms, Verdict
from agreed.records import Bools, Bytes8, Int32s, Int64s
from agreed.runs import ROWS_MAX, Runs, UInt64s, distinct, ranges
from agreed.schedules import Schedule, calendars_by_number
from agreed.sightings import hash_texts, index_keys, keys_of

_GROWTH: Final = 16
"""Arrays grow by a sixteenth, and rows are freed once an eighth of them is dead."""

_TEMPLATE: Final = (
    "match",
    "tolerance_ms",
    "hard_ms",
    "at_risk_ms",
    "early_bp_per_hour",
    "early_bp_max",
    "weakest_evidence",
    "calendar",
)
"""What a template says, behind the number of its node."""

_ALWAYS: Final = np.uint8(ROUND_THE_CLOCK)

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


class Held:
    """Rows of promises. What a pack gives to many promises alike is stored once, as a template.

    Attributes:
        promised_at_ms: int64[rows], ms since the epoch.
        opens_at_ms: int64[rows], ms since the epoch.
        key: uint64[rows], what would prove it, see `sightings.keys_of`.
        template: int32[rows], node, match and terms.
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

    def __init__(self, rows_max: int = ROWS_MAX, calendars: list[Calendar] | None = None) -> None:
        """Hold nothing, and never more than rows_max at once.

        Raises:
            ValueError: see `calendars_by_number`.
        """
        for name, dtype in _COLUMNS.items():
            setattr(self, name, np.empty(0, dtype))
        self._rows_max = rows_max
        self._calendars = calendars_by_number(calendars or [])
        self._pauses = NO_PAUSES
        self._count = 0
        self._nodes: list[str] = []
        self._number_of_node: dict[str, int] = {}
        self._templates: dict[bytes, int] = {}
        self._terms = np.empty((0, 1 + len(_TEMPLATE)), np.int64)
        self._names = np.empty(0, np.uint8)
        self._names_bytes = 0
        self._runs_by_order = Runs()

    def __len__(self) -> int:
        """Count the rows, dead ones included."""
        return self._count

    def match(self, rows: Int64s) -> Int64s:
        """Give the `Match` of rows."""
        return self._terms[:, 1][self.template[rows]]

    def limit_ms(self, rows: Int64s) -> Int64s:
        """Give the hard limit of rows, ms since the epoch."""
        hard_ms = self._terms[:, 3][self.template[rows]]
        return self.schedule(rows).moments_ms(self.promised_at_ms[rows], hard_ms)

    def end_ms(self, rows: Int64s) -> Int64s:
        """Give the last moment within the tolerance of rows, ms since the epoch."""
        tolerance_ms = self._terms[:, 2][self.template[rows]]
        schedule = self.schedule(rows)
        return schedule.moments_ms(self.promised_at_ms[rows], tolerance_ms, is_latest=True)

    def risk_ms(self, rows: Int64s) -> Int64s:
        """Give when rows begin to be at risk, ms since the epoch."""
        _, _, tolerance_ms, _, at_risk_ms, *_ = self._terms[self.template[rows]].T
        spent_ms = tolerance_ms - at_risk_ms
        since_ms = self.schedule(rows).moments_ms(self.promised_at_ms[rows], spent_ms)
        return np.maximum(self.opens_at_ms[rows], since_ms)

    def weakest_evidence(self, rows: Int64s) -> Int64s:
        """Give the `Evidence` that rows still accept."""
        return self._terms[:, 7][self.template[rows]]

    def terms(self, rows: Int64s) -> Terms:
        """Give what `judge` needs of rows."""
        _, _, tolerance_ms, hard_ms, _, rate, most, *_ = self._terms[self.template[rows]].T
        return Terms(self.promised_at_ms[rows], tolerance_ms, hard_ms, rate, most)

    def schedule(self, rows: Int64s) -> Schedule:
        """Give in which working time rows run."""
        if len(self._calendars) == 1 and not len(self._pauses.row):
            return Schedule(self._calendars, np.broadcast_to(_ALWAYS, len(rows)))
        pauses = self._pauses.of(rows)
        calendar = self._terms[:, 8][self.template[rows]].astype(np.uint8)
        return Schedule(self._calendars, calendar, pauses)

    def name(self, row: int) -> tuple[str, str]:
        """Give (order, node) of a row."""
        return self._order(row), self._nodes[self._terms[self.template[row], 0]]

    def find(self, orders: list[str]) -> Int64s:
        """Find the rows of orders that are not gone, int64[m], in no order."""
        return self._find(orders)[0]

    def find_any(self, promises: PromiseColumns) -> Int64s:
        """Find the rows with the (order, node) of any of the promises, int64[m], in no order."""
        (orders, order), (nodes, node) = promises.texts["order"], promises.texts["node"]
        rows, order_of = self._find(orders)
        places = {name: place for place, name in enumerate(nodes)}
        place_of = np.array([places.get(name, -1) for name in self._nodes], np.int64)
        node_of = place_of[self._terms[:, 0][self.template[rows]]]
        sought = order.astype(np.int64) * len(nodes) + node
        is_sought = np.isin(order_of * len(nodes) + node_of, sought) & (node_of >= 0)
        return rows[is_sought]

    def add(self, promises: PromiseColumns, pauses: Pauses = NO_PAUSES) -> Int64s:
        """Write promises into new rows, waiting; call `check` and `reserve` first.

        Args:
            promises: at least one, no two of the same (order, node).
            pauses: of these promises.

        Returns:
            int64[n], their rows.
        """
        start, stop = self._count, self._count + len(promises)
        assert stop <= len(self.stage), "reserve was not called"
        self.promised_at_ms[start:stop] = promises.promised_at_ms
        self.opens_at_ms[start:stop] = promises.opens_at_ms
        self.key[start:stop] = _sought(promises)
        self.template[start:stop] = self._templates_of(promises)
        self.proof[start:stop] = -1
        self.verdict[start:stop] = Verdict.OPEN
        self.stage[start:stop] = Stage.WAITING
        self._add_names(*promises.texts["order"], start)
        self._count = stop
        self._pauses = self._pauses.with_(replace(pauses, row=start + pauses.row))
        return np.arange(start, stop)

    def check(self, promises: PromiseColumns) -> None:
        """Check that promises can be held.

        Raises:
            ValueError: a promise runs by a calendar that is not there.
        """
        if (promises.calendar >= len(self._calendars)).any():
            raise ValueError(f"calendar: number {promises.calendar.max()} is not there")

    def reserve(self, rows: int) -> None:
        """Make room for more rows.

        Raises:
            ValueError: there would be more than rows_max.
        """
        needed = self._count + rows
        if needed > self._rows_max:
            raise ValueError(f"more than {self._rows_max} promises at once")
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
        self._pauses = self._pauses.of(left)
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
        rest = (self._terms, self._names, self._runs_by_order, self._pauses)
        return columns + sum(held.nbytes for held in rest)

    def _order(self, row: int) -> str:
        start = int(self.name_at[row])
        stop = start + 1 + int(self._names[start])
        return self._names[start + 1 : stop].tobytes().decode()

    def _find(self, orders: list[str]) -> tuple[Int64s, Int64s]:
        """Find the rows of orders that are not gone, and for each its place among the orders."""
        places = {order: place for place, order in enumerate(orders)}
        firsts = self._runs_by_order.find(distinct(index_keys(hash_texts(orders))))
        # A hash may mislead, so the names themselves decide.
        place = np.array([places.get(self._order(f), -1) for f in firsts.tolist()], np.int64)
        firsts, place = firsts[place >= 0], place[place >= 0]
        name_at = self.name_at[: self._count]  # rising, and one for neighbours
        stops = np.searchsorted(name_at, name_at[firsts], "right")
        rows = ranges(firsts, stops)
        is_there = self.stage[rows] != Stage.GONE
        return rows[is_there], np.repeat(place, stops - firsts)[is_there]

    def _templates_of(self, promises: PromiseColumns) -> Int64s:
        names, index = promises.texts["node"]
        numbers = self._number_of_node
        nodes = [numbers.setdefault(name, len(numbers)) for name in names]
        self._nodes += list(numbers)[len(self._nodes) :]
        columns = (getattr(promises, name) for name in _TEMPLATE)
        rows = np.stack((np.array(nodes)[index], *columns), axis=1).astype(np.int64)
        alike, which = np.unique(rows, axis=0, return_inverse=True)
        known = len(self._templates)
        templates = [self._templates.setdefault(t.tobytes(), len(self._templates)) for t in alike]
        template = np.array(templates, np.int64)
        self._terms = np.concatenate((self._terms, alike[template >= known]))
        return template[which.ravel()]

    def _drop_templates(self) -> None:
        used = distinct(self.template.astype(np.int64))
        self._terms = self._terms[used]
        nodes = distinct(self._terms[:, 0])
        self._nodes = [self._nodes[old] for old in nodes.tolist()]
        self._number_of_node = {node: number for number, node in enumerate(self._nodes)}
        self._terms[:, 0] = np.searchsorted(nodes, self._terms[:, 0])
        self._templates = {template.tobytes(): i for i, template in enumerate(self._terms)}
        self.template = np.searchsorted(used, self.template).astype(np.int32)

    def _add_names(self, orders: list[str], index: Int32s, row: int) -> None:
        """Write down the orders of new rows, each once for neighbours."""
        firsts = np.flatnonzero(np.concatenate(([True], index[1:] != index[:-1])))
        texts = [orders[i].encode() for i in index[firsts].tolist()]
        names = b"".join(bytes([len(text)]) + text for text in texts)
        sizes = np.array([1 + len(text) for text in texts])
        start, stop = self._names_bytes, self._names_bytes + len(names)
        self._reserve_names(stop)
        self._names[start:stop] = np.frombuffer(names, np.uint8)
        self._names_bytes = stop
        at = start + np.cumsum(sizes) - sizes
        rows = np.diff(np.append(firsts, len(index)))
        self.name_at[row : row + len(index)] = np.repeat(at, rows)
        keys = index_keys(hash_texts(orders))[index[firsts]]
        self._runs_by_order.add(keys, row + firsts)

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


def _sought(promises: PromiseColumns) -> UInt64s:
    """Give the key of each promise."""

    def hashed(name: str) -> UInt64s:
        distinct_texts, index = promises.texts[name]
        return hash_texts(distinct_texts)[index]

    match, kind, worker = promises.match, hashed("node_kind"), hashed("worker")
    who = np.where(match == Match.BY_ORDER, hashed("order"), worker)
    turn = keys_of(match, worker, kind, hashed("place"))
    return np.where(match == Match.BY_TURN, turn, keys_of(match, who, kind))
