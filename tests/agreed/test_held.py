import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.held import Held, Stage
from agreed.promises import Match, Promise, Verdict, to_promise_columns
from agreed.records import Int64s
from agreed.runs import ROWS_MAX

names = st.tuples(
    st.sampled_from(["o1", "o2", "订单三", "x" * 64]), st.sampled_from(["a", "b", "c"])
)


def promise(name: tuple[str, str], tolerance: int = 1) -> Promise:
    return Promise(*name, "w", "k", Match.BY_ORDER, 0, 5, tolerance, 99, 7, 3, 4)


def add(held: Held, promises: list[Promise]) -> Int64s:
    held.reserve(len(promises))
    return held.add(to_promise_columns(promises))


@given(
    st.lists(
        st.tuples(
            st.lists(names, min_size=1, max_size=6, unique=True),
            st.integers(1, 3),
            st.sets(st.integers(0, 30)),
        ),
        max_size=6,
    )
)
def test_rows_keep_their_names_and_terms_whatever_is_dropped(
    acts: list[tuple[list[tuple[str, str]], int, set[int]]],
) -> None:
    held = Held()
    plain: list[tuple[tuple[str, str], int]] = []
    for added, tolerance, dropped in acts:
        rows = add(held, [promise(name, tolerance) for name in added])
        assert rows.tolist() == list(range(len(plain), len(plain) + len(added)))
        plain += [(name, tolerance) for name in added]
        is_dead = np.isin(np.arange(len(plain)), list(dropped))
        after = held.drop(is_dead)
        plain = [row for row, dead in zip(plain, is_dead.tolist(), strict=True) if not dead]
        everyone = np.arange(len(plain))
        assert after[~is_dead].tolist() == everyone.tolist()
        assert (after[is_dead] == -1).all()
        assert [held.name(row) for row in everyone.tolist()] == [name for name, _ in plain]
        assert held.terms(everyone).tolerance_ms.tolist() == [t for _, t in plain]
        for order in ("o1", "订单三", "unknown"):
            wanted = [row for row, (name, _) in enumerate(plain) if name[0] == order]
            assert np.sort(held.find([order, "nobody"])).tolist() == wanted
        sought = [promise(("o2", "a")), promise(("o1", "b"))]
        wanted = [row for row, (name, _) in enumerate(plain) if name in {("o2", "a"), ("o1", "b")}]
        assert np.sort(held.find_any(to_promise_columns(sought))).tolist() == wanted
    assert len(held) == len(plain)


def test_a_new_row_waits_and_carries_its_terms() -> None:
    held = Held()
    rows = add(held, [promise(("o", "n"))])
    assert held.stage[rows].tolist() == [Stage.WAITING]
    assert held.verdict[rows].tolist() == [Verdict.OPEN]
    assert held.proof[rows].tolist() == [-1]
    moments = (held.risk_ms, held.end_ms, held.limit_ms)
    assert [int(moment(rows)[0]) for moment in moments] == [0, 6, 104]  # it opens at 0
    assert held.match(rows).tolist() == [Match.BY_ORDER]
    terms = held.terms(rows)
    assert (terms.early_bp_per_hour[0], terms.early_bp_max[0]) == (3, 4)
    assert held.nbytes > 0


def test_what_is_gone_is_not_found() -> None:
    held = Held()
    rows = add(held, [promise(("o", "a")), promise(("o", "b"))])
    held.stage[rows[0]] = Stage.GONE
    assert held.find(["o"]).tolist() == [1]
    assert held.find_any(to_promise_columns([promise(("o", "a"))])).tolist() == []


def test_rows_of_an_order_put_at_different_times_are_all_found() -> None:
    held = Held()
    held.reserve(9)
    for node in "abc":
        held.add(to_promise_columns([promise(("o", node)), promise(("other", node))]))
    held.reserve(3)
    assert np.sort(held.find(["o"])).tolist() == [0, 2, 4]
    assert np.sort(held.find(["other", "o"])).tolist() == [0, 1, 2, 3, 4, 5]


def test_promises_alike_share_one_template() -> None:
    held = Held()
    add(held, [promise((f"o{i}", "n")) for i in range(50)])
    size = held.nbytes
    add(held, [promise(("o9", "n"))])
    assert len(vars(held)["_templates"]) == 1
    assert held.nbytes == size + 8  # but for the order's entry there was room


def test_more_than_can_be_told_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="promises at once"):
        Held().reserve(ROWS_MAX + 1)
