"""The books as a plain-text journal in Beancount's syntax, for an independent check."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

CURRENCY: Final = "CNY"
_ROOTS: Final = {
    "outside": "Equity",
    "income": "Income",
    "new_profit": "Income",
    "retained": "Equity",
    "receivable": "Assets",
}
_PLAIN: Final = re.compile(r"[A-Za-z0-9-]+")
_ODD: Final = re.compile(r"[^A-Za-z0-9-]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer; amount_fen > 0 from debit to credit, each with its kind."""

    site: str
    transfer: int
    key: str
    kind: str
    debit: str
    debit_kind: str
    credit: str
    credit_kind: str
    amount_fen: int
    at_ms: int
    period: str


def journal(entries: Iterable[Entry], utc_offset_minutes: int) -> Iterator[str]:
    """Write a journal: accounts opened, every transfer, and the final balances as assertions.

    Args:
        entries: of whole ledgers; any order.
        utc_offset_minutes: of the company, for dates.
    """
    dated = sorted(entries, key=lambda e: (e.at_ms, e.site, e.transfer))
    yield f'option "operating_currency" "{CURRENCY}"\n'
    if not dated:
        return
    first = _date(dated[0].at_ms, utc_offset_minutes)
    held_fen: dict[str, int] = {}
    for entry in dated:
        for name, fen in _legs(entry):
            held_fen[name] = held_fen.get(name, 0) + fen
    yield from (f"{first} open {name} {CURRENCY}\n" for name in sorted(held_fen))
    for entry in dated:
        yield _transaction(entry, utc_offset_minutes)
    last = _date(dated[-1].at_ms + 86_400_000, utc_offset_minutes)
    for name, fen in sorted(held_fen.items()):
        # To the fen: left to itself, Beancount overlooks a difference of one.
        yield f"{last} balance {name} {_amount(fen)} ~ 0.00 {CURRENCY}\n"


def account_name(site: str, account: str, kind: str) -> str:
    """Name an account as Beancount allows it; two accounts never share one."""
    root = _ROOTS.get(kind, "Liabilities")
    middle = kind.replace("_", "-").capitalize()
    return f"{root}:S-{_word(site)}:{middle}:N-{_word(account)}"


def _legs(entry: Entry) -> tuple[tuple[str, int], tuple[str, int]]:
    debit = account_name(entry.site, entry.debit, entry.debit_kind)
    credit = account_name(entry.site, entry.credit, entry.credit_kind)
    return (debit, entry.amount_fen), (credit, -entry.amount_fen)


def _transaction(entry: Entry, utc_offset_minutes: int) -> str:
    lines = [
        f'{_date(entry.at_ms, utc_offset_minutes)} * "{entry.kind}" "{_quoted(entry.key)}"',
        f"  transfer: {entry.transfer}",
        f'  period: "{entry.period}"',
        *(f"  {name}  {_amount(fen)} {CURRENCY}" for name, fen in _legs(entry)),
    ]
    return "\n".join(lines) + "\n"


def _date(at_ms: int, utc_offset_minutes: int) -> str:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(minutes=utc_offset_minutes)
    return f"{moment:%Y-%m-%d}"


def _amount(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _word(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return name
    return f"{_ODD.sub('-', name)}-{sha256(name.encode()).hexdigest()[:8]}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
