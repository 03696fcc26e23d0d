"""How fast verdicts become money: settled and posted, settled again after a change, tried.

python -m benchmarks.settlement --json prints one object with three parts. Posting and settling
again are measured on SQLite in a file and on a PostgreSQL server that is started for it, both with
what they do by default to keep a commit; what-if against DuckDB in processor time on one core.
A million lines on both stores take some minutes: --sizes 10000,100000,1000000.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Final

from benchmarks import posting, rerun, what_if
from benchmarks.postgresql import PostgresMissingError, running
from cloud.database.engine import sqlite_url

PARTS: Final = ("posting", "rerun", "what_if")
STORES: Final = ("sqlite", "postgresql")

Report = dict[str, Any]
Fresh = Callable[[], str]
"""Gives the URL of an empty store."""


def main() -> None:
    """Measure and print."""
    asked = _parser().parse_args()
    with ExitStack() as stack:
        stores, missing = _stores(stack, asked.stores, asked.folder)
        report: Report = {}
        if "posting" in asked.parts:
            report["posting"] = {name: _posting(stores[name], asked.sizes) for name in stores}
        if "rerun" in asked.parts:
            report["rerun"] = {
                name: rerun.measure(stores[name](), asked.orders, asked.changed_bp)
                for name in stores
            }
        if "what_if" in asked.parts:
            tried = [what_if.measure(size, asked.rounds) for size in asked.what_if]
            report["what_if"] = tried
            missing += tried[0]["missing"]
        report["missing"] = missing
    print(json.dumps(report, indent=None if asked.json else 1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    numbers: dict[str, Any] = {"type": _numbers}
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--parts", type=_among(PARTS), default=list(PARTS))
    parser.add_argument("--stores", type=_among(STORES), default=list(STORES))
    parser.add_argument("--sizes", default="10000,100000", help="lines to post", **numbers)
    parser.add_argument("--orders", type=int, default=10_000, help="of the month settled again")
    parser.add_argument("--changed-bp", type=int, default=100, help="of them change, basis points")
    parser.add_argument("--what-if", default="20000,200000,2000000", help="nodes", **numbers)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the SQLite files lie")
    return parser


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _among(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        names = text.split(",")
        if not set(names) <= set(known):
            raise argparse.ArgumentTypeError(f"choose from {','.join(known)}")
        return names

    return read


def _stores(
    stack: ExitStack, wanted: list[str], folder: Path | None
) -> tuple[dict[str, Fresh], list[str]]:
    """Open what was asked for, until the stack is left; name what is missing."""
    stores: dict[str, Fresh] = {}
    if "sqlite" in wanted:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        paths = (place / f"{number}.db" for number in count())
        stores["sqlite"] = _of(sqlite_url(path) for path in paths)
    if "postgresql" in wanted:
        try:
            stores["postgresql"] = stack.enter_context(running()).fresh
        except PostgresMissingError as error:
            return stores, [str(error)]
    return stores, []


def _of(urls: Iterator[str]) -> Fresh:
    return lambda: next(urls)


def _posting(fresh: Fresh, sizes: list[int]) -> Report:
    """Measure every size in stores of its own, and how a line's cost grows with their number."""
    measured = {size: posting.measure(size, fresh(), fresh()) for size in sizes}
    costs = {size: figures["us_per_line"] for size, figures in measured.items()}
    return {str(size): figures for size, figures in measured.items()} | {
        "cost_per_line_largest_vs_smallest": round(costs[max(costs)] / costs[min(costs)], 2),
    }


if __name__ == "__main__":
    main()
