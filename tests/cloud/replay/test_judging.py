from cloud.replay.cases import CasePromise, Fact
from cloud.replay.judging import Counts, count
from cloud.replay.mapping import PromiseRule
from tests.cloud.replay.logs import mapping

CLOSED = mapping().promise[0]  # tolerance 10 minutes


def made(promised_ms: int | None, actual_ms: int | None, rule: PromiseRule = CLOSED) -> CasePromise:
    fact = None if actual_ms is None else Fact(actual_ms, 2, "w1")
    return CasePromise("o1", rule, 1_000, promised_ms, fact, "w9")


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
