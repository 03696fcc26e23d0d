"""The promise: this node, for this order, at this time, with this tolerance."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np

from agreed.limits import BASIS_POINTS, SPAN_MS_MAX, TEXT_BYTES_MAX, WALL_MS_MAX
from agreed.records import Bools, Bytes8, Evidence, Int32s, Int64s, check_text

TEXTS: Final = ("order", "node", "worker", "node_kind", "place")
"""The texts of a promise."""

_NUMBERS: Final = {
    "match": np.uint8,
    "opens_at_ms": np.int64,
    "promised_at_ms": np.int64,
    "tolerance_ms": np.int64,
    "hard_ms": np.int64,
    "at_risk_ms": np.int64,
    "early_bp_per_hour": np.int64,
    "early_bp_max": np.int64,
    "weakest_evidence": np.uint8,
}
"""The numbers that a `Promise` has, too."""


class PromiseError(ValueError):
    """A promise cannot be kept or judged as written; the message names the field."""


class Match(IntEnum):
    """Which record proves a promise; the numbers are never reused."""

    BY_ORDER = 1  # the first record of the node kind that carries the order's reference
    BY_WORKER = 2  # the first record of the node kind by the promised worker inside the window;
    # one arrival at a gate may prove several orders
    BY_TURN = (
        3  # recurring duties: a record of the node kind by the promised worker at the promised
    )
    # place proves exactly one promise, the earliest due whose window admits it


class Verdict(IntEnum):
    """What became of a promise; the numbers are never reused."""

    OPEN = 0  # not decided: still time, or the box has not been heard far enough
    KEPT = 1  # certainly within tolerance
    LATE = 2  # certainly beyond tolerance
    MISSED = 3  # the hard limit passed, the box was recording, and nothing happened
    UNDECIDABLE = 4  # depends on less than the clock's bound; paid as kept, counted apart


@dataclass(frozen=True, slots=True)
class Promise:
    """One promised node of one order.

    Attributes:
        order: the order's id; what a record carries as reference.
        node: the node's key within the order.
        worker: who promised it; what a record carries as subject. "" if nobody in person.
        node_kind: what must happen.
        match: which record proves it.
        opens_at_ms: ms since the epoch; records before it prove nothing, except BY_ORDER.
        promised_at_ms: ms since the epoch.
        tolerance_ms: full credit up to promised_at_ms + tolerance_ms; >= 0.
        hard_ms: no credit from promised_at_ms + hard_ms on; > tolerance_ms.
        at_risk_ms: ask for help this long before the tolerance ends; >= 0.
        early_bp_per_hour: credit above 10,000 bp for each hour before -tolerance_ms; >= 0.
        early_bp_max: most of that credit; >= 0.
        weight: share of the order's score; >= 0.
        is_critical: when missed or scored 0, the order scores 0.
        place: BY_TURN only, the device that must have seen it; "" otherwise.
        weakest_evidence: what a record must be worth to prove it: DEVICE takes the word of devices
            only, KIOSK also that of a kiosk, MANUAL also claims.
    """

    order: str
    node: str
    worker: str
    node_kind: str
    match: Match
    opens_at_ms: int
    promised_at_ms: int
    tolerance_ms: int
    hard_ms: int
    at_risk_ms: int = 0
    early_bp_per_hour: int = 0
    early_bp_max: int = 0
    weight: int = 1
    is_critical: bool = False
    place: str = ""
    weakest_evidence: Evidence = Evidence.MANUAL

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            PromiseError: a field is out of its range; the message names it.
        """
        for name in ("order", "node", "worker", "node_kind", "place"):
            check_text(name, getattr(self, name))
        for name in ("order", "node", "node_kind"):
            _require(bool(getattr(self, name)), f"{name}: give 1 to {TEXT_BYTES_MAX} bytes")
        is_by_turn = self.match == Match.BY_TURN
        _require(bool(self.worker) or self.match == Match.BY_ORDER, "worker: needed to match by it")
        _require(bool(self.place) == is_by_turn, "place: needed to match by turn, and only then")
        for name in ("opens_at_ms", "promised_at_ms"):
            _require(0 <= getattr(self, name) <= WALL_MS_MAX, f"{name}: ms since 1970, to 9999")
        _require(0 <= self.tolerance_ms < self.hard_ms, "hard_ms: must exceed tolerance_ms >= 0")
        _require(self.hard_ms <= SPAN_MS_MAX, f"hard_ms: at most {SPAN_MS_MAX}")
        _require(self.opens_at_ms <= self.promised_at_ms, "opens_at_ms: after promised_at_ms")
        _require(0 <= self.at_risk_ms <= SPAN_MS_MAX, f"at_risk_ms: 0 to {SPAN_MS_MAX}")
        for name in ("early_bp_per_hour", "early_bp_max"):
            _require(0 <= getattr(self, name) <= BASIS_POINTS, f"{name}: 0 to {BASIS_POINTS}")
        _require(0 <= self.weight <= BASIS_POINTS, f"weight: 0 to {BASIS_POINTS}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What was promised, as arrays; row i is promise i.

    Attributes:
        promised_at_ms: int64[n], ms since the epoch.
        tolerance_ms: int64[n], ms, >= 0.
        hard_ms: int64[n], ms, > tolerance_ms, <= SPAN_MS_MAX.
        early_bp_per_hour: int64[n], bp, [0, 10,000].
        early_bp_max: int64[n], bp, [0, 10,000].
    """

    promised_at_ms: Int64s
    tolerance_ms: Int64s
    hard_ms: Int64s
    early_bp_per_hour: Int64s
    early_bp_max: Int64s

    def __len__(self) -> int:
        """Count the promises."""
        return len(self.promised_at_ms)

    def take(self, rows: Int64s | slice) -> "Terms":
        """Give some of the promises, in that order; views for a slice."""
        return Terms(
            self.promised_at_ms[rows],
            self.tolerance_ms[rows],
            self.hard_ms[rows],
            self.early_bp_per_hour[rows],
            self.early_bp_max[rows],
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What happened, as arrays; row i belongs to promise i.

    Attributes:
        actual_at_ms: int64[n], ms since the epoch; any value where nothing was seen.
        bound_ms: int64[n], ms, >= 0, error of actual_at_ms; NO_CLOCK where the clock was unset.
        is_seen: bool[n], whether a record proves the node.
        covered_until_ms: int64[n], ms since the epoch: had it happened by then, we would know.
    """

    actual_at_ms: Int64s
    bound_ms: Int64s
    is_seen: Bools
    covered_until_ms: Int64s

    def take(self, rows: Int64s | slice) -> "Facts":
        """Give some of the facts, in that order; views for a slice."""
        return Facts(
            self.actual_at_ms[rows],
            self.bound_ms[rows],
            self.is_seen[rows],
            self.covered_until_ms[rows],
        )


@dataclass(frozen=True, slots=True)
class Judgements:
    """What became of the promises, as arrays; row i belongs to promise i.

    Attributes:
        verdict: uint8[n], `Verdict` values.
        deviation_ms: int64[n], actual - promised, clipped to ±SPAN_MS_MAX; 0 where nothing is seen.
        score_bp: int32[n], bp, [0, 20,000]; 0 where OPEN.
    """

    verdict: Bytes8
    deviation_ms: Int64s
    score_bp: Int32s

    def take(self, rows: Int64s | slice) -> "Judgements":
        """Give some of the judgements, in that order; views for a slice."""
        return Judgements(self.verdict[rows], self.deviation_ms[rows], self.score_bp[rows])


NO_CLOCK = SPAN_MS_MAX
"""A bound that makes every verdict undecidable: the clock was never set."""

ROUND_THE_CLOCK: Final = 0
"""The number of the calendar of promises that run day and night."""


@dataclass(frozen=True, slots=True)
class PromiseColumns:
    """Promises as arrays, as the tick takes them; row i is promise i. Fields as in `Promise`.

    In working time promised_at_ms and opens_at_ms are moments on the wall clock all the same, and
    tolerance_ms, hard_ms and at_risk_ms are spans of working time.

    Attributes:
        match: uint8[n], `Match` values.
        opens_at_ms: int64[n], ms since the epoch.
        promised_at_ms: int64[n], ms since the epoch.
        tolerance_ms: int64[n], ms.
        hard_ms: int64[n], ms.
        at_risk_ms: int64[n], ms.
        early_bp_per_hour: int64[n], bp.
        early_bp_max: int64[n], bp.
        weakest_evidence: uint8[n], `Evidence` values.
        calendar: uint8[n], in which working time it runs: ROUND_THE_CLOCK, or a calendar's number
            as in `schedules.Schedule`.
        texts: for each of TEXTS its distinct values, and int32[n] indices into them.
    """

    match: Bytes8
    opens_at_ms: Int64s
    promised_at_ms: Int64s
    tolerance_ms: Int64s
    hard_ms: Int64s
    at_risk_ms: Int64s
    early_bp_per_hour: Int64s
    early_bp_max: Int64s
    weakest_evidence: Bytes8
    calendar: Bytes8
    texts: dict[str, tuple[list[str], Int32s]]

    def __len__(self) -> int:
        """Count the promises."""
        return len(self.match)

    def take(self, rows: Int64s) -> "PromiseColumns":
        """Give some of the promises, int64[m] rows, in that order."""
        texts = {name: (distinct, i[rows]) for name, (distinct, i) in self.texts.items()}
        numbers = {name: getattr(self, name)[rows] for name in (*_NUMBERS, "calendar")}
        return PromiseColumns(texts=texts, **numbers)


def to_promise_columns(promises: list[Promise], calendar: int = ROUND_THE_CLOCK) -> PromiseColumns:
    """Turn promises into arrays, in the same order; empty for none.

    Args:
        promises: what was promised.
        calendar: in which working time all of them run.
    """
    numbers: dict[str, Any] = {
        name: np.array([getattr(p, name) for p in promises], dtype)
        for name, dtype in _NUMBERS.items()
    }
    numbers["calendar"] = np.full(len(promises), calendar, np.uint8)
    return PromiseColumns(texts={name: _coded(promises, name) for name in TEXTS}, **numbers)


def to_terms(promises: list[Promise]) -> Terms:
    """Turn promises into arrays, in the same order; empty for none."""

    def column(name: str) -> Int64s:
        return np.array([getattr(p, name) for p in promises], np.int64)

    return Terms(
        column("promised_at_ms"),
        column("tolerance_ms"),
        column("hard_ms"),
        column("early_bp_per_hour"),
        column("early_bp_max"),
    )


def _coded(promises: list[Promise], name: str) -> tuple[list[str], Int32s]:
    places: dict[str, int] = {}
    index = [places.setdefault(getattr(p, name), len(places)) for p in promises]
    return list(places), np.array(index, np.int32)


def _require(is_met: bool, message: str) -> None:
    if not is_met:
        raise PromiseError(message)
