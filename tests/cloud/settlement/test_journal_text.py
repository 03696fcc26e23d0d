"""Beancount itself finds the journal in balance, and its balances equal the ledger."""

from datetime import date

from beancount import loader
from beancount.core import data

from cloud.settlement.journal_text import Entry, account_name, journal

DAY = 86_400_000
ENTRIES = [
    Entry("north", 2, "commission/o-1/n/1", "commission", "pool", "pool", "commission:王/五",
          "commission", 1_234, 3 * DAY, "1970-01"),
    Entry("north", 1, 'funding/"a\\b"', "funding", "company", "outside", "pool", "pool", 5_000,
          DAY, "1970-01"),
    Entry("south", 1, "claim/1", "claim", "receivable:w", "receivable", "commission:w",
          "commission", 7, 2 * DAY, "1970-01"),
]  # fmt: skip


def test_beancount_loads_it_without_errors() -> None:
    entries, errors, _options = loader.load_string("".join(journal(ENTRIES, 480)))
    assert errors == []
    transactions = [e for e in entries if isinstance(e, data.Transaction)]
    assert [t.meta["transfer"] for t in transactions] == [1, 1, 2]
    assert [t.date for t in transactions] == [date(1970, 1, 2), date(1970, 1, 3), date(1970, 1, 4)]
    held: dict[str, int] = {}
    for posting in (p for t in transactions for p in t.postings):
        assert posting.units is not None
        assert posting.units.number is not None
        fen = int(posting.units.number.scaleb(2))
        held[posting.account] = held.get(posting.account, 0) + fen
    assert held[account_name("north", "pool", "pool")] == -3_766
    assert sum(held.values()) == 0


def test_a_wrong_balance_is_found() -> None:
    text = "".join(journal(ENTRIES, 480))
    assert "N-pool -37.66 ~ 0.00 CNY" in text
    text = text.replace("N-pool -37.66 ~", "N-pool -37.65 ~")
    assert loader.load_string(text)[1] != []


def test_names_stay_apart() -> None:
    names = {account_name("s", name, "commission") for name in ("a b", "a-b", "a/b", "王", "五")}
    assert len(names) == 5


def test_an_empty_ledger_is_an_empty_journal() -> None:
    assert loader.load_string("".join(journal([], 480)))[1] == []
