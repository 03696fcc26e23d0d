"""The fulfilment check: what was promised against what happened, arrays in, arrays out.

Whole numbers throughout, so the same rows give the same verdicts and scores on every machine.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from agreed.limits import BASIS_POINTS, SPAN_MS_MAX
from agreed.promises import NO_CLOCK, Facts, Judgements, Terms, Verdict
from agreed.proofs import first_admissible
from agreed.records import Bools, Bytes8, Int32s, Int64s

__all__ = [
    "Totals",
    "count_verdicts",
    "first_admissible",
    "judge",
    "node_scores_bp",
    "order_scores_bp",
    "orders_on_time",
    "sum_by",
    "wilson_lower_bp",
]

_MS_PER_HOUR: Final = 3_600_000

_BLOCK: Final = 16_384
"""Rows judged together: every buffer of a block stays in the cache next to the core."""

_UInt64s = npt.NDArray[np.uint64]


def judge(terms: Terms, facts: Facts, out: Judgements | None = None) -> Judgements:
    """Judge every promise against its fact.

    With deviation d = actual - promised, tolerance τ and clock bound ε: certainly late iff
    d - ε > τ, certainly kept iff d + ε <= τ, else undecidable; undecidable always if ε >= NO_CLOCK.
    Without a record: missed once the hard limit is covered, open until then. Undecidable scores
    as kept on time.

    Args:
        terms: n promises. A column may be one value broadcast to n rows.
        facts: n facts, row by row.
        out: n rows to write into, for callers that judge again and again; None to allocate.

    Returns:
        n judgements. The result depends on nothing but its row: not on order, not on the others.

    Raises:
        ValueError: terms, facts and out differ in length.

    Source: docs/promises.md#verdict; mission, Formulas, Node.
    """
    rows = len(terms)
    if rows != len(facts.actual_at_ms):
        raise ValueError(f"{rows} promises but {len(facts.actual_at_ms)} facts")
    if out is None:
        out = Judgements(
            np.empty(rows, np.uint8), np.empty(rows, np.int64), np.empty(rows, np.int32)
        )
    elif len(out.verdict) != rows:
        raise ValueError(f"{rows} promises but {len(out.verdict)} rows to write into")
    scratch = _Scratch(min(rows, _BLOCK))
    for start in range(0, rows, _BLOCK):
        block = slice(start, min(start + _BLOCK, rows))
        _judge_block(terms.take(block), facts.take(block), out.take(block), scratch)
    return out


def node_scores_bp(terms: Terms, deviation_ms: Int64s) -> Int64s:
    """Score signed deviations: full within tolerance, falling to nothing at the hard limit.

    s(d) = 10,000 + min(cap, e·(-d - τ)) for d <= -τ; 10,000 for |d| <= τ;
    10,000·(h - d)/(h - τ) rounded half to even for τ < d < h; 0 from h on.
    Monotone in d, continuous at τ and h. Early credit counts whole basis points, rounded down.

    Args:
        terms: n promises.
        deviation_ms: int64[n], ms, within ±SPAN_MS_MAX.

    Returns:
        int64[n], bp, [0, 20,000].

    Source: docs/promises.md#score; mission, Formulas, Node.
    """
    score = np.full(len(terms), BASIS_POINTS, np.int64)
    late = np.flatnonzero(deviation_ms > terms.tolerance_ms)
    score[late] = _late_bp(terms, deviation_ms, late)
    early = np.flatnonzero(-deviation_ms > terms.tolerance_ms)
    score[early] += _early_bp(terms, deviation_ms, early)
    return score


def order_scores_bp(
    score_bp: Int32s, weight: Int64s, is_critical: Bools, order_index: Int64s, orders: int
) -> Int64s:
    """Score whole orders: the weighted mean of their nodes, and 0 if a critical node scored 0.

    Args:
        score_bp: int32[n], bp, of each node.
        weight: int64[n], >= 0.
        is_critical: bool[n].
        order_index: int64[n], [0, orders), which order each node belongs to.
        orders: how many orders there are.

    Returns:
        int64[orders], bp, rounded half to even; 0 for an order without weight.

    Source: docs/promises.md#order; mission, Formulas, Order.
    """
    total = np.zeros(orders, np.int64)
    weights = np.zeros(orders, np.int64)
    np.add.at(total, order_index, score_bp * weight)
    np.add.at(weights, order_index, weight)
    score = _divide_half_even(total, np.maximum(weights, 1))
    score[order_index[is_critical & (score_bp == 0)]] = 0
    return score


@dataclass(frozen=True, slots=True)
class Totals:
    """Grouped sums of judgements: per worker, team, site, segment, node kind or order.

    Attributes:
        counts: int64[groups, 5], promises by `Verdict`.
        score_bp: int64[groups], bp, sum of scores.
        deviation_ms: int64[groups], ms, sum of deviations of what was seen.
    """

    counts: Int64s
    score_bp: Int64s
    deviation_ms: Int64s


def sum_by(judged: Judgements, group_index: Int64s, groups: int) -> Totals:
    """Sum judgements by group, exactly.

    Args:
        judged: n judgements.
        group_index: int64[n], [0, groups).
        groups: how many groups there are, >= 1.

    Returns:
        Sums and counts per group; zeros for a group without rows.

    Source: docs/promises.md#order.
    """
    kinds = len(Verdict)
    totals = Totals(*(np.zeros(size, np.int64) for size in (groups * kinds, groups, groups)))
    for start in range(0, len(group_index), _BLOCK):
        block = slice(start, start + _BLOCK)
        group = group_index[block]
        np.add.at(totals.counts, group * kinds + judged.verdict[block], 1)
        np.add.at(totals.score_bp, group, judged.score_bp[block].astype(np.int64))
        np.add.at(totals.deviation_ms, group, judged.deviation_ms[block])
    return Totals(totals.counts.reshape(groups, kinds), totals.score_bp, totals.deviation_ms)


def orders_on_time(totals: Totals) -> tuple[Bools, Bools]:
    """Say which orders are due, and which of them had every node in tolerance.

    An order is due once no node of it is open. A node is in tolerance when kept or undecidable.
    On time, in full: the caller adds its own "quantity complete" and "accepted".

    Args:
        totals: `sum_by` with the order as group.

    Returns:
        bool[orders] is due, bool[orders] is due and on time; both False without nodes.

    Source: docs/promises.md#order; mission, Formulas, Order.
    """
    nodes = totals.counts.sum(axis=1)
    in_tolerance = totals.counts[:, Verdict.KEPT] + totals.counts[:, Verdict.UNDECIDABLE]
    is_due = (nodes > 0) & (totals.counts[:, Verdict.OPEN] == 0)
    return is_due, is_due & (in_tolerance == nodes)


def wilson_lower_bp(good: int, total: int) -> int:
    """Give the lower end of the 95 % Wilson interval of a share: what few cases really prove.

    (k + z²/2 - z·√(k·(n-k)/n + z²/4)) / (n + z²) with z = 1.96, in whole numbers, rounded down.

    Args:
        good: k, 0 to total.
        total: n, >= 0.

    Returns:
        bp, [0, 10,000]; 0 for none.

    Source: docs/promises.md#order; mission, Formulas, Order.
    """
    if total == 0:
        return 0
    # Everything times 10,000·n, which makes it whole; the root is rounded up.
    root = isqrt(38_416 * (10_000 * good * (total - good) * total + 9_604 * total * total) - 1) + 1
    above = 10_000 * good * total + 19_208 * total - root
    return max(0, above * BASIS_POINTS // ((10_000 * total + 38_416) * total))


def count_verdicts(verdict: Bytes8) -> dict[Verdict, int]:
    """Count the promises of each verdict; every verdict is a key."""
    counts = np.bincount(verdict, minlength=max(Verdict) + 1)
    return {v: int(counts[v]) for v in Verdict}


class _Scratch:
    """Buffers of one block, used again for the next."""

    def __init__(self, rows: int) -> None:
        self.sum_ms = np.empty(rows, np.int64)
        self.is_kept = np.empty(rows, np.bool_)
        self.is_late = np.empty(rows, np.bool_)
        self.is_other = np.empty(rows, np.bool_)


def _judge_block(terms: Terms, facts: Facts, out: Judgements, scratch: _Scratch) -> None:
    rows = len(terms)
    is_kept, is_late = scratch.is_kept[:rows], scratch.is_late[:rows]
    is_other, sum_ms = scratch.is_other[:rows], scratch.sum_ms[:rows]
    deviation_ms, is_seen, bound_ms = out.deviation_ms, facts.is_seen, facts.bound_ms

    np.subtract(facts.actual_at_ms, terms.promised_at_ms, out=deviation_ms)
    np.maximum(deviation_ms, -SPAN_MS_MAX, out=deviation_ms)
    np.minimum(deviation_ms, SPAN_MS_MAX, out=deviation_ms)
    np.multiply(deviation_ms, is_seen, out=deviation_ms)

    np.subtract(deviation_ms, bound_ms, out=sum_ms)
    np.greater(sum_ms, terms.tolerance_ms, out=is_late)
    np.logical_and(is_late, is_seen, out=is_late)
    np.add(deviation_ms, bound_ms, out=sum_ms)
    np.less_equal(sum_ms, terms.tolerance_ms, out=is_kept)
    np.less(bound_ms, NO_CLOCK, out=is_other)
    np.logical_and(is_kept, is_other, out=is_kept)
    np.logical_and(is_late, is_other, out=is_late)
    np.logical_and(is_kept, is_seen, out=is_kept)

    np.add(terms.promised_at_ms, terms.hard_ms, out=sum_ms)
    np.less_equal(sum_ms, facts.covered_until_ms, out=is_other)
    np.greater(is_other, is_seen, out=is_other)  # covered and not seen
    _write_verdicts(out.verdict, is_seen, is_kept, is_late, is_other)
    _write_scores(terms, out, is_seen, is_late)
    if terms.early_bp_per_hour.any():
        np.add(deviation_ms, terms.tolerance_ms, out=sum_ms)
        np.less(sum_ms, 0, out=is_other)
        np.logical_and(is_other, is_kept, out=is_other)
        np.greater(terms.early_bp_per_hour, 0, out=is_late)
        np.logical_and(is_other, is_late, out=is_other)
        early = np.flatnonzero(is_other)
        out.score_bp[early] += _early_bp(terms, deviation_ms, early).astype(np.int32)


def _write_verdicts(
    verdict: Bytes8, is_seen: Bools, is_kept: Bools, is_late: Bools, is_missed: Bools
) -> None:
    # Sums of flags, because choosing element by element costs more than all the rest together.
    np.multiply(is_seen.view(np.uint8), Verdict.UNDECIDABLE.value, out=verdict)
    verdict -= is_kept.view(np.uint8) * np.uint8(Verdict.UNDECIDABLE - Verdict.KEPT)
    verdict -= is_late.view(np.uint8) * np.uint8(Verdict.UNDECIDABLE - Verdict.LATE)
    verdict += is_missed.view(np.uint8) * np.uint8(Verdict.MISSED)


def _write_scores(terms: Terms, out: Judgements, is_seen: Bools, is_late: Bools) -> None:
    np.multiply(is_seen, np.int32(BASIS_POINTS), out=out.score_bp)
    late = np.flatnonzero(is_late)
    if len(late):
        out.score_bp[late] = _late_bp(terms, out.deviation_ms, late)


def _late_bp(terms: Terms, deviation_ms: Int64s, rows: Int64s) -> Int64s:
    tolerance_ms, hard_ms = terms.tolerance_ms.take(rows), terms.hard_ms.take(rows)
    left_ms = np.maximum(hard_ms - deviation_ms.take(rows), 0)
    return _divide_half_even(left_ms * BASIS_POINTS, hard_ms - tolerance_ms)


def _early_bp(terms: Terms, deviation_ms: Int64s, rows: Int64s) -> Int64s:
    early_ms = -deviation_ms.take(rows) - terms.tolerance_ms.take(rows)
    early_bp: Int64s = early_ms * terms.early_bp_per_hour.take(rows) // _MS_PER_HOUR
    return np.minimum(early_bp, terms.early_bp_max.take(rows))


def _divide_half_even(numerator: Int64s, denominator: Int64s) -> Int64s:
    """Divide int64[n] >= 0 by int64[n] > 0, both below 2**61; one division, as it costs most."""
    twice = (numerator * 2 + denominator).view(np.uint64)
    divisor = (denominator * 2).view(np.uint64)
    quotient = twice // divisor  # rounded half up
    is_tie = quotient * divisor == twice
    quotient -= is_tie & (quotient & np.uint64(1)).astype(np.bool_)
    return quotient.astype(np.int64)
