import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from agreed.words import RemedyError
from cloud import reads
from cloud.database.engine import reading
from cloud.database.read_orders import OrderFilter
from cloud.replay.judging import Counts
from cloud.replay.mapping import read_mapping
from cloud.replay.replaying import Request, check_log, replay_log
from tests.cloud.replay.logs import (
    LOG,
    RECEIPT,
    RECEIPT_MAPPING,
    UNREADABLE,
    mapping,
    nothing,
)

NOW_MS = 1_800_000_000_000
COUNTS = {
    "closed": Counts(kept=1, late=2, open=2, not_promised=1),
    "arrived": Counts(kept=2, open=3, not_promised=1),
    "last-step": Counts(kept=1, late=1, open=3, not_promised=1),
}


def begin(_name: str, _size: int) -> Callable[[int], None]:
    return nothing


def log(tmp_path: Path, text: str = LOG) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(text)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


def test_checking_stores_nothing(tmp_path: Path) -> None:
    summary = check_log(Request(mapping(), log(tmp_path), tmp_path / "rejects.csv"), begin)
    assert summary.promises == COUNTS
    assert (summary.rows_read, summary.rows_unreadable, summary.cases) == (9, 7, 6)
    assert summary.books is None
    listed = {int(r["line"]): r["reason"] for r in rows(tmp_path / "rejects.csv")}
    assert listed == UNREADABLE


def test_every_trap_through_the_store(store: Engine, tmp_path: Path) -> None:
    request = Request(mapping(), log(tmp_path), statements=tmp_path / "out")
    summary = replay_log(request, store, lambda: NOW_MS, begin)
    assert summary.promises == COUNTS
    books = summary.books
    assert books is not None
    assert (books.is_balanced, books.is_chain_verified, books.held_fen) == (True, True, 0)
    # o1 closed in time; o2 half-way to the hard limit; o4 at it, and nobody is paid for it.
    # o1 arrived (w2) and o2 arrived (w3); last steps of o1 and, 1 ms late, of o2 (both w2).
    paid = {pay.worker: pay.earned_fen for pay in books.pays}
    assert paid == {"w1": 1000 + 500, "w2": 333 + 77 + 77, "w3": 333}
    assert books.commission_fen == sum(paid.values())
    assert {r["resource"]: int(r["earned_fen"]) for r in rows(tmp_path / "out/totals.csv")} == paid
    w1 = rows(tmp_path / "out/statement-w1.csv")
    assert [(r["order"], r["verdict"], r["amount_fen"]) for r in w1] == [
        ("o1", "kept", "1000"),
        ("o2", "late", "500"),
    ]


def test_a_statement_line_leads_back_to_the_line_of_the_log(
    sqlite_store: Engine, tmp_path: Path
) -> None:
    request = Request(mapping(), log(tmp_path), statements=tmp_path / "out")
    replay_log(request, sqlite_store, lambda: NOW_MS, begin)
    (line,) = rows(tmp_path / "out/statement-w3.csv")
    with reading(sqlite_store) as connection:
        found = reads.evidence(
            connection, "yuehua", "north", line["box"], line["epoch"], int(line["sequence"])
        )
    assert found is not None
    assert found.block_hash == line["block_hash"]
    assert (found.record.detail, found.record.reference) == ("line 6", "o2")
    assert LOG.splitlines()[5].startswith("o2,arrive,w3,2024-03-05 11:59:00+08:00")


def test_twice_is_once_gzipped_or_not(store: Engine, tmp_path: Path) -> None:
    packed = tmp_path / "log.csv.gz"
    packed.write_bytes(gzip.compress(LOG.encode()))
    once = replay_log(Request(mapping(), log(tmp_path)), store, lambda: NOW_MS, begin)
    before = held(store)
    twice = replay_log(Request(mapping(), packed), store, lambda: NOW_MS + 1, begin)
    assert held(store) == before
    assert once.books is not None
    assert twice.books is not None
    assert (once.books.records_new > 0, twice.books.records_new) == (True, 0)
    assert twice.promises == once.promises
    assert twice.books.pays == once.books.pays


def held(store: Engine) -> tuple[object, ...]:
    with reading(store) as connection:
        return (
            reads.transfers(connection, "yuehua"),
            reads.verdicts(connection, "yuehua"),
            reads.orders(connection, "yuehua", OrderFilter(limit=500)),
            reads.boxes(connection, "yuehua"),
            reads.workers(connection, "yuehua"),
            reads.ledger_check(connection, "yuehua"),
        )


def test_the_same_cases_under_another_plan_are_refused_before_anything_is_stored(
    sqlite_store: Engine, tmp_path: Path
) -> None:
    replay_log(Request(mapping(), log(tmp_path)), sqlite_store, lambda: NOW_MS, begin)
    before = held(sqlite_store)
    rule = mapping().promise[0].model_copy(update={"piece_rate_fen": 1})
    other = mapping().model_copy(update={"promise": [rule]})
    with pytest.raises(RemedyError, match="Case o1 is in this store already"):
        replay_log(Request(other, log(tmp_path)), sqlite_store, lambda: NOW_MS, begin)
    assert held(sqlite_store) == before


def test_a_pool_too_small_holds_lines_and_says_so(sqlite_store: Engine, tmp_path: Path) -> None:
    plan = mapping().pack.model_copy(update={"pool_bp": 500})
    poor = mapping().model_copy(update={"pack": plan})
    summary = replay_log(Request(poor, log(tmp_path)), sqlite_store, lambda: NOW_MS, begin)
    books = summary.books
    assert books is not None
    assert books.held_fen > 0
    assert books.commission_fen + books.held_fen == 2_320
    assert books.is_balanced
    assert summary.promises == COUNTS


def test_an_error_in_the_middle_of_the_log_stores_nothing(
    sqlite_store: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(LOG.encode() + "o10,完成".encode("gb18030"))
    with pytest.raises(RemedyError, match="not UTF-8"):
        replay_log(Request(mapping(), path), sqlite_store, lambda: NOW_MS, begin)
    with reading(sqlite_store) as connection:
        assert reads.boxes(connection, "yuehua") == []


def test_a_header_alone_is_a_log_without_cases(sqlite_store: Engine, tmp_path: Path) -> None:
    path = log(tmp_path, LOG.splitlines()[0])
    summary = replay_log(Request(mapping(), path), sqlite_store, lambda: NOW_MS, begin)
    assert (summary.rows_read, summary.cases) == (0, 0)
    assert summary.books is not None
    assert summary.books.is_balanced


def test_the_sample_of_a_repair_desk(sqlite_store: Engine, tmp_path: Path) -> None:
    sample = RECEIPT_MAPPING.parent / "repair.toml"
    how = read_mapping(sample.read_bytes(), "repair.toml")
    remarks = [line[4:] for line in sample.read_text().splitlines() if line.startswith("#   ")]
    late = [
        "WX-0002,到场,维修08,2024/3/5 14:16,2024/3/5 14:00,2024/3/5 16:00,维修08",
        "WX-0002,完工,维修08,2024/3/6 5:00:00,2024/3/5 14:00,2024/3/5 16:00,-",
    ]
    path = tmp_path / "repair.csv"
    path.write_bytes("\r\n".join([*remarks, *late]).encode("gb18030"))
    summary = replay_log(Request(how, path), sqlite_store, lambda: NOW_MS, begin)
    assert summary.unreadable == []
    assert summary.promises == {
        "arrived": Counts(kept=1, late=1),
        "finished": Counts(kept=1, late=1),
    }
    assert summary.books is not None
    # One minute of 105 beyond the tolerance; 12 h 30 min of 23 h 30 min.
    assert {pay.worker: pay.earned_fen for pay in summary.books.pays} == {
        "维修07": 800 + 1500,
        "维修08": 792 + 702,
    }


def test_the_receipt_log_from_record_to_statement(sqlite_store: Engine, tmp_path: Path) -> None:
    if not RECEIPT.exists():
        pytest.skip(f"the log {RECEIPT} is not beside the checkout")
    how = read_mapping(RECEIPT_MAPPING.read_bytes(), "receipt.toml")
    request = Request(how, RECEIPT, statements=tmp_path / "out")
    summary = replay_log(request, sqlite_store, lambda: NOW_MS, begin)
    assert (summary.rows_read, summary.rows_unreadable, summary.cases) == (8577, 0, 1434)
    judged = {name: (c.judged, c.late, c.open) for name, c in summary.promises.items()}
    assert judged == {
        "planned-end": (1329, 389, 105),
        "legal-deadline": (1329, 377, 105),
        "last-step-planned": (1434, 91, 0),
        "last-step-legal": (1434, 92, 0),
    }
    direct = check_log(Request(how, RECEIPT), begin)
    assert direct.promises == summary.promises
    books = summary.books
    assert books is not None
    assert (books.is_balanced, books.is_chain_verified) == (True, True)
    totals = rows(tmp_path / "out/totals.csv")
    lines = [r for total in totals for r in rows(tmp_path / "out" / total["file"])]
    assert len(lines) == 2 * 1329 + 2 * 1434
    assert sum(int(r["amount_fen"]) for r in lines) == books.commission_fen
    assert sum(int(r["earned_fen"]) for r in totals) == books.commission_fen
    again = replay_log(request, sqlite_store, lambda: NOW_MS, begin)
    assert again.books is not None
    assert again.books.records_new == 0
    assert again.books.commission_fen == books.commission_fen
