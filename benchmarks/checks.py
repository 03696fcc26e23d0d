"""How fast promises are checked: batch, tick and sequence against other tools, on one core.

python -m benchmarks.checks --json prints an object with figures, ratios and missing peers; every
ratio compares medians of interleaved rounds of one run, in processor time, on one core. The peers
come with the extra `bench`.
"""

import argparse
import copy
import csv
import json
import logging
import tracemalloc
import warnings
from collections.abc import Callable
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

import numpy as np

from agreed.checks import first_admissible, judge
from agreed.promises import Facts, Match, Promise, PromiseColumns, Terms, to_promise_columns
from agreed.records import (
    GATE_PASSED,
    TASK_FINISHED,
    TASK_STARTED,
    ClockState,
    Evidence,
    Int64s,
    Record,
    RecordColumns,
    to_columns,
)
from agreed.sequence import differences, sequences
from agreed.tick import OpenPromises
from benchmarks.check_peers import PEERS, Sheet, Sums

NOON_MS: Final = 1_760_000_000_000
HOUR_MS: Final = 3_600_000
WORKERS: Final = 2_000
TICK_RECORDS: Final = 1_000
TICKS: Final = 10
PROMISE_BYTES: Final = 5 * 8 + 3 * 8 + 1 + 8 + 1 + 8 + 4
"""Read and written for each promise: terms, facts, worker; verdict, deviation, score."""

Report = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sizes", default="10000,100000,1000000,10000000", help="of the batch")
    parser.add_argument("--open", default="10000,100000,1000000", help="open promises of the tick")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--log", type=Path, default=Path("../shared/data/receipt.csv"))
    asked = parser.parse_args()
    report: Report = {"figures": {}, "ratios": {}, "missing": []}
    for rows in map(int, asked.sizes.split(",")):
        compare_batch(report, rows, asked.rounds)
    compare_ticks(report, list(map(int, asked.open.split(","))), asked.rounds)
    compare_log(report, asked.log, asked.rounds)
    report["missing"] = sorted(set(report["missing"]))
    print(json.dumps(report, indent=None if asked.json else 2))


def compare_batch(report: Report, rows: int, rounds: int) -> None:
    """Judge the same promises in every tool, and copy as many bytes."""
    sheet = to_sheet(rows)
    runs: dict[str, Callable[[], Any]] = {}
    for name, peer in PEERS.items():
        try:
            runs[name] = peer(sheet)
        except ImportError as error:
            report["missing"].append(f"{name}: {error}")
    expected = runs["blocks"]()
    for name, run in runs.items():
        assert _is_same(run(), expected), f"{name} gives other sums"
    source = np.ones(rows * PROMISE_BYTES // 16, np.int64)
    target = np.empty_like(source)
    runs["copy"] = lambda: np.copyto(target, source)
    seconds = interleaved(runs, rounds)
    size = f"{rows:.0e}".replace("+0", "")
    for name, taken in seconds.items():
        report["figures"][f"batch_{size}_{name}_million_per_s"] = round(rows / taken / 1e6, 2)
    for name, taken in seconds.items():
        if name != "blocks":
            report["ratios"][f"batch_{size}_vs_{name}"] = round(taken / seconds["blocks"], 3)


def compare_ticks(report: Report, sizes: list[int], rounds: int) -> None:
    """Tick over few and many open promises, with records and without; and sweep them all."""
    medians = {}
    for size in sizes:
        name = f"tick_{size:.0e}".replace("+0", "")
        measure_memory(report, name, size)
        opened = open_promises(size)
        busy, idle, changes = time_ticks(opened, size, rounds)
        sheet = to_sheet(size)
        sweep = interleaved({"sweep": partial(judge, sheet.terms, sheet.facts)}, rounds)
        report["figures"] |= {
            f"{name}_busy_ms": round(busy * 1e3, 3),
            f"{name}_busy_changes": changes,
            f"{name}_idle_us": round(idle * 1e6, 1),
            f"{name}_sweep_ms": round(sweep["sweep"] * 1e3, 3),
        }
        report["ratios"][f"{name}_idle_vs_sweep"] = round(sweep["sweep"] / idle, 1)
        report["ratios"][f"{name}_busy_vs_sweep"] = round(sweep["sweep"] / busy, 2)
        medians[size] = busy
    growth = medians[max(sizes)] / medians[min(sizes)]
    report["ratios"][f"tick_growth_{max(sizes) // min(sizes)}x"] = round(growth, 2)


def measure_memory(report: Report, name: str, size: int) -> None:
    """Count all that Python and NumPy hold for open promises: arrays, indexes, names, terms."""
    promised = to_promises(size)
    started = process_time()
    _open(promised)
    opened_s = process_time() - started
    tracemalloc.start()
    opened = _open(promised)
    opened.tick(None, NOON_MS, 20)
    taken = tracemalloc.get_traced_memory()[0]
    opened.tick(_every_gate_passed(), NOON_MS, 20)
    with_records = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    report["figures"] |= {
        f"{name}_bytes_per_promise": round(taken / size, 1),
        f"{name}_bytes_of_records": with_records - taken,
        f"{name}_opened_per_s": round(size / opened_s),
    }


def compare_log(report: Report, path: Path, rounds: int) -> None:
    """Check a public process log: our conformance against pm4py's temporal profile."""
    if not path.exists():
        report["missing"].append(f"log: {path} does not exist")
        return
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    runs: dict[str, Callable[[], Any]] = {"ours": log_check(rows)}
    try:
        runs["pm4py"] = pm4py_check(rows)
    except ImportError as error:
        report["missing"].append(f"pm4py: {error}")
    seconds = interleaved(runs, rounds)
    for name, taken in seconds.items():
        report["figures"][f"log_{name}_events_per_s"] = round(len(rows) / taken)
    if "pm4py" in seconds:
        report["ratios"]["log_vs_pm4py"] = round(seconds["pm4py"] / seconds["ours"], 1)


def interleaved(runs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Run each in turn, round after round: median seconds of processor time of each."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = process_time()
            run()
            taken[name].append(process_time() - start)
    return {name: median(seconds) for name, seconds in taken.items()}


def to_sheet(rows: int) -> Sheet:
    """Give promises of which 28 % are late, as in the public log, 3 % unseen, a third early."""
    rng = np.random.default_rng(rows)
    promised = NOON_MS + rng.integers(0, 30 * 24 * HOUR_MS, rows)
    tolerance = rng.choice([300_000, 900_000, 1_800_000], rows)
    rate = np.where(rng.random(rows) < 0.3, 100, 0)
    late = tolerance + rng.integers(1, 2 * HOUR_MS, rows)
    early = -rng.integers(0, 2 * HOUR_MS, rows) * rng.integers(0, 2, rows)
    actual = promised + np.where(rng.random(rows) < 0.28, late, early)
    terms = Terms(promised, tolerance, tolerance * 4, rate, np.where(rate > 0, 500, 0))
    covered = np.full(rows, NOON_MS + 15 * 24 * HOUR_MS)
    facts = Facts(actual, rng.integers(0, 2_000, rows), rng.random(rows) < 0.97, covered)
    workers = max(1, min(5_000, rows // 100))
    return Sheet(terms, facts, rng.integers(0, workers, rows), workers)


def open_promises(size: int) -> OpenPromises:
    """Open orders of four promises: forty promises fall due in every second from now on."""
    opened = _open(to_promises(size))
    opened.tick(_every_gate_passed(), NOON_MS, 20)
    return opened


def _open(promised: list[PromiseColumns]) -> OpenPromises:
    opened = OpenPromises()
    for some in promised:
        opened.put_columns(some)
    return opened


def to_promises(size: int) -> list[PromiseColumns]:
    """Give the promises, ten thousand at a time."""
    rng = np.random.default_rng(size)
    due_ms = (NOON_MS + rng.integers(0, size * 25, size // 4)).tolist()
    starts = range(0, size // 4, 2_500)
    orders = (range(first, min(first + 2_500, size // 4)) for first in starts)
    return [to_promise_columns([p for i in some for p in _order(i, due_ms[i])]) for some in orders]


def _every_gate_passed() -> RecordColumns:
    """Give records of every worker at every gate before noon, as on any day."""
    passes = [("", GATE_PASSED, f"worker-{i // 8:04d}", f"g{i % 8}") for i in range(8 * WORKERS)]
    return _block(1, NOON_MS - 1_000, passes)


def _order(i: int, due_ms: int) -> list[Promise]:
    by_order, by_worker, by_turn = Match
    worker, order, opens_ms = f"worker-{i % WORKERS:04d}", f"o-{i:09d}", due_ms - HOUR_MS
    rest = (300_000, 1_800_000, 600_000)
    return [
        Promise(order, "start", worker, TASK_STARTED, by_order, opens_ms, due_ms, *rest),
        Promise(order, "arrive", worker, GATE_PASSED, by_worker, opens_ms, due_ms + 600_000, *rest),
        Promise(
            order,
            "patrol",
            worker,
            GATE_PASSED,
            by_turn,
            opens_ms,
            due_ms,
            *rest,
            place=f"g{i // WORKERS % 8}",
        ),
        Promise(order, "finish", worker, TASK_FINISHED, by_order, opens_ms, due_ms, *rest),
    ]


def tick_blocks(size: int) -> list[RecordColumns]:
    """Give a block of records for each tick: half finish steps of orders, half pass gates."""
    rng = np.random.default_rng(size)
    done = rng.permutation(size // 2)[: TICKS * TICK_RECORDS // 2].reshape(TICKS, -1).tolist()
    blocks = []
    for tick in range(TICKS):
        steps = [(f"o-{i // 2:09d}", (TASK_STARTED, TASK_FINISHED)[i % 2]) for i in done[tick]]
        steps += [("", GATE_PASSED)] * (TICK_RECORDS - len(steps))
        who = rng.integers(0, WORKERS, len(steps)).tolist()
        where = rng.integers(0, 8, len(steps)).tolist()
        seen = [
            (*step, f"worker-{w:04d}", f"g{g}")
            for step, w, g in zip(steps, who, where, strict=True)
        ]
        first = 8 * WORKERS + tick * TICK_RECORDS + 1
        blocks.append(_block(first, NOON_MS + tick * 1_000, seen))
    return blocks


def _block(first: int, at_ms: int, seen: list[tuple[str, str, str, str]]) -> RecordColumns:
    """Make records of one second from (reference, node kind, subject, device)."""
    state, evidence = ClockState.SYNCED, Evidence.DEVICE
    return to_columns(
        [
            Record(first + i, 1, at_ms + i % 1_000, 20, state, evidence, device, kind, who, order)
            for i, (order, kind, who, device) in enumerate(seen)
        ]
    )


def time_ticks(opened: OpenPromises, size: int, rounds: int) -> tuple[float, float, int]:
    """Give median seconds of a tick with records, of one with nothing, and median changes."""
    busy, idle, changes = [], [], []
    blocks = tick_blocks(size)
    for _ in range(rounds):
        ticking = copy.deepcopy(opened)
        for tick, block in enumerate(blocks):
            now = NOON_MS + (tick + 1) * 1_000
            start = process_time()
            told = ticking.tick(block, now, 20)
            busy.append(process_time() - start)
            changes.append(len(told))
            start = process_time()
            ticking.tick(None, now, 20)
            idle.append(process_time() - start)
    return median(busy), median(idle), int(median(changes))


def log_check(rows: list[dict[str, str]]) -> Callable[[], Any]:
    """Check every event of the log against the planned end of its case, and every case's order."""
    cases: dict[str, int] = {}
    steps: dict[str, int] = {}
    case = np.array([cases.setdefault(r["case:concept:name"], len(cases)) for r in rows], np.int64)
    step = np.array([steps.setdefault(r["concept:name"], len(steps)) for r in rows], np.int64)
    at_ms = np.array([_ms(r["time:timestamp"]) for r in rows], np.int64)
    planned = np.array([_ms(r["case:enddate_planned"] or r["time:timestamp"]) for r in rows])
    agreed = np.tile(np.arange(len(steps), dtype=np.int32), (len(cases), 1))
    zero, day = np.zeros(len(rows), np.int64), np.full(len(rows), 24 * HOUR_MS)

    def run() -> Any:
        key: Int64s = case * len(steps) + step
        found = first_admissible(key, at_ms, key, zero, planned + 30 * day)
        terms = Terms(planned, day, 30 * day, zero, zero)
        facts = Facts(at_ms[found], zero, found >= 0, planned)
        order = sequences(case, at_ms, step.astype(np.int32), len(cases))
        return judge(terms, facts), differences(agreed, order)

    return run


def pm4py_check(rows: list[dict[str, str]]) -> Callable[[], Any]:
    """Check the same log against its temporal profile."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    pm4py, pandas = import_module("pm4py"), import_module("pandas")
    columns = ("case:concept:name", "concept:name", "time:timestamp")
    frame = pandas.DataFrame({name: [row[name] for row in rows] for name in columns})
    frame["time:timestamp"] = pandas.to_datetime(
        frame["time:timestamp"], utc=True, format="ISO8601"
    )
    profile = pm4py.discover_temporal_profile(frame)
    return lambda: pm4py.conformance_temporal_profile(frame, profile)


def _is_same(sums: Sums, expected: Sums) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(sums, expected, strict=True))


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000)


if __name__ == "__main__":
    main()
