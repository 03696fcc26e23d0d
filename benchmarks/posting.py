"""How fast decided nodes are settled and posted, against plain inserts of as many rows.

Three things are timed in turn, a thousand lines in a transaction each, on the wall, fsync and all,
and in processor time of this process, which is where SQLite works: the production rules (read pool
and calendar, settle, post, keep the lines) into guarded tables; the floor, plain batched inserts
of the same rows as SQLAlchemy does them; and the floor through the door that production itself
uses, rows laid out and reasons written before the clock starts. The tables of both floors have the
same columns and primary keys, and nothing that guards them.
"""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any, Final

from sqlalchemy import JSON, Column, Engine, MetaData, Table, insert, text

from agreed.promises import Verdict
from cloud.database import books, schema
from cloud.database.engine import open_engine, writing
from cloud.database.fleet import Place
from cloud.database.inserting import Values, add_rows
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
KINDS: Final = ("posting", "floor", "same_door")
_COUNT: Final = (
    "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {last})"
)
_ORDERS: Final = """orders (company, site, order_id, pack, worker, resident, status, pack_version,
    booked_from_ms, booked_until_ms, income_fen, codes, created_at_ms)"""
_PROMISES: Final = """promises (company, site, order_id, node, position, worker, node_kind, match,
    opens_at_ms, promised_at_ms, tolerance_ms, hard_ms, at_risk_ms, early_bp_per_hour,
    early_bp_max, weight, is_critical, rate_fen, at_risk_at_ms, due_at_ms, hard_at_ms)"""
_VERDICTS: Final = """verdicts (company, site, order_id, node, revision, verdict, deviation_ms,
    score_bp, covered_until_ms, decided_at_ms)"""


def measure(lines: int, guarded_url: str, plain_url: str) -> dict[str, float]:
    """Settle and post lines into an empty store, and write the same rows into another.

    Args:
        lines: how many; a multiple of `BATCH`.
        guarded_url: of an empty store.
        plain_url: of another one on the same engine and disk, for the floors.

    Returns:
        lines per second by kind, on the wall; what ours are of each floor's, on the wall and, on
        SQLite, in processor time; and what a line of the last tenth costs against the first.
    """
    # As the service does: see `cloud.service.serve`.
    gc.freeze()
    try:
        return _measured(lines, guarded_url, plain_url)
    finally:
        gc.unfreeze()


def _measured(lines: int, guarded_url: str, plain_url: str) -> dict[str, float]:
    with _opened(guarded_url) as engine, _opened(plain_url) as other:
        migrate(engine)
        _begin(engine)
        floors, spent = _Floors(other), {kind: _Spent() for kind in KINDS}
        for first in range(0, lines, BATCH):
            _promise(engine, first, first + BATCH)
            dues = [_due(number) for number in range(first, first + BATCH)]
            with spent["posting"].counting():
                _post(engine, dues)
            rows = _read(engine, first)
            with spent["floor"].counting():
                floors.plainly(rows)
            laid_out = _laid_out(rows)
            with spent["same_door"].counting():
                floors.by_same_door(laid_out)
        return _figures(lines, spent, is_here=engine.dialect.name == "sqlite")


@dataclass(slots=True)
class _Spent:
    """Seconds of one kind of work, batch by batch."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @contextmanager
    def counting(self) -> Iterator[None]:
        wall, processor = perf_counter(), process_time()
        yield
        self.wall.append(perf_counter() - wall)
        self.processor.append(process_time() - processor)


def _figures(lines: int, spent: dict[str, _Spent], *, is_here: bool) -> dict[str, float]:
    """Put rates and ratios together; processor time only where the store works in this process."""
    figures: dict[str, float] = {
        f"{kind}_lines_per_s": round(lines / sum(of_kind.wall)) for kind, of_kind in spent.items()
    }
    ours = spent["posting"]
    for kind in ("floor", "same_door"):
        figures[f"vs_{kind}"] = round(sum(spent[kind].wall) / sum(ours.wall), 3)
        if is_here:
            ratio = sum(spent[kind].processor) / sum(ours.processor)
            figures[f"vs_{kind}_in_processor_time"] = round(ratio, 3)
    times = ours.processor if is_here else ours.wall
    tenth = max(1, len(times) // 10)
    figures["us_per_line"] = round(1e6 * sum(times) / lines, 1)
    figures["last_vs_first_tenth"] = round(sum(times[-tenth:]) / sum(times[:tenth]), 2)
    return figures


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that production wrote, for the floors to write again."""

    transfers: list[dict[str, Any]]
    lines: list[dict[str, Any]]


class _Floors:
    """Tables of the same columns and keys, twice."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        metadata = MetaData()
        self._plain = _bare(metadata, "plain")
        self._same = _bare(metadata, "same")
        metadata.create_all(engine)

    def plainly(self, rows: _Rows) -> None:
        with writing(self._engine) as connection:
            connection.execute(insert(self._plain[0]), rows.transfers)
            connection.execute(insert(self._plain[1]), rows.lines)

    def by_same_door(self, rows: list[list[Values]]) -> None:
        with writing(self._engine) as connection:
            for table, values in zip(self._same, rows, strict=True):
                add_rows(connection, table, values)


def _bare(metadata: MetaData, name: str) -> list[Table]:
    return [
        Table(
            f"{name}_{table.name}",
            metadata,
            *(
                Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable)
                for c in table.columns
            ),
        )
        for table in (schema.transfers, schema.lines)
    ]


def _post(engine: Engine, dues: list[Due]) -> None:
    with writing(engine) as connection:
        months = books.calendar(connection, PLACE)
        settled = settle(books.pool_fen(connection, PLACE), dues, [], [], months)
        books.store(connection, PLACE, settled, AT_MS)


def _begin(engine: Engine) -> None:
    """Make company, site, pack and a funded pool."""
    content = {"company": "bench", "pack": "p", "version": 1, "content": {}, "published_at_ms": 1}
    with writing(engine) as connection:
        for table, row in (
            (schema.companies, {"company": "bench", "name": "b", "created_at_ms": 1}),
            (schema.sites, {**PLACE._asdict(), "name": "s", "created_at_ms": 1}),
            (schema.packs, content),
        ):
            connection.execute(insert(table), row)
        move = Move("fund", "funding", COMPANY, POOL, 10**14, AT_MS, "", {})
        books.post(connection, PLACE, [move], AT_MS)


def _promise(engine: Engine, first: int, last: int) -> None:
    """Book orders with a decided node each, straight in SQL: this is not what is measured."""
    numbers = _COUNT.format(first=first, last=last)
    order = "'o-' || i"
    no = "0" if engine.dialect.name == "sqlite" else "false"
    rows = {
        _ORDERS: f"'bench', 'site', {order}, 'p', '', '', 'open', 1, 1, 1, 0, '[]', 1",
        _PROMISES: f"'bench', 'site', {order}, 'n', 0, 'w', 'k', 1, 1, 1, 1, 2, 1, 0, 0, 1, {no},"
        " 1, 1, 1, 1",
        _VERDICTS: f"'bench', 'site', {order}, 'n', 1, 1, 0, 10000, 1, 1",
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


def _read(engine: Engine, first: int) -> _Rows:
    """Read back what was written; all sides then write equal rows."""
    found = []
    with writing(engine) as connection:
        for table in (schema.transfers, schema.lines):
            key = table.c.transfer
            query = table.select().where(key > first + 1).order_by(key).limit(BATCH)
            found.append([dict(row) for row in connection.execute(query).mappings()])
    assert [len(rows) for rows in found] == [BATCH] * 2
    return _Rows(*found)


def _laid_out(rows: _Rows) -> list[list[Values]]:
    return [
        [
            tuple(
                json.dumps(row[c.name], ensure_ascii=False)
                if isinstance(c.type, JSON)
                else row[c.name]
                for c in table.columns
            )
            for row in of_table
        ]
        for table, of_table in ((schema.transfers, rows.transfers), (schema.lines, rows.lines))
    ]
