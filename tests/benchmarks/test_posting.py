from pathlib import Path

from sqlalchemy import select

from benchmarks.posting import BATCH, PLACE, RATE_FEN, WORKERS, measure
from cloud.database import books, schema
from cloud.database.engine import open_engine, reading, sqlite_url
from cloud.settlement.waterfall import commission


def test_production_and_floors_write_the_same(tmp_path: Path) -> None:
    guarded, plain = (sqlite_url(tmp_path / f"{name}.db") for name in ("guarded", "plain"))
    figures = measure(2 * BATCH, guarded, plain)
    assert figures["vs_floor"] > 0
    ours, other = open_engine(guarded), open_engine(plain)
    with reading(ours) as connection:
        earned = books.balance_fen(connection, PLACE, commission("w-1"))
        query = select(schema.lines).order_by(schema.lines.c.transfer)
        kept = [tuple(row) for row in connection.execute(query)]
    with reading(other) as connection:
        for name in ("plain", "same"):
            table = f"{name}_{schema.lines.name}"
            rows = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY transfer")
            assert [row[:11] for row in rows] == [row[:11] for row in kept]
    ours.dispose()
    other.dispose()
    assert earned == RATE_FEN * 2 * BATCH // WORKERS
