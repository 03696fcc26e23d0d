from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.promises import Match
from agreed.proofs import Seen, Wanted, first_admissible, one_each, prove
from agreed.records import Evidence, Int64s

Sighting = tuple[int, int, int]
"""Key, time, evidence."""

Seeker = tuple[int, int, int, int, int]
"""Key, due, window before and after it, weakest evidence."""

moments = st.integers(0, 12)
evidence = st.sampled_from([int(e) for e in Evidence])
sightings = st.lists(st.tuples(st.integers(0, 2), moments, evidence), max_size=8)
seekers = st.lists(
    st.tuples(st.integers(0, 2), moments, st.integers(0, 6), st.integers(0, 6), evidence),
    max_size=7,
)


def columns(rows: Sequence[tuple[int, ...]], width: int) -> list[Int64s]:
    return list(np.array(rows, np.int64).reshape(-1, width).T.copy())


def to_seen(rows: Sequence[Sighting]) -> Seen:
    key, at, classes = columns(rows, 3)
    return Seen(key, at, classes.astype(np.uint8))


def to_wanted(rows: Sequence[Seeker], match: Match = Match.BY_TURN) -> Wanted:
    key, due, before, after, weakest = columns(rows, 5)
    matches = np.full(len(rows), match, np.uint8)
    return Wanted(matches, key, due - before, due, after, weakest.astype(np.uint8))


def fits(sighting: Sighting, seeker: Seeker) -> bool:
    (k, t, worth), (key, due, before, after, weakest) = sighting, seeker
    return k == key and due - before <= t <= due + after and worth <= weakest


def slow_first(seen: list[Sighting], seeker: Seeker) -> int:
    found = [(s[1], i) for i, s in enumerate(seen) if fits(s, seeker)]
    return min(found)[1] if found else -1


def slow_turns(seen: list[Sighting], seekers: list[Seeker]) -> list[int]:
    """Every record in order of time takes the earliest due promise that has none."""
    found = [-1] * len(seekers)
    for _, i in sorted((s[1], i) for i, s in enumerate(seen)):
        free = [
            (seeker[1], p)
            for p, seeker in enumerate(seekers)
            if found[p] < 0 and fits(seen[i], seeker)
        ]
        if free:
            found[min(free)[1]] = i
    return found


@given(sightings, seekers, st.sampled_from([1, 10**13]), st.sampled_from([0, 2**31 - 5]))
def test_first_and_turns_equal_the_slow_reference(
    seen: list[Sighting], seekers: list[Seeker], scale: int, first_key: int
) -> None:
    """Also with times and keys too long for one number, where ranks stand in for times."""
    seen = [(k + first_key, t * scale, e) for k, t, e in seen]
    seekers = [(s[0] + first_key, *(scale * v for v in s[1:4]), s[4]) for s in seekers]  # type: ignore[misc]
    key, at, _ = columns(seen, 3)
    wanted, due, before, after, _ = columns(seekers, 5)
    first = first_admissible(key, at, wanted, due - before, due + after)
    anything = [(k, t, 1) for k, t, _ in seen]
    assert first.tolist() == [slow_first(anything, s) for s in seekers]
    assert one_each(to_wanted(seekers), to_seen(seen)).tolist() == slow_turns(seen, seekers)


@given(sightings, seekers, st.data())
def test_each_match_by_its_own_rule(
    seen: list[Sighting], seekers: list[Seeker], data: st.DataObject
) -> None:
    matches = [data.draw(st.sampled_from(Match)) for _ in seekers]
    # No key stands for two matches.
    seen = [(s[0] * 4 + m, *s[1:]) for s in seen for m in Match]
    mine = [(s[0] * 4 + m, *s[1:]) for s, m in zip(seekers, matches, strict=True)]
    wanted = replace(to_wanted(mine), match=np.array(matches, np.uint8))
    turns = iter(
        slow_turns(seen, [s for s, m in zip(mine, matches, strict=True) if m == Match.BY_TURN])
    )
    expected = [
        next(turns)
        if m == Match.BY_TURN
        else slow_first(seen, (s[0], 0, 0, 99, s[4]) if m == Match.BY_ORDER else s)
        for s, m in zip(mine, matches, strict=True)
    ]
    assert prove(wanted, to_seen(seen)).tolist() == expected


@given(sightings, seekers, st.randoms())
def test_turns_do_not_depend_on_the_order_of_distinct_rows(
    seen: list[Sighting], seekers: list[Seeker], dice: object
) -> None:
    seen = list({s[1]: s for s in seen}.values())
    seekers = list({s[1]: s for s in seekers}.values())
    before = dict(zip(seekers, slow_turns(seen, seekers), strict=True))
    by_time = {s: seen[i] if i >= 0 else None for s, i in before.items()}
    dice.shuffle(seen)  # type: ignore[attr-defined]
    dice.shuffle(seekers)  # type: ignore[attr-defined]
    got = one_each(to_wanted(seekers), to_seen(seen)).tolist()
    assert {s: seen[i] if i >= 0 else None for s, i in zip(seekers, got, strict=True)} == by_time


def test_a_patrol_walked_twice_proves_two_rounds_and_no_third() -> None:
    rounds = to_wanted([(0, due, 4, 4, Evidence.DEVICE) for due in (8, 12, 16)])
    walked = to_seen([(0, at, Evidence.DEVICE) for at in (7, 9)])
    assert one_each(rounds, walked).tolist() == [0, 1, -1]


def test_a_claim_proves_only_what_asks_for_no_better_and_a_better_record_comes_later() -> None:
    seen = to_seen([(0, 7, Evidence.MANUAL), (0, 8, Evidence.KIOSK), (0, 9, Evidence.DEVICE)])
    for match in (Match.BY_ORDER, Match.BY_WORKER):
        wanted = to_wanted([(0, 8, 4, 4, e) for e in Evidence], match)
        assert prove(wanted, seen).tolist() == [2, 1, 0]
    # In turns the promise due first may ask for the best: the claim is left for the next one.
    turns = to_wanted([(0, 8, 4, 4, Evidence.DEVICE), (0, 9, 4, 4, Evidence.MANUAL)])
    assert prove(turns, seen).tolist() == [2, 0]


@pytest.mark.parametrize("m", [0, 1])
def test_nothing_is_proven_by_nothing(m: int) -> None:
    none, some = np.zeros(0, np.int64), np.zeros(m, np.int64)
    one = [(0, 0, 0, 0, 1)] * m
    assert one_each(to_wanted(one), to_seen([])).tolist() == [-1] * m
    assert one_each(to_wanted([]), to_seen([(0, 0, 1)] * m)).tolist() == []
    assert prove(to_wanted([]), to_seen([])).tolist() == []
    assert first_admissible(none, none, some, some, some).tolist() == [-1] * m
