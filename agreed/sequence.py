"""Sequence conformance: what is missing, repeated, unplanned or swapped in an order."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from agreed.records import Int32s, Int64s

Matrix = npt.NDArray[np.int32]

NODES_MAX: Final = 1_000
"""Nodes of one sequence, agreed or seen, that are aligned exactly."""

NO_NODE: Final = -1
"""Fills up the rows of a matrix of sequences."""

# An alignment's price and what it consists of, in one number: comparing two of them compares first
# the number of differences, then prefers few missing, then few repeated, unplanned, swapped nodes.
_BITS: Final = 11
_SWAPPED: Final = (1 << 4 * _BITS) + 1
_UNPLANNED: Final = (1 << 4 * _BITS) + (1 << _BITS)
_REPEATED: Final = (1 << 4 * _BITS) + (1 << 2 * _BITS)
_MISSING: Final = (1 << 4 * _BITS) + (1 << 3 * _BITS)
_NEVER: Final = 1 << 62

assert 2 * NODES_MAX < 1 << _BITS


@dataclass(frozen=True, slots=True)
class Differences:
    """How each order's nodes differ from the agreed ones.

    Attributes:
        missing: int64[orders], agreed nodes that did not happen.
        repeated: int64[orders], agreed nodes that happened once more than agreed.
        unplanned: int64[orders], nodes that were never agreed.
        swapped: int64[orders], pairs of neighbours that happened in the wrong order.
    """

    missing: Int64s
    repeated: Int64s
    unplanned: Int64s
    swapped: Int64s


def sequences(order_index: Int64s, at_ms: Int64s, node: Int32s, orders: int) -> Matrix:
    """Lay out events as one row for each order, in order of time.

    Args:
        order_index: int64[n], [0, orders).
        at_ms: int64[n], ms since the epoch; equal times are decided by position, so give events
            in order of identity.
        node: int32[n], >= 0.
        orders: how many orders there are.

    Returns:
        int32[orders, longest], NO_NODE behind the last node.

    Raises:
        ValueError: an order has more than NODES_MAX events.
    """
    counts = np.bincount(order_index, minlength=orders)
    longest = int(counts.max(initial=0))
    if longest > NODES_MAX:
        raise ValueError(f"an order has {longest} events, more than {NODES_MAX}")
    by_order = np.lexsort((at_ms, order_index))
    starts = np.cumsum(counts) - counts
    place = np.arange(len(order_index)) - np.repeat(starts, counts)
    laid_out = np.full((orders, longest), NO_NODE, np.int32)
    laid_out[order_index[by_order], place] = node[by_order]
    return laid_out


def differences(agreed: Matrix, seen: Matrix) -> Differences:
    """Align what was seen with what was agreed, with as few differences as can be.

    A missing, repeated or unplanned node and a swap of neighbours each count as one difference;
    among equally small explanations the one with fewest missing nodes wins, then fewest repeated.

    Args:
        agreed: int32[orders, m], the agreed nodes, NO_NODE behind the last; m <= NODES_MAX.
        seen: int32[orders, n], the nodes that happened, likewise; n <= NODES_MAX.

    Returns:
        The differences of each order. Every order by itself: O(m·n) each, all orders at once.

    Raises:
        ValueError: not the same number of orders, or sequences that are too long.

    Source: docs/promises.md#sequence; mission, Formulas, Sequence.
    """
    if len(agreed) != len(seen) or max(agreed.shape[1], seen.shape[1]) > NODES_MAX:
        raise ValueError(f"sequences: as many agreed as seen, {NODES_MAX} nodes at most")
    price = _align(np.ascontiguousarray(agreed.T), np.ascontiguousarray(seen.T))
    mask = (1 << _BITS) - 1
    counts = [(price >> shift * _BITS) & mask for shift in (3, 2, 1, 0)]
    return Differences(*counts)


def _align(agreed: Matrix, seen: Matrix) -> Int64s:
    """Give the price of the best alignment; here a column is an order.

    price[i, j] explains the first j seen by the first i agreed nodes; each is the best of leaving
    out an agreed node, of a seen node too many, of a match, and of two matches crosswise.
    """
    length, seen_length = (agreed != NO_NODE).sum(axis=0), (seen != NO_NODE).sum(axis=0)
    surplus = _surplus(agreed, seen)
    total = np.zeros(agreed.shape[1], np.int64)
    rows = [np.concatenate((np.zeros((1, len(total)), np.int64), np.cumsum(surplus, axis=0)))]
    for i in range(len(agreed) + 1):
        if i:
            rows = [*rows[-2:], _next_row(agreed[:i], seen, surplus, rows)]
        ends = np.flatnonzero(length == i)
        total[ends] = rows[-1][seen_length[ends], ends]
    return total


def _next_row(agreed: Matrix, seen: Matrix, surplus: Int64s, rows: list[Int64s]) -> Int64s:
    row = np.empty_like(rows[-1])
    row[0] = rows[-1][0] + _MISSING
    is_match = seen == agreed[-1]
    best = np.minimum(rows[-1][1:] + _MISSING, np.where(is_match, rows[-1][:-1], _NEVER))
    if len(rows) > 1:
        is_swap = is_match[:-1] & (seen[1:] == agreed[-2])
        np.minimum(best[1:], np.where(is_swap, rows[-2][:-2] + _SWAPPED, _NEVER), out=best[1:])
    for j in range(len(seen)):
        row[j + 1] = np.minimum(best[j], row[j] + surplus[j])
    return row


def _surplus(agreed: Matrix, seen: Matrix) -> Int64s:
    """Price one seen node too many: repeated when it was agreed at all, else unplanned."""
    is_agreed = np.zeros(seen.shape, np.bool_)
    for nodes in agreed:
        is_agreed |= seen == nodes
    return np.where(is_agreed, _REPEATED, _UNPLANNED)
