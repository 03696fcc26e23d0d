"""The fulfilment check: what was promised against what happened, arrays in, arrays out."""

from typing import Final

import numpy as np

from agreed.limits import BASIS_POINTS, SPAN_MS_MAX
from agreed.promises import Facts, Judgements, Terms, Verdict
from agreed.records import Bools, Bytes8, Int32s, Int64s

_MS_PER_HOUR: Final = 3_600_000


def judge(terms: Terms, facts: Facts) -> Judgements:
    """Judge every promise against its fact.

    With deviation d = actual - promised, tolerance τ and clock bound ε: certainly late iff
    d - ε > τ, certainly kept iff d + ε <= τ, else undecidable. Without a record: missed once the
    hard limit is covered, open until then. Undecidable scores as kept.

    Args:
        terms: n promises.
        facts: n facts, row by row.

    Returns:
        n judgements. The result depends on nothing but its row: not on order, not on the others.

    Raises:
        ValueError: terms and facts differ in length.

    Source: docs/promises.md#verdict; mission, Formulas, Node.
    """
    if len(terms) != len(facts.actual_at_ms):
        raise ValueError(f"{len(terms)} promises but {len(facts.actual_at_ms)} facts")
    deviation_ms = np.where(
        facts.is_seen,
        np.clip(facts.actual_at_ms - terms.promised_at_ms, -SPAN_MS_MAX, SPAN_MS_MAX),
        0,
    )
    bound_ms = np.minimum(facts.bound_ms, SPAN_MS_MAX * 2)
    is_late = facts.is_seen & (deviation_ms - bound_ms > terms.tolerance_ms)
    is_kept = facts.is_seen & (deviation_ms + bound_ms <= terms.tolerance_ms)
    is_past = facts.covered_until_ms >= terms.promised_at_ms + terms.hard_ms
    verdict = np.full(len(terms), Verdict.OPEN, np.uint8)
    verdict[~facts.is_seen & is_past] = Verdict.MISSED
    verdict[facts.is_seen] = Verdict.UNDECIDABLE
    verdict[is_late] = Verdict.LATE
    verdict[is_kept] = Verdict.KEPT
    score = node_scores_bp(terms, deviation_ms).astype(np.int32)
    score[verdict == Verdict.UNDECIDABLE] = BASIS_POINTS
    score[~facts.is_seen] = 0
    return Judgements(verdict, deviation_ms, score)


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

    Source: mission, Formulas, Node.
    """
    early_ms = np.maximum(-deviation_ms - terms.tolerance_ms, 0)
    early_bp = np.minimum(early_ms * terms.early_bp_per_hour // _MS_PER_HOUR, terms.early_bp_max)
    left_ms = np.clip(terms.hard_ms - deviation_ms, 0, None)
    span_ms = terms.hard_ms - terms.tolerance_ms
    late_bp = _divide_half_even(np.minimum(left_ms, span_ms) * BASIS_POINTS, span_ms)
    return np.where(deviation_ms <= terms.tolerance_ms, BASIS_POINTS + early_bp, late_bp)


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

    Source: mission, Formulas, Order.
    """
    total = np.zeros(orders, np.int64)
    weights = np.zeros(orders, np.int64)
    np.add.at(total, order_index, score_bp.astype(np.int64) * weight)
    np.add.at(weights, order_index, weight)
    score = _divide_half_even(total, np.maximum(weights, 1))
    score[order_index[is_critical & (score_bp == 0)]] = 0
    return score


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
    order = np.lexsort((at_ms, keys))
    # Times are replaced by their rank so that (key, time) fits one sortable integer.
    times = np.unique(at_ms)
    rank = np.searchsorted(times, at_ms[order])
    stride = np.int64(len(times) + 1)
    sought = wanted * stride + np.searchsorted(times, not_before_ms)
    place = np.searchsorted(keys[order] * stride + rank, sought)
    candidate = order[np.minimum(place, len(order) - 1)]
    is_found = (
        (place < len(order)) & (keys[candidate] == wanted) & (at_ms[candidate] <= not_after_ms)
    )
    found[is_found] = candidate[is_found]
    return found


def count_verdicts(verdict: Bytes8) -> dict[Verdict, int]:
    """Count the promises of each verdict; every verdict is a key."""
    counts = np.bincount(verdict, minlength=max(Verdict) + 1)
    return {v: int(counts[v]) for v in Verdict}


def _divide_half_even(numerator: Int64s, denominator: Int64s) -> Int64s:
    whole, rest = np.divmod(numerator, denominator)
    is_up = (rest * 2 > denominator) | ((rest * 2 == denominator) & (whole % 2 == 1))
    rounded: Int64s = whole + is_up
    return rounded
