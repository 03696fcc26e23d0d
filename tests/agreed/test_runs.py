import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agreed.records import Int64s
from agreed.runs import KEY_MAX, ROWS_MAX, Runs, UInt64s, distinct, ranges

keys = st.integers(0, 6) | st.sampled_from([KEY_MAX - 1, KEY_MAX])
entries = st.lists(st.tuples(keys, st.integers(0, 9)), max_size=6)
acts = st.lists(
    st.tuples(st.just("add"), entries)
    | st.tuples(st.just("pop"), keys)
    | st.tuples(st.just("find"), st.sets(keys))
    | st.tuples(st.just("drop"), st.integers(0, 9)),
    max_size=12,
)


def unsigned(values: list[int]) -> UInt64s:
    return np.array(values, np.uint64)


@given(acts)
def test_runs_are_a_plain_multimap(history: list[tuple[str, object]]) -> None:
    runs, plain = Runs(), list[tuple[int, int]]()
    for act, what in history:
        if act == "add":
            new: list[tuple[int, int]] = what  # type: ignore[assignment]
            runs.add(unsigned([k for k, _ in new]), np.array([r for _, r in new], np.int64))
            plain += new
        elif act == "pop":
            last: int = what  # type: ignore[assignment]
            popped = runs.pop_through(last).tolist()
            assert sorted(popped) == sorted(r for k, r in plain if k <= last)
            plain = [(k, r) for k, r in plain if k > last]
        elif act == "find":
            sought: set[int] = what  # type: ignore[assignment]
            found = runs.find(unsigned(sorted(sought))).tolist()
            assert sorted(found) == sorted(r for k, r in plain if k in sought)
        else:
            row: int = what  # type: ignore[assignment]
            after = np.arange(10) - (np.arange(10) > row)
            after[row] = -1
            runs.renumber(after)
            plain = [(k, r - (r > row)) for k, r in plain if r != row]
        assert len(runs) == len(plain)
        assert runs.first_key() == min((k for k, _ in plain), default=None)


def test_the_largest_key_and_row_fit() -> None:
    runs = Runs()
    runs.add(unsigned([KEY_MAX, KEY_MAX - 1]), np.array([ROWS_MAX - 1, 0]))
    assert runs.find(unsigned([KEY_MAX])).tolist() == [ROWS_MAX - 1]
    assert runs.pop_through(KEY_MAX - 1).tolist() == [0]


def test_a_popped_run_lets_go_of_its_memory() -> None:
    runs = Runs()
    runs.add(np.arange(1_000, dtype=np.uint64), np.arange(1_000))
    runs.pop_through(399)
    assert runs.nbytes == 8_000
    runs.pop_through(599)
    assert runs.nbytes == 3_200
    runs.pop_through(KEY_MAX + 5)
    assert runs.nbytes == len(runs) == 0


def test_many_small_additions_leave_few_runs() -> None:
    runs = Runs()
    for i in range(2_000):
        runs.add(unsigned([i % 97]), np.array([i]))
    assert len(vars(runs)["_runs"]) <= 8
    assert len(runs.find(unsigned([3, 5]))) == 42


@given(st.lists(st.integers(0, 9)))
def test_distinct_sorts_and_leaves_each_once(values: list[int]) -> None:
    assert distinct(np.array(values, np.int64)).tolist() == sorted(set(values))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3))))
def test_ranges_are_spelled_out(spans: list[tuple[int, int]]) -> None:
    start: Int64s = np.array([a for a, _ in spans], np.int64)
    stop: Int64s = np.array([a + n for a, n in spans], np.int64)
    assert ranges(start, stop).tolist() == [t for a, n in spans for t in range(a, a + n)]
