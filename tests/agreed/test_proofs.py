from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed import proofs
from agreed.checks import first_admissible
from agreed.promises import Match
from agreed.proofs import Wanted, one_each, prove
from agreed.records import Int64s

moments = st.integers(0, 12)
sightings = st.lists(st.tuples(st.integers(0, 2), moments), max_size=8)
seekers = st.lists(
    st.tuples(st.integers(0, 2), moments, st.integers(0, 6), st.integers(0, 6)), max_size=7
)


def columns(rows: Sequence[tuple[int, ...]], width: int) -> list[Int64s]:
    return list(np.array(rows, np.int64).reshape(-1, width).T.copy())


def slow_first(seen: list[tuple[int, int]], seeker: tuple[int, int, int, int]) -> int:
    key, due, before, after = seeker
    fits = [
        (t, i) for i, (k, t) in enumerate(seen) if k == key and due - before <= t <= due + after
    ]
    return min(fits)[1] if fits else -1


def slow_turns(seen: list[tuple[int, int]], seekers: list[tuple[int, int, int, int]]) -> list[int]:
    """Every record in order of time takes the earliest due promise that has none."""
    found = [-1] * len(seekers)
    for t, i in sorted((t, i) for i, (_, t) in enumerate(seen)):
        fits = [
            (due, p)
            for p, (key, due, before, after) in enumerate(seekers)
            if found[p] < 0 and key == seen[i][0] and due - before <= t <= due + after
        ]
        if fits:
            found[min(fits)[1]] = i
    return found


@given(sightings, seekers, st.sampled_from([1, 10**13]), st.sampled_from([0, 2**31 - 5]))
def test_first_and_turns_equal_the_slow_reference(
    seen: list[tuple[int, int]],
    seekers: list[tuple[int, int, int, int]],
    scale: int,
    first_key: int,
) -> None:
    """Also with times and keys too long for one number, where ranks stand in for times."""
    keys, at = columns(seen, 2)
    wanted, due, before, after = columns(seekers, 4)
    keys, wanted = keys + first_key, wanted + first_key
    at, due, before, after = at * scale, due * scale, before * scale, after * scale
    first = first_admissible(keys, at, wanted, due - before, due + after)
    assert first.tolist() == [slow_first(seen, s) for s in seekers]
    turns = one_each(keys, at, wanted, due, due - before, due + after)
    assert turns.tolist() == slow_turns(seen, seekers)


@given(sightings, seekers, st.data())
def test_each_match_by_its_own_rule(
    seen: list[tuple[int, int]], seekers: list[tuple[int, int, int, int]], data: st.DataObject
) -> None:
    matches = [data.draw(st.sampled_from(Match)) for _ in seekers]
    # No key stands for two matches.
    seen = [(key * 4 + m, t) for key, t in seen for m in Match]
    mine = [(s[0] * 4 + m, *s[1:]) for s, m in zip(seekers, matches, strict=True)]
    keys, at = columns(seen, 2)
    wanted, due, before, after = columns(mine, 4)
    got = prove(Wanted(np.array(matches, np.uint8), wanted, due - before, due, after), keys, at)
    turns = iter(
        slow_turns(seen, [s for s, m in zip(mine, matches, strict=True) if m == Match.BY_TURN])
    )
    expected = [
        next(turns)
        if m == Match.BY_TURN
        else slow_first(seen, (s[0], 0, 0, 99) if m == Match.BY_ORDER else s)
        for s, m in zip(mine, matches, strict=True)
    ]
    assert got.tolist() == expected


@given(sightings, seekers, st.randoms())
def test_turns_do_not_depend_on_the_order_of_distinct_rows(
    seen: list[tuple[int, int]], seekers: list[tuple[int, int, int, int]], dice: object
) -> None:
    seen = list({t: (k, t) for k, t in seen}.values())
    seekers = list({s[1]: s for s in seekers}.values())
    before = dict(zip(seekers, slow_turns(seen, seekers), strict=True))
    by_time = {s: seen[i] if i >= 0 else None for s, i in before.items()}
    dice.shuffle(seen)  # type: ignore[attr-defined]
    dice.shuffle(seekers)  # type: ignore[attr-defined]
    keys, at = columns(seen, 2)
    wanted, due, early, late = columns(seekers, 4)
    got = one_each(keys, at, wanted, due, due - early, due + late).tolist()
    assert {s: seen[i] if i >= 0 else None for s, i in zip(seekers, got, strict=True)} == by_time


def test_a_patrol_walked_twice_proves_two_rounds_and_no_third() -> None:
    due = np.array([8, 12, 16], np.int64)
    seen = np.array([7, 9], np.int64)
    key = np.zeros(3, np.int64)
    assert one_each(key[:2], seen, key, due, due - 4, due + 4).tolist() == [0, 1, -1]


@pytest.mark.parametrize("m", [0, 1])
def test_nothing_is_proven_by_nothing(m: int) -> None:
    none, some = np.zeros(0, np.int64), np.zeros(m, np.int64)
    assert one_each(none, none, some, some, some, some).tolist() == [-1] * m
    assert one_each(some, some, none, none, none, none).tolist() == []
    assert proofs.first_admissible(none, none, some, some, some).tolist() == [-1] * m
