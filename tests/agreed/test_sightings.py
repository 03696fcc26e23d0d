import numpy as np

from agreed.promises import NO_CLOCK, Match
from agreed.records import ClockState, Evidence, Record, RecordColumns, to_columns
from agreed.runs import UInt64s
from agreed.sightings import Sightings, hash_texts, keys_of


def block(first: int, *subjects: str) -> RecordColumns:
    return to_columns(
        [
            Record(
                first + i, 1, 10 * (first + i), 7, ClockState.SYNCED, Evidence.DEVICE, "g", "k", s
            )
            for i, s in enumerate(subjects)
        ]
    )


def key(match: Match, *texts: str) -> UInt64s:
    return keys_of(match, *(hash_texts([text]) for text in texts))


def test_a_record_is_sighted_under_each_key_it_could_prove() -> None:
    state = [ClockState.SYNCED, ClockState.UNSET]
    whole = [
        Record(i + 1, 1, 50, 7, s, Evidence.KIOSK, "g", "k", "w", "o") for i, s in enumerate(state)
    ]
    seen = Sightings()
    assert len(seen.add(to_columns(whole))) == len(seen) == 6
    for match, texts in (
        (Match.BY_ORDER, ("o", "k")),
        (Match.BY_WORKER, ("w", "k")),
        (Match.BY_TURN, ("w", "k", "g")),
    ):
        wanted = key(match, *texts)
        rows = seen.find(wanted)
        rows = np.sort(rows[seen.key[rows] == wanted[0]])
        assert seen.sequence[rows].tolist() == [1, 2]
        assert seen.at_ms[rows].tolist() == [50, 50]
        assert seen.bound_ms[rows].tolist() == [7, NO_CLOCK]


def test_a_record_without_texts_proves_nothing() -> None:
    bare = Record(1, 1, 1, 1, ClockState.SYNCED, Evidence.DEVICE, "", "box_alive")
    assert len(Sightings().add(to_columns([bare]))) == 0


def test_keys_differ_by_match_part_and_place_of_the_part() -> None:
    keys = [
        key(Match.BY_ORDER, "a", "b"),
        key(Match.BY_ORDER, "b", "a"),
        key(Match.BY_WORKER, "a", "b"),
        key(Match.BY_TURN, "a", "b", ""),
        key(Match.BY_TURN, "a", "b", "c"),
    ]
    assert len({int(k[0]) for k in keys}) == len(keys)
    several = keys_of(np.array([1, 2], np.uint8), hash_texts(["a", "a"]), hash_texts(["b", "b"]))
    assert several.tolist() == [int(keys[0][0]), int(keys[2][0])]


def test_a_record_that_comes_again_is_no_new_sighting() -> None:
    seen = Sightings()
    assert len(seen.add(block(5, "a", "b"))) == 4
    assert len(seen.add(block(5, "a", "b", "c"))) == 2
    assert len(seen.add(block(3, "x", "y"))) == 4


def test_the_oldest_are_forgotten_unless_they_prove_something() -> None:
    seen = Sightings(8)
    seen.add(block(1, *"abcde"))
    assert not seen.is_full()
    seen.add(block(6, "f"))
    assert seen.is_full()
    after = seen.forget(np.array([1]))
    assert after.tolist() == [-1, 0, -1, -1, 1, 2, 3, 4, 5, 6, 7, 8]
    assert seen.sequence[: len(seen)].tolist() == [1, 3, 3, 4, 4, 5, 5, 6, 6]
    assert seen.find(key(Match.BY_WORKER, "a", "k")).tolist() == []
    assert seen.find(key(Match.BY_WORKER, "f", "k")).tolist() == [7]
    assert not seen.is_full()


def test_what_is_used_up_is_not_sought_any_more() -> None:
    seen = Sightings()
    rows = seen.add(block(1, "a"))
    seen.use_up(rows[:1])
    assert (seen.key[:2] == 0).tolist() == [True, False]
    assert seen.nbytes > 0
