from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.sequence import NO_NODE, NODES_MAX, Matrix, differences, sequences

nodes = st.lists(st.integers(0, 4), max_size=7)


def matrix(rows: list[list[int]]) -> Matrix:
    longest = max(map(len, rows))
    return np.array([r + [NO_NODE] * (longest - len(r)) for r in rows], np.int32).reshape(
        len(rows), longest
    )


def slow(agreed: list[int], seen: list[int]) -> tuple[int, ...]:
    """Try every alignment: (differences, missing, repeated, unplanned, swapped)."""

    def plus(rest: tuple[int, ...], kind: int) -> tuple[int, ...]:
        return tuple(n + (k in {0, kind}) for k, n in enumerate(rest))

    @cache
    def best(i: int, j: int) -> tuple[int, ...]:
        found = []
        if i == j == 0:
            return (0, 0, 0, 0, 0)
        if i:
            found.append(plus(best(i - 1, j), 1))
        if j:
            found.append(plus(best(i, j - 1), 2 if seen[j - 1] in agreed else 3))
        if i and j and agreed[i - 1] == seen[j - 1]:
            found.append(best(i - 1, j - 1))
        if i > 1 and j > 1 and agreed[i - 2 : i] == seen[j - 2 : j][::-1]:
            found.append(plus(best(i - 2, j - 2), 4))
        return min(found)

    return best(len(agreed), len(seen))[1:]


@given(st.lists(st.tuples(nodes, nodes), min_size=1, max_size=5))
def test_alignment_equals_the_best_of_all(orders: list[tuple[list[int], list[int]]]) -> None:
    found = differences(matrix([a for a, _ in orders]), matrix([s for _, s in orders]))
    columns = (found.missing, found.repeated, found.unplanned, found.swapped)
    got = list(zip(*(column.tolist() for column in columns), strict=True))
    assert got == [slow(a, s) for a, s in orders]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([0, 1, 2, 3], (0, 0, 0, 0)),
        ([0, 2, 3], (1, 0, 0, 0)),
        ([0, 1, 1, 2, 3], (0, 1, 0, 0)),
        ([0, 1, 9, 2, 3], (0, 0, 1, 0)),
        ([0, 2, 1, 3], (0, 0, 0, 1)),
        ([3, 0, 1, 2], (1, 1, 0, 0)),
        ([], (4, 0, 0, 0)),
    ],
)
def test_named_differences(seen: list[int], expected: tuple[int, ...]) -> None:
    found = differences(matrix([[0, 1, 2, 3]]), matrix([seen]))
    got = (found.missing, found.repeated, found.unplanned, found.swapped)
    assert tuple(int(column[0]) for column in got) == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 5)), max_size=20))
def test_events_are_laid_out_in_order_of_time(events: list[tuple[int, int, int]]) -> None:
    order, at, node = np.array(events, np.int64).reshape(-1, 3).T
    got = sequences(order, at, node.astype(np.int32), 4)
    for i in range(4):
        mine = sorted((e for e in events if e[0] == i), key=lambda e: e[1])
        assert [n for n in got[i].tolist() if n != NO_NODE] == [n for _, _, n in mine]


def test_too_long_and_unequal_are_refused() -> None:
    n = NODES_MAX + 1
    none = np.zeros(n, np.int64)
    with pytest.raises(ValueError, match="events"):
        sequences(none, none, none.astype(np.int32), 1)
    with pytest.raises(ValueError, match="sequences"):
        differences(np.zeros((1, n), np.int32), np.zeros((1, 1), np.int32))
    with pytest.raises(ValueError, match="sequences"):
        differences(np.zeros((1, 1), np.int32), np.zeros((2, 1), np.int32))
