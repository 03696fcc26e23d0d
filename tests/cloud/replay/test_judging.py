from agreed.promises import Match, Promise
from cloud.replay.cases import CasePromise, Fact
from cloud.replay.judging import Counts, count, to_promise
from cloud.replay.mapping import PromiseRule
from tests.cloud.replay.logs import mapping

CLOSED = mapping().promise[0]  # tolerance 10 minutes


def made(promised_ms: int | None, actual_ms: int | None, rule: PromiseRule = CLOSED) -> CasePromise:
    fact = None if actual_ms is None else Fact(actual_ms, 2, "w1")
    return CasePromise("o1", rule, 1_000, promised_ms, fact, "w9")


def test_a_promise_as_headquarters_keeps_it() -> None:
    assert to_promise(made(50_000, None)) == Promise(
        order="o1",
        node="closed",
        worker="w9",
        node_kind="import: closed",
        match=Match.BY_ORDER,
        opens_at_ms=1_000,
        promised_at_ms=50_000,
        tolerance_ms=600_000,
        hard_ms=4_200_000,
    )


def test_a_case_that_began_after_its_promise_opens_with_it() -> None:
    promise = to_promise(made(500, None))
    assert promise is not None
    assert promise.opens_at_ms == 500


def test_nothing_promised_is_no_promise() -> None:
    assert to_promise(made(None, 5)) is None


def test_each_is_counted_once_and_an_unknown_fact_is_neither_missed_nor_nothing() -> None:
    found = count(
        [
            made(10_000, 10_000),
            made(10_000, 610_000),
            made(10_000, 610_001),
            made(10_000, 10**12),
            made(10_000, None),
            made(None, 10_000),
        ],
        [CLOSED],
        0,
    )
    assert found == {"closed": Counts(kept=2, late=2, open=1, not_promised=1)}
    assert found["closed"].judged == 4


def test_what_depends_on_less_than_the_bound_is_undecidable() -> None:
    found = count([made(10_000, 609_000), made(10_000, 10_000)], [CLOSED], 60_000)
    assert found == {"closed": Counts(kept=1, undecidable=1)}


def test_a_promise_that_nobody_made_counts_nothing() -> None:
    assert count([], [CLOSED], 0) == {"closed": Counts()}
