"""A public process log, beside the checkout: building permits that were promised by a day."""

import csv
from datetime import datetime
from pathlib import Path

import pytest

from agreed.limits import SPAN_MS_MAX
from agreed.promises import Match, Promise
from agreed.records import ClockState, Evidence, Record

RECEIPT = Path(__file__).parents[3] / "shared/data/receipt.csv"
needs_receipt = pytest.mark.skipif(
    not RECEIPT.exists(), reason="../shared/data/receipt.csv is not beside the checkout"
)
LATE_CASES = [
    ("case:enddate", "case:enddate_planned", 389, 1_329),
    ("case:enddate", "case:deadline", 377, 1_329),
    ("time:timestamp", "case:enddate_planned", 91, 1_434),
    ("time:timestamp", "case:deadline", 92, 1_434),
]


def promises_and_facts(end: str, target: str) -> list[tuple[Promise, Record]]:
    """Give a promise for each case that has both moments, and its latest fact."""
    moments: dict[str, tuple[int, int]] = {}
    with RECEIPT.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row[end] and row[target]:
                case, at, due = row["case:concept:name"], _ms(row[end]), _ms(row[target])
                moments[case] = (due, max(at, moments.get(case, (0, 0))[1]))
    hard = SPAN_MS_MAX
    return [
        (
            Promise(case, "end", "", "ended", Match.BY_ORDER, 0, due, 0, hard),
            Record(i, i, at, 0, ClockState.SYNCED, Evidence.DEVICE, "", "ended", "", case),
        )
        for i, (case, (due, at)) in enumerate(moments.items(), 1)
    ]


def _ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000 + moment.microsecond // 1_000
