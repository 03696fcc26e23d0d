"""The same fulfilment check in other tools, for comparison; each gives sums per worker.

They compute what `judge` and `sum_by` compute, by the same whole-number formulas, and write the
same three columns; only the tool differs.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read once, at its import

import numpy as np

from agreed.checks import judge, sum_by
from agreed.limits import SPAN_MS_MAX
from agreed.promises import NO_CLOCK, Facts, Judgements, Terms, Verdict
from agreed.records import Int64s

_HOUR: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """Promises and what happened, and who did it: int64[n] in [0, workers)."""

    terms: Terms
    facts: Facts
    worker: Int64s
    workers: int

    def columns(self) -> dict[str, Any]:
        """Give every column by its name."""
        named = [(part, name) for part in (self.terms, self.facts) for name in part.__slots__]
        return {name: getattr(part, name) for part, name in named} | {"worker": self.worker}


Sums = tuple[Int64s, Int64s, Int64s]
"""int64[workers] of scores in bp and of deviations in ms, int64[workers, 5] of verdicts."""

Peer = Callable[[Sheet], Callable[[], Sums]]
"""Takes the sheet into its own form, untimed; what it returns is timed."""


def in_blocks(sheet: Sheet) -> Callable[[], Sums]:
    """Ours, as headquarters calls it again and again: buffers are reused."""
    rows = len(sheet.terms)
    out = Judgements(np.empty(rows, np.uint8), np.empty(rows, np.int64), np.empty(rows, np.int32))

    def run() -> Sums:
        totals = sum_by(judge(sheet.terms, sheet.facts, out), sheet.worker, sheet.workers)
        return totals.score_bp, totals.deviation_ms, totals.counts

    return run


def straightforward(sheet: Sheet) -> Callable[[], Sums]:
    """NumPy as one writes it first: whole columns, np.where."""
    t, f = sheet.terms, sheet.facts

    def run() -> Sums:
        d = np.clip(f.actual_at_ms - t.promised_at_ms, -SPAN_MS_MAX, SPAN_MS_MAX)
        d = np.where(f.is_seen, d, 0)
        is_set = f.bound_ms < NO_CLOCK
        is_late = f.is_seen & is_set & (d - f.bound_ms > t.tolerance_ms)
        is_kept = f.is_seen & is_set & (d + f.bound_ms <= t.tolerance_ms)
        is_past = f.covered_until_ms >= t.promised_at_ms + t.hard_ms
        verdict = np.where(f.is_seen, Verdict.UNDECIDABLE, np.where(is_past, Verdict.MISSED, 0))
        verdict = np.where(is_late, Verdict.LATE, np.where(is_kept, Verdict.KEPT, verdict))
        early = np.maximum(-d - t.tolerance_ms, 0) * t.early_bp_per_hour // _HOUR
        span = t.hard_ms - t.tolerance_ms
        whole, rest = np.divmod(np.clip(t.hard_ms - d, 0, span) * 10_000, span)
        whole += (rest * 2 > span) | ((rest * 2 == span) & (whole % 2 == 1))
        score = np.where(is_kept, 10_000 + np.minimum(early, t.early_bp_max), whole)
        score = np.where(verdict == Verdict.UNDECIDABLE, 10_000, score)
        score = np.where(f.is_seen, score, 0).astype(np.int32)
        sums, deviations = np.zeros((2, sheet.workers), np.int64)
        np.add.at(sums, sheet.worker, score)
        np.add.at(deviations, sheet.worker, d)
        counts = np.bincount(sheet.worker * 5 + verdict, minlength=sheet.workers * 5)
        return sums, deviations, counts.reshape(-1, 5)

    return run


def polars(sheet: Sheet) -> Callable[[], Sums]:
    """Polars, lazily, on one thread."""
    pl = import_module("polars")
    frame = pl.DataFrame(sheet.columns())
    c = pl.col
    seen, tolerance, bound = c("is_seen"), c("tolerance_ms"), c("bound_ms")
    d = (c("actual_at_ms") - c("promised_at_ms")).clip(-SPAN_MS_MAX, SPAN_MS_MAX)
    d = pl.when(seen).then(d).otherwise(0)
    is_set = bound < NO_CLOCK
    is_past = c("covered_until_ms") >= c("promised_at_ms") + c("hard_ms")
    verdict = (
        pl.when(~seen)
        .then(pl.when(is_past).then(3).otherwise(0))
        .when(is_set & (c("d") - bound > tolerance))
        .then(2)
        .when(is_set & (c("d") + bound <= tolerance))
        .then(1)
        .otherwise(4)
    )
    span = c("hard_ms") - tolerance
    twice = (c("hard_ms") - c("d")).clip(0, None) * 20_000 + span
    late = twice // (span * 2)
    late -= ((late * span * 2 == twice) & (late % 2 == 1)).cast(pl.Int64)
    early = (-c("d") - tolerance).clip(0, None) * c("early_bp_per_hour") // _HOUR
    score = (
        pl.when(c("v") == 2)
        .then(late)
        .when(c("v") == 1)
        .then(10_000 + pl.min_horizontal(early, "early_bp_max"))
        .when(c("v") == 4)
        .then(10_000)
        .otherwise(0)
        .cast(pl.Int32)
    )
    counts = [(c("v") == v).sum().cast(pl.Int64).alias(f"n{v}") for v in range(5)]

    def run() -> Sums:
        judged = (
            frame.lazy().with_columns(d.alias("d")).with_columns(verdict.cast(pl.UInt8).alias("v"))
        )
        rows = judged.with_columns(score.alias("s")).collect()
        sums = rows.group_by("worker").agg(c("s").cast(pl.Int64).sum(), c("d").sum(), *counts)
        return _by_worker(sheet, *(column.to_numpy() for column in sums.get_columns()))

    return run


def duckdb(sheet: Sheet) -> Callable[[], Sums]:
    """DuckDB on one thread, on a table of its own."""
    db = import_module("duckdb").connect(config={"threads": 1})
    db.register("numbers", import_module("pandas").DataFrame(sheet.columns()))
    db.execute("create table sheet as select * from numbers")
    span = SPAN_MS_MAX
    judged = f"""
        with a as (select *, case when is_seen then greatest(-{span}, least({span},
                     actual_at_ms - promised_at_ms)) else 0 end as d from sheet),
             b as (select *, case when not is_seen then
                       case when covered_until_ms >= promised_at_ms + hard_ms then 3 else 0 end
                     when bound_ms < {NO_CLOCK} and d - bound_ms > tolerance_ms then 2
                     when bound_ms < {NO_CLOCK} and d + bound_ms <= tolerance_ms then 1
                     else 4 end as v,
                   hard_ms - tolerance_ms as span,
                   greatest(hard_ms - d, 0) * 20000 + hard_ms - tolerance_ms as twice from a),
             c as (select worker, d, v, case v
                     when 2 then twice // (span * 2)
                       - (twice % (span * 2) = 0 and twice // (span * 2) % 2 = 1)::bigint
                     when 1 then 10000 + least(early_bp_max,
                       greatest(-d - tolerance_ms, 0) * early_bp_per_hour // {_HOUR})
                     when 4 then 10000 else 0 end as s from b)
        select worker, v::utinyint as v, d, s::integer as s from c"""  # noqa: S608 - our constants
    counts = ", ".join(f"count(*) filter (v = {v})" for v in range(5))

    def run() -> Sums:
        db.execute(f"create or replace temp table judged as {judged}")
        sums = (
            f"select worker, sum(s)::bigint, sum(d)::bigint, {counts} from judged group by worker"  # noqa: S608
        )
        found = db.execute(sums)
        return _by_worker(sheet, *found.fetchnumpy().values())

    return run


def numba(sheet: Sheet) -> Callable[[], Sums]:
    """One compiled loop, the floor."""
    loop = import_module("numba").njit(_loop)
    t, f = sheet.terms, sheet.facts
    rows = len(t)
    columns = (
        *(np.ascontiguousarray(getattr(t, name)) for name in t.__slots__),
        *(np.ascontiguousarray(getattr(f, name)) for name in f.__slots__),
        sheet.worker,
        np.empty(rows, np.uint8),
        np.empty(rows, np.int64),
        np.empty(rows, np.int32),
    )

    def run() -> Sums:
        sums, deviations = np.zeros((2, sheet.workers), np.int64)
        counts = np.zeros((sheet.workers, 5), np.int64)
        loop(*columns, sums, deviations, counts)
        return sums, deviations, counts

    run()  # compiled before it is timed
    return run


def _loop(  # noqa: C901, PLR0912, PLR0913, PLR0917 - one loop, as a compiler likes it
    promised: Any, tolerance: Any, hard: Any, rate: Any, most: Any, actual: Any, bound: Any,
    seen: Any, covered: Any, worker: Any, verdicts: Any, spans: Any, scores: Any,
    sums: Any, deviations: Any, counts: Any,
) -> None:  # fmt: skip
    for i in range(len(promised)):
        d = score = 0
        if not seen[i]:
            verdict = 3 if covered[i] >= promised[i] + hard[i] else 0
        else:
            d = min(max(actual[i] - promised[i], -SPAN_MS_MAX), SPAN_MS_MAX)
            verdict, score = 4, 10_000
            if bound[i] < NO_CLOCK:
                if d - bound[i] > tolerance[i]:
                    verdict, score = 2, 0
                    if d < hard[i]:
                        twice = (hard[i] - d) * 20_000 + hard[i] - tolerance[i]
                        divisor = (hard[i] - tolerance[i]) * 2
                        score = twice // divisor
                        if score * divisor == twice and score & 1:
                            score -= 1
                elif d + bound[i] <= tolerance[i]:
                    verdict = 1
                    if rate[i] > 0 and -d > tolerance[i]:
                        score += min((-d - tolerance[i]) * rate[i] // _HOUR, most[i])
        verdicts[i], spans[i], scores[i] = verdict, d, score
        sums[worker[i]] += score
        deviations[worker[i]] += d
        counts[worker[i], verdict] += 1


def _by_worker(sheet: Sheet, worker: Any, score: Any, deviation: Any, *counts: Any) -> Sums:
    sums, deviations = np.zeros((2, sheet.workers), np.int64)
    table = np.zeros((sheet.workers, 5), np.int64)
    sums[worker], deviations[worker] = score, deviation
    table[worker] = np.stack(counts, axis=1)
    return sums, deviations, table


PEERS: Final[dict[str, Peer]] = {
    "blocks": in_blocks,
    "straightforward_numpy": straightforward,
    "polars": polars,
    "duckdb": duckdb,
    "numba": numba,
}
