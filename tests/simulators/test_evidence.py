"""Evidence: read from real files, in the tables that headquarters and the box really have."""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite
import pytest

from agreed.promises import Match, Verdict
from agreed.wire import decode_block
from cloud.database.engine import open_engine, sqlite_url
from cloud.database.migrate import migrate
from edge.clock import Stamp
from edge.decisions import Draft
from edge.journal import Entry, open_journal
from simulators.evidence import is_chained, read_journal, read_store
from tests.simulators.judged import EPOCH, good_scene

SITE = {"company": "hexin", "site": "yuhuayuan"}
NODE = SITE | {"order_id": "p1", "node": "arrive"}
PROMISE = NODE | {
    "position": 0,
    "worker": "w-01",
    "node_kind": "gate_passed",
    "match": int(Match.BY_WORKER),
    "opens_at_ms": 0,
    "promised_at_ms": 3_000,
    "tolerance_ms": 2_000,
    "hard_ms": 9_000,
    "at_risk_ms": 0,
    "early_bp_per_hour": 0,
    "early_bp_max": 0,
    "weight": 1,
    "is_critical": 0,
    "rate_fen": 20,
    "at_risk_at_ms": 0,
    "due_at_ms": 0,
    "hard_at_ms": 0,
}
VERDICT = NODE | {"deviation_ms": 0, "covered_until_ms": 0, "decided_at_ms": 0}


def written(path: Path) -> Path:
    """Make an empty store of headquarters, and put the good scene's records into it."""
    engine = open_engine(sqlite_url(path))
    migrate(engine)
    engine.dispose()
    with closing(sqlite.connect(str(path))) as db:
        site = {"name": "x", "covered_until_ms": 7, "created_at_ms": 0}
        insert(db, "sites", SITE | site)
        for row in good_scene().store.records:
            at_box = {"box": "box-1", "block_first": 1}
            insert(db, "records", SITE | at_box | asdict(row) | {"epoch": EPOCH})
        insert(db, "promises", PROMISE)
        missed = {"revision": 1, "verdict": int(Verdict.MISSED), "score_bp": 0}
        kept = {"revision": 2, "verdict": int(Verdict.KEPT), "score_bp": 10_000}
        insert(db, "verdicts", VERDICT | missed)
        insert(db, "verdicts", VERDICT | kept)
        db.commit()
    return path


def insert(db: Any, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" for _ in row)
    db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def test_the_store_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path / "store.db")
    store = read_store(path, SITE["site"])
    assert store.records == good_scene().store.records
    assert store.covered_until_ms == 7
    (promise,) = store.promises
    assert (promise.order, promise.node, promise.match) == ("p1", "arrive", Match.BY_WORKER)
    assert (promise.verdict, promise.score_bp) == (Verdict.KEPT, 10_000)


def test_the_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    names = ("hexin", "yuhuayuan", "box-1")
    journal = open_journal(path, names, entropy=b"e" * 48, boot=b"b" * 16)
    stamp = Stamp(mono_ns=1, wall_ms=2, bound_ms=3, clock_state=2)  # type: ignore[arg-type]
    for _ in range(3):
        journal.append([Entry(Draft("", "box_alive"), stamp)] * 2, {})
    read = read_journal(path)
    journal.close()
    assert read_journal(path) == read
    assert [len(decode_block(data).columns) for data in read.blocks] == [2, 2, 2]
    assert is_chained(read.blocks)


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_store(tmp_path / "store.db", "x")
    assert not (tmp_path / "store.db").exists()


def test_a_chain_is_judged_by_every_byte() -> None:
    blocks = good_scene().journal.blocks
    assert is_chained(blocks)
    assert is_chained([])
    assert not is_chained(blocks[1:])
    assert not is_chained(list(reversed(blocks)))
    for place in range(0, len(blocks[1]), 7):
        spoiled = bytearray(blocks[1])
        spoiled[place] ^= 1
        assert not is_chained([blocks[0], bytes(spoiled)])
