"""A month's run: what every payee has, what is deducted, what is payable; the same every time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from agreed.limits import BASIS_POINTS
from cloud.settlement.claims import recovered
from cloud.settlement.waterfall import BANK, POOL, Account, Move, commission

DEDUCTION_BP_MAX: Final = 2_000
"""At most 20 % of a month's pay is deducted (Provisions on the Payment of Wages, art. 16)."""

OPENING: Final = "opening"
DEDUCTION: Final = "deduction"
PAYABLE: Final = "payable"
SETTLEMENT: Final = "settlement"
FULFILMENT: Final = "fulfilment"
RULES: Final[Mapping[str, str]] = {
    "commission": FULFILMENT,
    "commission_reversal": FULFILMENT,
    "claim": FULFILMENT,
    "recovery": FULFILMENT,
    "adjustment": "adjustment",
    "waterfall": "supply",
    "income_reversal": "return",
}
"""What a kind of transfer is called on a run.

What was paid, taken back, claimed and set off on the way to the verdicts in force depends on the
order in which records arrived; their sum does not, so a run holds the sum.
"""

_ORDER: Final = (OPENING, FULFILMENT, "adjustment", "supply", "return")


@dataclass(frozen=True, slots=True)
class RunLine:
    """One line of a run.

    Attributes:
        payee: account that it concerns.
        rule: which rule it follows.
        amount_fen: signed.
        formula: how it follows, with the numbers put in.
        inputs: the numbers by name.
    """

    payee: str
    rule: str
    amount_fen: int
    formula: str
    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Month:
    """What the books say of one payee for one month.

    Attributes:
        account: of the payee, a worker or a supplier.
        opening_fen: held at the start and not paid out.
        moved: fen by rule, see `RULES`.
        owed_fen: what a worker owes, >= 0.
        base_wage_fen: base wages posted for the month; untouched, it only counts for the minimum.
    """

    account: Account
    opening_fen: int = 0
    moved: Mapping[str, int] = field(default_factory=dict)
    owed_fen: int = 0
    base_wage_fen: int = 0


@dataclass(frozen=True, slots=True)
class Extra:
    """What a plan adds to a payee's month, beside piece rates.

    Attributes:
        line: as it stands on the run; amount_fen is posted.
        source: the account that pays it.
    """

    line: RunLine
    source: Account = POOL


def deduction(
    owed_fen: int, earned_fen: int, base_wage_fen: int, minimum_wage_fen: int
) -> tuple[int, str]:
    """Decide what is deducted from a month's commission, and say how; base wage is never touched.

    Args:
        owed_fen: what the worker owes, >= 0.
        earned_fen: commission of the month, after corrections.
        base_wage_fen: of the month, >= 0; it only counts for the minimum.
        minimum_wage_fen: of the month, >= 0.

    Source: mission, Formulas: Clawback cap.
    """
    share_fen = max(0, earned_fen) * DEDUCTION_BP_MAX // BASIS_POINTS
    spare_fen = base_wage_fen + earned_fen - minimum_wage_fen
    fen = max(0, min(owed_fen, share_fen, spare_fen))
    formula = (
        f"max(0, min({owed_fen} fen, ⌊{max(0, earned_fen)} fen × {DEDUCTION_BP_MAX} bp"
        f" ÷ {BASIS_POINTS}⌋ = {share_fen} fen, {base_wage_fen} fen + {earned_fen} fen"
        f" − {minimum_wage_fen} fen = {spare_fen} fen)) = {fen} fen"
    )
    return fen, formula


def run_lines(
    months: Iterable[Month], extras: Sequence[Extra], minimum_wage_fen: int
) -> list[RunLine]:
    """Write a run: lines in canonical order, whatever the order of what comes in."""
    by_payee: dict[str, list[RunLine]] = {}
    for extra in extras:
        by_payee.setdefault(extra.line.payee, []).append(extra.line)
    known = {month.account.name: month for month in months}
    for payee in by_payee:
        known.setdefault(payee, Month(Account(payee, "commission")))
    return [
        line
        for payee in sorted(known)
        for line in _of_payee(known[payee], by_payee.get(payee, []), minimum_wage_fen)
    ]


def run_hash(period: str, lines: Iterable[RunLine]) -> str:
    """Give the hex SHA-256 over the canonical lines."""
    digest = sha256(period.encode())
    for line in lines:
        row = [line.payee, line.rule, line.amount_fen, line.formula, line.inputs]
        digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def postings(
    period: str, lines: Iterable[RunLine], sources: Mapping[tuple[str, str], Account], at_ms: int
) -> list[Move]:
    """Turn a run's lines into transfers: what the plan adds, then what is deducted."""
    added, deducted = [], []
    for line in lines:
        key = f"run/{period}/{line.payee}/{line.rule}"
        source = sources.get((line.payee, line.rule))
        if line.rule == DEDUCTION:
            worker = line.payee.removeprefix(commission("").name)
            deducted += recovered(worker, -line.amount_fen, key, at_ms)
        elif source is not None and line.amount_fen:
            added.append(_added(key, line, source, at_ms))
    return added + deducted


def payouts(period: str, lines: Iterable[RunLine], at_ms: int) -> list[Move]:
    """Turn what is payable into transfers to the bank."""
    return [
        Move(
            f"payout/{period}/{line.payee}",
            "payout",
            Account(line.payee, line.payee.partition(":")[0]),
            BANK,
            line.amount_fen,
            at_ms,
            "",
            {"period": period, "payee": line.payee},
        )
        for line in lines
        if line.rule == PAYABLE and line.amount_fen > 0
    ]


def payable_fen(lines: Iterable[RunLine]) -> int:
    """Sum what a run pays out, fen."""
    return sum(line.amount_fen for line in lines if line.rule == PAYABLE)


def _of_payee(month: Month, extras: list[RunLine], minimum_wage_fen: int) -> list[RunLine]:
    payee = month.account.name
    lines = [RunLine(payee, OPENING, month.opening_fen, f"{month.opening_fen} fen", {})]
    for rule in sorted(month.moved, key=lambda rule: (_rank(rule), rule)):
        fen = month.moved[rule]
        lines.append(RunLine(payee, rule, fen, f"{fen} fen", {}))
    lines += sorted(extras, key=lambda line: line.rule)
    if month.account.kind == "commission":
        lines += _deducted(month, sum(line.amount_fen for line in lines[1:]), minimum_wage_fen)
    total_fen = sum(line.amount_fen for line in lines)
    terms = " + ".join(str(line.amount_fen) for line in lines)
    return [*lines, RunLine(payee, PAYABLE, total_fen, f"{terms} = {total_fen} fen", {})]


def _deducted(month: Month, earned_fen: int, minimum_wage_fen: int) -> list[RunLine]:
    if not month.owed_fen:
        return []
    fen, formula = deduction(month.owed_fen, earned_fen, month.base_wage_fen, minimum_wage_fen)
    inputs = {
        "owed_fen": month.owed_fen,
        "earned_fen": earned_fen,
        "base_wage_fen": month.base_wage_fen,
        "minimum_wage_fen": minimum_wage_fen,
        "carried_forward_fen": month.owed_fen - fen,
    }
    return [RunLine(month.account.name, DEDUCTION, -fen, formula, inputs)]


def _rank(rule: str) -> int:
    return _ORDER.index(rule) if rule in _ORDER else len(_ORDER)


def _added(key: str, line: RunLine, source: Account, at_ms: int) -> Move:
    payee = Account(line.payee, "commission")
    debit, credit = (source, payee) if line.amount_fen > 0 else (payee, source)
    kind = SETTLEMENT if line.amount_fen > 0 else "settlement_reversal"
    reason = {"rule": line.rule, "formula": line.formula}
    return Move(key, kind, debit, credit, abs(line.amount_fen), at_ms, "", reason)
