"""How fast lines are settled and posted, against plain batched inserts of as many rows.

python -m benchmarks.settlement_posting --json prints lines per second by store and size: settled
by the production rules into guarded tables, and the floor: the same rows put into tables of the
same columns and primary keys that nothing guards. SQLite works in this process and is measured in
its processor time; PostgreSQL, measured when its URL is given, in time on the wall.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

from sqlalchemy import Column, Engine, MetaData, Table, insert, text

from agreed.promises import Verdict
from cloud.database import books, schema
from cloud.database.engine import open_engine, sqlite_url, writing
from cloud.database.fleet import Place
from cloud.database.migrate import migrate
from cloud.settlement.paying import Due, settle
from cloud.settlement.reasons import ProvenBy
from cloud.settlement.waterfall import COMPANY, POOL, Move

PLACE: Final = Place("bench", "site")
AT_MS: Final = 1_772_300_000_000
BATCH: Final = 1_000
WORKERS: Final = 200
RATE_FEN: Final = 1_503
PROOF: Final = ProvenBy(box="box", epoch="00" * 16, sequence=1, block_hash="11" * 32)
_COUNT: Final = (
    "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {last})"
)

ORDERS: Final = """orders (company, site, order_id, pack, worker, resident, status, pack_version,
    booked_from_ms, booked_until_ms, income_fen, codes, created_at_ms)"""
PROMISES: Final = """promises (company, site, order_id, node, position, worker, node_kind, match,
    opens_at_ms, promised_at_ms, tolerance_ms, hard_ms, at_risk_ms, early_bp_per_hour,
    early_bp_max, weight, is_critical, rate_fen, at_risk_at_ms, due_at_ms, hard_at_ms)"""
VERDICTS: Final = """verdicts (company, site, order_id, node, revision, verdict, deviation_ms,
    score_bp, covered_until_ms, decided_at_ms)"""

Report = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sizes", default="10000,100000", help="lines, e.g. 10000,1000000")
    parser.add_argument("--postgresql", default="", help="URL of an empty database")
    parser.add_argument("--folder", type=Path, help="where the SQLite file lies")
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    report = measured(sizes, asked.postgresql, asked.folder)
    print(json.dumps(report, indent=None if asked.json else 2))


def measured(sizes: list[int], postgresql: str, folder: Path | None = None) -> Report:
    """Measure every size on every store.

    Returns:
        figures: lines/s by store, size and kind; ratios: posting to floor; missing: what not.
    """
    report: Report = {"figures": {}, "ratios": {}, "missing": []}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        stores = {"sqlite": sqlite_url(Path(place) / "bench.db")}
        if postgresql:
            stores["postgresql"] = postgresql
        else:
            report["missing"].append("postgresql: give --postgresql URL")
        for name, url in stores.items():
            engine = open_engine(url)
            migrate(engine)
            for size, (posting, floor) in _of_store(engine, sizes):
                report["figures"][f"{name} {size}"] = {
                    "posting_lines_per_s": round(posting),
                    "floor_lines_per_s": round(floor),
                }
                report["ratios"][f"{name} {size}"] = round(posting / floor, 3)
            engine.dispose()
    return report


@dataclass
class _Kept:
    """The rows that production wrote, for the floor to write again."""

    transfers: list[dict[str, Any]]
    lines: list[dict[str, Any]]


def _of_store(engine: Engine, sizes: list[int]) -> Iterator[tuple[int, tuple[float, float]]]:
    first = 0
    plain = _begin(engine)
    for size in sizes:
        _promise(engine, first, first + size)
        batches = [
            [_due(number) for number in range(start, min(start + BATCH, first + size))]
            for start in range(first, first + size, BATCH)
        ]
        clock = process_time if engine.dialect.name == "sqlite" else perf_counter
        begun = clock()
        for dues in batches:
            _post(engine, dues)
        posting_s = clock() - begun
        rows = _read(engine, first, first + size)
        begun = clock()
        _plainly(engine, plain, rows)
        floor_s = clock() - begun
        first += size
        yield size, (size / posting_s, size / floor_s)


def _begin(engine: Engine) -> dict[str, Table]:
    """Make company, site, pack, a funded pool, and the tables of the floor."""
    with writing(engine) as connection:
        for table, row in (
            (schema.companies, {"company": "bench", "name": "b", "created_at_ms": 1}),
            (schema.sites, {**PLACE._asdict(), "name": "s", "created_at_ms": 1}),
            (
                schema.packs,
                {"company": "bench", "pack": "p", "version": 1, "content": {}}
                | {"published_at_ms": 1},
            ),
        ):
            connection.execute(insert(table), row)
        move = Move("fund", "funding", COMPANY, POOL, 10**14, AT_MS, "", {})
        books.post(connection, PLACE, [move], AT_MS)
        metadata = MetaData()
        plain = {
            name: Table(
                f"plain_{name}",
                metadata,
                *(
                    Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable)
                    for c in schema.metadata.tables[name].columns
                ),
            )
            for name in ("transfers", "lines")
        }
        metadata.create_all(connection)
    return plain


def _promise(engine: Engine, first: int, last: int) -> None:
    """Book orders with a decided node each, straight in SQL: this is not what is measured."""
    numbers = _COUNT.format(first=first, last=last)
    order = "'o-' || i"
    is_sqlite = engine.dialect.name == "sqlite"
    rows = {
        ORDERS: f"'bench', 'site', {order}, 'p', '', '', 'open', 1, 1, 1, 0, '[]', 1",
        PROMISES: f"'bench', 'site', {order}, 'n', 0, 'w', 'k', 1, 1, 1, 1, 2, 1, 0, 0, 1,"
        f" {'0' if is_sqlite else 'false'}, 1, 1, 1, 1",
        VERDICTS: f"'bench', 'site', {order}, 'n', 1, 1, 0, 10000, 1, 1",
    }
    with writing(engine) as connection:
        for into, values in rows.items():
            query = f"INSERT INTO {into} {numbers} SELECT {values} FROM n"  # noqa: S608  # ours
            connection.execute(text(query))


def _due(number: int) -> Due:
    return Due(
        order_id=f"o-{number}",
        node="n",
        revision=1,
        worker=f"w-{number % WORKERS}",
        verdict=Verdict.KEPT,
        pack="p",
        pack_version=1,
        name_zh="验收",
        name_en="Accepted",
        promised_at_ms=AT_MS,
        tolerance_ms=60_000,
        hard_ms=600_000,
        early_bp_per_hour=0,
        early_bp_max=0,
        actual_at_ms=AT_MS,
        bound_ms=50,
        deviation_ms=0,
        score_bp=10_000,
        rate_fen=RATE_FEN,
        covered_until_ms=AT_MS,
        evidence=PROOF,
    )


def _post(engine: Engine, dues: list[Due]) -> None:
    with writing(engine) as connection:
        months = books.calendar(connection, PLACE)
        settled = settle(books.pool_fen(connection, PLACE), dues, [], [], months)
        books.store(connection, PLACE, settled, AT_MS)


def _read(engine: Engine, first: int, last: int) -> _Kept:
    """Read back what was written; both sides then write equal rows."""
    with writing(engine) as connection:
        found = []
        for name, limit in (("transfers", last - first), ("lines", last - first)):
            table = schema.metadata.tables[name]
            key = table.c.transfer
            query = table.select().where(key > first + 1).order_by(key).limit(limit)
            found.append([dict(row._mapping) for row in connection.execute(query)])  # noqa: SLF001
        assert [len(rows) for rows in found] == [last - first] * 2
    return _Kept(*found)


def _plainly(engine: Engine, plain: dict[str, Table], rows: _Kept) -> None:
    for start in range(0, len(rows.lines), BATCH):
        with writing(engine) as connection:
            connection.execute(insert(plain["transfers"]), rows.transfers[start : start + BATCH])
            connection.execute(insert(plain["lines"]), rows.lines[start : start + BATCH])


if __name__ == "__main__":
    main()
