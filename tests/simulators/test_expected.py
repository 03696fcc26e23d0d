"""The second implementation of verdicts and pay agrees with the first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agreed.checks import judge
from agreed.money import scaled
from agreed.promises import NO_CLOCK, Facts, Match, Terms, Verdict
from simulators.evidence import PromiseRow, RecordRow
from simulators.expected import (
    Fact,
    facts_of,
    pay_fen,
    possible_verdicts,
    proof_of,
    verdict_of,
)

MINUTE_MS = 60_000


def promise(
    tolerance_ms: int = 15 * MINUTE_MS,
    hard_ms: int = 60 * MINUTE_MS,
    rate_fen: int = 500,
    early: tuple[int, int] = (0, 0),
    match: Match = Match.BY_ORDER,
    kind: str = "task_started",
) -> PromiseRow:
    return PromiseRow(
        "a1",
        "start",
        "w-01",
        kind,
        match,
        50 * MINUTE_MS,
        100 * MINUTE_MS,
        tolerance_ms,
        hard_ms,
        early[0],
        early[1],
        rate_fen,
        0,
        0,
    )


@given(
    tolerance_ms=st.integers(0, 10**7),
    span_ms=st.integers(1, 10**7),
    rate_fen=st.integers(0, 10**6),
    early=st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)),
    at_ms=st.none() | st.integers(0, 3 * 10**7),
    bound_ms=st.none() | st.integers(0, 10**7),
    covered_ms=st.integers(0, 3 * 10**7),
)
def test_both_implementations_judge_and_pay_alike(
    tolerance_ms: int,
    span_ms: int,
    rate_fen: int,
    early: tuple[int, int],
    at_ms: int | None,
    bound_ms: int | None,
    covered_ms: int,
) -> None:
    row = promise(tolerance_ms, tolerance_ms + span_ms, rate_fen, early)
    fact = None if at_ms is None else Fact("task_started", "", "a1", at_ms, bound_ms)
    verdict = verdict_of(row, fact, covered_ms)

    def one(value: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([value], np.int64)

    terms = Terms(
        one(row.promised_at_ms),
        one(row.tolerance_ms),
        one(row.hard_ms),
        one(early[0]),
        one(early[1]),
    )
    bound = NO_CLOCK if bound_ms is None else bound_ms
    facts = Facts(one(at_ms or 0), one(bound), np.array([fact is not None]), one(covered_ms))
    judged = judge(terms, facts)
    assert verdict == judged.verdict[0]
    if verdict is not Verdict.OPEN:
        assert pay_fen(row, fact, verdict) == scaled(rate_fen, int(judged.score_bp[0]))


def test_a_record_by_worker_proves_only_inside_the_window() -> None:
    row = promise(match=Match.BY_WORKER, kind="gate_passed")
    times = [40, 49, 70, 90]
    facts = [Fact("gate_passed", "w-01", "", minute * MINUTE_MS) for minute in times]
    other = [Fact("gate_passed", "w-02", "", 60 * MINUTE_MS)]
    assert proof_of(row, other + facts) == facts[2]
    assert proof_of(row, facts[:2] + other) is None
    assert proof_of(row, [Fact("gate_passed", "w-01", "", 161 * MINUTE_MS)]) is None


def test_a_record_by_order_proves_only_its_order() -> None:
    mine = Fact("task_started", "", "a1", 5)
    assert proof_of(promise(), [Fact("task_started", "", "a2", 1), mine]) == mine
    assert proof_of(promise(), [Fact("task_finished", "", "a1", 1)]) is None


def test_a_record_without_a_clock_is_a_fact_without_a_bound() -> None:
    row = RecordRow("e", 1, 7, 50, 0, 0, 2, "kiosk-1", "task_started", "w-01", "a1", "")
    assert facts_of([row]) == [Fact("task_started", "w-01", "a1", 7, None)]
    assert verdict_of(promise(), facts_of([row])[0], 0) is Verdict.UNDECIDABLE


def test_the_allowance_leaves_two_answers_only_near_a_limit() -> None:
    due_ms = 115 * MINUTE_MS
    covered_ms = 500 * MINUTE_MS

    def possible(at_ms: int) -> set[Verdict]:
        facts = [Fact("task_started", "", "a1", at_ms)]
        return possible_verdicts(promise(), facts, covered_ms, 2 * MINUTE_MS)

    assert possible(due_ms - 3 * MINUTE_MS) == {Verdict.KEPT}
    assert possible(due_ms + 1) == {Verdict.LATE}
    assert possible(due_ms) == {Verdict.KEPT, Verdict.LATE, Verdict.UNDECIDABLE}
    assert possible_verdicts(promise(), [], covered_ms, 0) == {Verdict.MISSED}
    assert possible_verdicts(promise(), [], due_ms, 0) == {Verdict.OPEN}
