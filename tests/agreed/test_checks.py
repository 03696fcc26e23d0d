from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agreed.checks import (
    count_verdicts,
    judge,
    node_scores_bp,
    order_scores_bp,
    orders_on_time,
    sum_by,
    wilson_lower_bp,
)
from agreed.limits import SPAN_MS_MAX, WALL_MS_MAX
from agreed.promises import NO_CLOCK, Facts, Judgements, Match, Promise, Terms, Verdict, to_terms
from agreed.records import ClockState, Evidence, Int64s, Record
from tests.agreed import slow
from tests.agreed.receipt import LATE_CASES, needs_receipt, promises_and_facts

HOUR = 3_600_000


@st.composite
def cases(draw: st.DrawFn) -> tuple[Promise, Record | None, int]:
    """A promise, what proves it, and how far the box was heard; often right at a limit."""
    small = draw(st.booleans())
    span = st.integers(0, 40) if small else st.integers(0, SPAN_MS_MAX - 1)
    promised = draw(st.integers(0, 200 if small else WALL_MS_MAX))
    tolerance = draw(span)
    hard = min(SPAN_MS_MAX, tolerance + 1 + draw(span))
    near = draw(st.sampled_from([0, tolerance, -tolerance, hard, (tolerance + hard) // 2]))
    at = promised + near + draw(st.integers(-2, 2) | st.integers(-SPAN_MS_MAX, SPAN_MS_MAX))
    promise = Promise(
        "o",
        "n",
        "",
        "k",
        Match.BY_ORDER,
        0,
        promised,
        tolerance,
        hard,
        early_bp_per_hour=draw(st.sampled_from([0, 1, 50, 10_000])),
        early_bp_max=draw(st.integers(0, 10_000)),
    )
    bound = draw(st.sampled_from([0, 0, 1, 2, HOUR, NO_CLOCK - 1, NO_CLOCK, WALL_MS_MAX]))
    state = draw(st.sampled_from(ClockState))
    at = max(0, min(WALL_MS_MAX, at))
    record = Record(1, 1, at, bound, state, Evidence.DEVICE, "", "k", "", "o")
    covered = promised + hard + draw(st.integers(-2, 2))
    return promise, draw(st.sampled_from([record, None])), covered


def to_facts(seen: list[tuple[Promise, Record | None, int]]) -> Facts:
    def bound(r: Record | None) -> int:
        return 0 if r is None else NO_CLOCK if r.clock_state == ClockState.UNSET else r.bound_ms

    return Facts(
        np.array([r.wall_ms if r else -7 for _, r, _ in seen], np.int64),
        np.array([bound(r) for _, r, _ in seen], np.int64),
        np.array([r is not None for _, r, _ in seen], np.bool_),
        np.array([covered for _, _, covered in seen], np.int64),
    )


def rows_of(judged: Judgements) -> list[tuple[int, ...]]:
    columns = (judged.verdict, judged.deviation_ms, judged.score_bp)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(st.lists(cases(), max_size=8))
def test_judge_equals_the_slow_reference(seen: list[tuple[Promise, Record | None, int]]) -> None:
    got = rows_of(judge(to_terms([p for p, _, _ in seen]), to_facts(seen)))
    assert got == [slow.judge(p, r, covered) for p, r, covered in seen]


@given(cases())
def test_scores_equal_the_slow_reference(case: tuple[Promise, Record | None, int]) -> None:
    promise = case[0]
    for d in (0, promise.tolerance_ms, -promise.tolerance_ms - HOUR, promise.hard_ms - 1):
        deviation = np.array([max(d, -SPAN_MS_MAX)])
        got = node_scores_bp(to_terms([promise]), deviation)
        assert got.tolist() == [slow.score_bp(promise, int(deviation[0]))]


def many(rows: int) -> tuple[Terms, Facts]:
    rng = np.random.default_rng(rows)
    promised = rng.integers(0, 10**12, rows)
    tolerance = rng.integers(0, HOUR, rows)
    terms = Terms(
        promised,
        tolerance,
        tolerance + rng.integers(1, HOUR, rows),
        rng.integers(0, 100, rows),
        rng.integers(0, 1_000, rows),
    )
    facts = Facts(
        promised + rng.integers(-2 * HOUR, 3 * HOUR, rows),
        rng.integers(0, 10_000, rows),
        rng.random(rows) < 0.9,
        promised + rng.integers(0, 4 * HOUR, rows),
    )
    return terms, facts


@pytest.mark.parametrize("rows", [0, 1, 16_383, 16_384, 16_385, 40_000])
def test_blocks_do_not_show(rows: int) -> None:
    terms, facts = many(rows)
    out = Judgements(
        np.full(rows, 9, np.uint8), np.full(rows, 9, np.int64), np.full(rows, 9, np.int32)
    )
    assert judge(terms, facts, out) is out
    apart = []
    for start in range(0, rows, 1_000):
        part = slice(start, start + 1_000)
        some_terms = Terms(*(getattr(terms, name)[part] for name in Terms.__slots__))
        some_facts = Facts(*(getattr(facts, name)[part] for name in Facts.__slots__))
        apart += rows_of(judge(some_terms, some_facts))
    assert rows_of(out) == apart


def test_a_column_may_be_one_value_for_all() -> None:
    terms, facts = many(20)
    wide = Terms(
        terms.promised_at_ms,
        np.broadcast_to(np.int64(5), 20),
        np.broadcast_to(np.int64(HOUR), 20),
        np.broadcast_to(np.int64(3), 20),
        np.broadcast_to(np.int64(100), 20),
    )
    copied = Terms(*(np.array(getattr(wide, name)) for name in Terms.__slots__))
    assert rows_of(judge(wide, facts)) == rows_of(judge(copied, facts))


def test_lengths_must_agree() -> None:
    terms, facts = many(3)
    with pytest.raises(ValueError, match="3 promises but 2 facts"):
        judge(terms, many(2)[1])
    with pytest.raises(ValueError, match="3 promises but 2 rows"):
        judge(terms, facts, judge(*many(2)))


def test_a_clock_that_was_never_set_proves_no_punctuality_whatever_it_shows() -> None:
    promise = Promise("o", "n", "", "k", Match.BY_ORDER, 0, 10**12, 0, 1, 0, 10_000, 10_000)
    for at in (0, 10**12 - 1, 10**12, 2 * 10**12):
        record = Record(1, 1, at, 0, ClockState.UNSET, Evidence.DEVICE, "", "k", "", "o")
        judged = judge(to_terms([promise]), to_facts([(promise, record, 0)]))
        assert (judged.verdict[0], judged.score_bp[0]) == (Verdict.UNDECIDABLE, 10_000)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 20_000))))
def test_sums_and_order_scores_equal_plain_sums(rows: list[tuple[int, int, int]]) -> None:
    group = np.array([g for g, _, _ in rows], np.int64)
    judged = Judgements(
        np.array([v for _, v, _ in rows], np.uint8),
        np.array([s - 10_000 for _, _, s in rows], np.int64),
        np.array([s for _, _, s in rows], np.int32),
    )
    totals = sum_by(judged, group, 4)
    is_due, is_on_time = orders_on_time(totals)
    weight = group + 1
    critical = judged.verdict == Verdict.MISSED
    scores = order_scores_bp(judged.score_bp, weight, critical, group, 4)
    for g in range(4):
        mine = [(v, s) for g_, v, s in rows if g_ == g]
        assert totals.counts[g].tolist() == [sum(v == w for v, _ in mine) for w in range(5)]
        assert totals.score_bp[g] == sum(s for _, s in mine)
        assert totals.deviation_ms[g] == sum(s - 10_000 for _, s in mine)
        assert is_due[g] == (bool(mine) and all(v for v, _ in mine))
        assert is_on_time[g] == (bool(mine) and all(v in {1, 4} for v, _ in mine))
        fails = any(v == Verdict.MISSED and s == 0 for v, s in mine)
        mean = round(Fraction(sum(s for _, s in mine), max(len(mine), 1)))
        assert scores[g] == (0 if fails else mean)


def test_every_verdict_is_counted() -> None:
    counts = count_verdicts(np.array([1, 1, 4], np.uint8))
    assert counts == {
        Verdict.OPEN: 0,
        Verdict.KEPT: 2,
        Verdict.LATE: 0,
        Verdict.MISSED: 0,
        Verdict.UNDECIDABLE: 1,
    }


@given(st.integers(0, 10**6), st.integers(0, 10**6))
@example(0, 0)
@example(10**6, 10**6)
def test_wilson_rounds_the_textbook_formula_down(a: int, b: int) -> None:
    good, total = min(a, b), max(a, b)
    z, n = 1.96, max(total, 1)
    low = (good + z * z / 2 - z * sqrt(good * (n - good) / n + z * z / 4)) / (n + z * z)
    exact = max(0.0, 10_000 * low) if total else 0.0
    assert exact - 1.000001 <= wilson_lower_bp(good, total) <= exact + 0.000001


@needs_receipt
@pytest.mark.parametrize(("end", "target", "late", "total"), LATE_CASES)
def test_the_public_log_has_its_known_number_of_late_cases(
    end: str, target: str, late: int, total: int
) -> None:
    pairs = promises_and_facts(end, target)
    judged = judge(to_terms([p for p, _ in pairs]), to_facts([(p, r, r.wall_ms) for p, r in pairs]))
    assert count_verdicts(judged.verdict)[Verdict.LATE] == late
    assert len(pairs) == total


def deviations(values: list[int]) -> Int64s:
    return np.array(values, np.int64)


@given(st.lists(st.integers(-SPAN_MS_MAX, SPAN_MS_MAX), min_size=2, max_size=9), cases())
def test_scores_never_rise_with_lateness(
    values: list[int], case: tuple[Promise, Record | None, int]
) -> None:
    terms = to_terms([case[0]] * len(values))
    scores = node_scores_bp(terms, deviations(sorted(values))).tolist()
    assert scores == sorted(scores, reverse=True)
