import json
from io import StringIO

import pytest
from rich.console import Console

from agreed.words import language
from cloud.replay.judging import Counts
from cloud.replay.rows import Unreadable
from cloud.replay.summary import Books, Pay, Summary, as_json, as_tables

BOOKS = Books(
    records_new=12,
    commission_fen=123_456,
    held_fen=100,
    is_balanced=True,
    is_chain_verified=True,
    pays=[Pay("[red]w1", 3, 123_456, 100)],
)
SUMMARY = Summary(
    rows_read=1_234,
    rows_unreadable=3,
    unreadable=[Unreadable(7, "[bold]odd")],
    cases=9,
    promises={"closed": Counts(kept=4, late=2, missed=1, undecidable=1, open=1, not_promised=5)},
    books=BOOKS,
    duration_ms=2_345,
)
CHECKED = Summary(1, 0, [], 1, {}, None, 5)


def drawn(summary: Summary) -> str:
    console = Console(file=StringIO(), width=120)
    console.print(as_tables(summary))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_keys_for_programs() -> None:
    found = json.loads(json.dumps(as_json(SUMMARY)))
    assert found == {
        "rows_read": 1234,
        "rows_unreadable": 3,
        "cases": 9,
        "promises": {
            "closed": {
                "judged": 7,
                "kept": 4,
                "late": 2,
                "missed": 1,
                "undecidable": 1,
                "open": 1,
                "not_promised": 5,
            }
        },
        "records_new": 12,
        "commission_fen": 123456,
        "held_fen": 100,
        "ledger_balanced": True,
        "chain_verified": True,
        "duration_ms": 2345,
    }


def test_what_was_not_stored_has_no_books() -> None:
    found = as_json(CHECKED)
    assert found["commission_fen"] is None
    assert found["ledger_balanced"] is None
    assert "Statements" not in drawn(CHECKED)
    assert "Rows that could not be read" not in drawn(CHECKED)


def test_the_tables_for_the_eye() -> None:
    text = drawn(SUMMARY)
    assert "1,234 rows read, 3 unreadable, 9 cases, 2.3 s" in text
    assert "[bold]odd" in text
    assert "and 2 more: --rejects FILE lists all" in text
    assert "[red]w1" in text
    assert "1,234.56" in text
    assert "ledger balanced, chain verified" in text


def test_few_unreadable_rows_are_all_shown() -> None:
    assert "more" not in drawn(Summary(1, 1, [Unreadable(7, "odd")], 1, {}, None))


def test_books_that_do_not_hold_are_said_loudly() -> None:
    books = Books(0, 0, 0, is_balanced=False, is_chain_verified=False, pays=[])
    text = drawn(Summary(1, 0, [], 1, {}, books, 5))
    assert "ledger NOT BALANCED, chain NOT VERIFIED" in text


@pytest.mark.parametrize("word", ["承诺", "对账单", "兑现"])
def test_chinese_comes_first(word: str) -> None:
    language.set("zh")
    assert word in drawn(SUMMARY)
