"""A month's run: what every payee has, what is deducted, what is payable; the same every time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from cloud.settlement.claims import Repost, recovered, reposted
from cloud.settlement.recovering import LEGAL_CAP_BP, Pay, deduction
from cloud.settlement.waterfall import (
    BANK,
    POOL,
    RETAINED,
    Account,
    Move,
    advanced,
    commission,
)

OPENING: Final = "opening"
DEDUCTION: Final = "deduction"
PAYABLE: Final = "payable"
UNFUNDED: Final = "unfunded"
SETTLEMENT: Final = "settlement"
ADVANCE: Final = "draw"
FULFILMENT: Final = "fulfilment"
RESTATED: Final = "restated"
CLAIMED: Final = "claimed"
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

PAYEES: Final = ("commission", "supplier")
"""Accounts that a run pays out."""

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
        advanced_fen: of what is owed, advances (draws); repaid last.
    """

    account: Account
    opening_fen: int = 0
    moved: Mapping[str, int] = field(default_factory=dict)
    owed_fen: int = 0
    base_wage_fen: int = 0
    advanced_fen: int = 0


@dataclass(frozen=True, slots=True)
class Extra:
    """What a plan adds to a payee's month, beside piece rates.

    Attributes:
        line: as it stands on the run; amount_fen is posted.
        source: the account that pays it.
        kind: of the payee's account; only workers and suppliers are paid out.
    """

    line: RunLine
    source: Account = POOL
    kind: str = "commission"


@dataclass(frozen=True, slots=True)
class Planned:
    """What the plan in force says of a month.

    Attributes:
        plan: key and version; "" where none is in force.
        extras: what it adds.
        deduction_bp: the most that is deducted of a month's commission.
    """

    plan: str = ""
    extras: tuple[Extra, ...] = ()
    deduction_bp: int = LEGAL_CAP_BP


def run_lines(
    months: Iterable[Month],
    extras: Sequence[Extra],
    minimum_wage_fen: int,
    deduction_bp: int = LEGAL_CAP_BP,
) -> list[RunLine]:
    """Write a run: lines in canonical order, whatever the order of what comes in."""
    by_payee: dict[str, list[RunLine]] = {}
    for extra in extras:
        by_payee.setdefault(extra.line.payee, []).append(extra.line)
    known = {month.account.name: month for month in months}
    for extra in extras:
        payee = extra.line.payee
        known.setdefault(payee, Month(Account(payee, extra.kind)))
        if extra.line.rule.startswith(f"{CLAIMED}:"):
            fen, month = extra.line.amount_fen, known[payee]
            advanced_fen = month.advanced_fen + fen * ("/" in extra.line.rule)
            owed_fen = month.owed_fen + fen
            known[payee] = replace(month, owed_fen=owed_fen, advanced_fen=advanced_fen)
    return [
        line
        for payee in sorted(known)
        for line in _of_payee(known[payee], by_payee.get(payee, []), minimum_wage_fen, deduction_bp)
    ]


def run_hash(period: str, lines: Iterable[RunLine]) -> str:
    """Give the hex SHA-256 over the canonical lines."""
    digest = sha256(period.encode())
    for line in lines:
        row = [line.payee, line.rule, line.amount_fen, line.formula, line.inputs]
        digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def postings(
    period: str, lines: Iterable[RunLine], extras: Iterable[Extra], at_ms: int
) -> list[Move]:
    """Turn a run's lines into transfers, in an order in which accounts fill before they pay.

    What other accounts than the pool have back of closed months comes first, then the site's own
    accounts, then what else is restated of closed months, then what the plan adds to each payee,
    gains before losses, then what is deducted.
    """
    in_turn = sorted(extras, key=_in_turn)
    own = [e for e in in_turn if not _is_restating(e)]
    added = [
        [
            move
            for extra in own
            if (extra.kind in PAYEES) is is_of_payee
            for move in _added(f"run/{period}/{extra.line.payee}/{extra.line.rule}", extra, at_ms)
        ]
        for is_of_payee in (False, True)
    ]
    back, restated = _restated(period, [e for e in in_turn if _is_restating(e)], at_ms)
    deducted = [
        move
        for line in lines
        if line.rule == DEDUCTION
        for move in recovered(
            line.payee.removeprefix(commission("").name),
            -line.amount_fen,
            f"run/{period}/{line.payee}/{line.rule}",
            at_ms,
            line.inputs.get("advance_fen", 0),
        )
    ]
    return [*back, *added[0], *restated, *added[1], *deducted]


def unfunded(moves: Iterable[Move], held_fen: Mapping[Account, int]) -> list[RunLine]:
    """Name every account that could not pay what is asked of it, with what it lacks."""
    left: dict[Account, int] = {}
    lowest: dict[Account, int] = {}
    for move in moves:
        for account, fen in ((move.debit, -move.amount_fen), (move.credit, move.amount_fen)):
            left[account] = left.get(account, held_fen.get(account, 0)) + fen
            if account.kind not in {"outside", "receivable"}:
                lowest[account] = min(lowest.get(account, 0), left[account])
    return [
        _lacking(account, held_fen.get(account, 0), -fen)
        for account, fen in sorted(lowest.items(), key=lambda item: item[0].name)
        if fen < 0
    ]


def payouts(
    period: str, lines: Iterable[RunLine], at_ms: int, held_fen: Mapping[Account, int]
) -> list[Move]:
    """Turn what is payable into transfers to the bank.

    What was taken back in a later month already, as by a refund, stays in the books: no more is
    paid than `held_fen` holds, and the next month opens with the rest.
    """
    due = [
        (account, min(line.amount_fen, held_fen.get(account, 0)))
        for line in lines
        if line.rule == PAYABLE
        for account in [paid_account(line)]
    ]
    return [
        Move(
            f"payout/{period}/{account.name}",
            "payout",
            account,
            BANK,
            fen,
            at_ms,
            "",
            {"period": period, "payee": account.name},
        )
        for account, fen in due
        if fen > 0
    ]


def paid_account(line: RunLine) -> Account:
    """Name the account that a payable line is paid out of."""
    return Account(line.payee, line.payee.partition(":")[0])


def payable_fen(lines: Iterable[RunLine]) -> int:
    """Sum what a run pays out, fen."""
    return sum(line.amount_fen for line in lines if line.rule == PAYABLE)


def _of_payee(
    month: Month, extras: list[RunLine], minimum_wage_fen: int, deduction_bp: int
) -> list[RunLine]:
    payee, added = month.account.name, sorted(extras, key=lambda line: line.rule)
    if month.account.kind not in PAYEES:
        return added
    lines = [RunLine(payee, OPENING, month.opening_fen, f"{month.opening_fen} fen", {})]
    for rule in sorted(month.moved, key=lambda rule: (_rank(rule), rule)):
        fen = month.moved[rule]
        lines.append(RunLine(payee, rule, fen, f"{fen} fen", {}))
    lines += added
    if month.account.kind == "commission":
        lines += _deducted(month, lines[1:], minimum_wage_fen, deduction_bp)
    total_fen = sum(line.amount_fen for line in lines)
    terms = " + ".join(str(line.amount_fen) for line in lines)
    return [*lines, RunLine(payee, PAYABLE, total_fen, f"{terms} = {total_fen} fen", {})]


def _deducted(
    month: Month, lines: list[RunLine], minimum_wage_fen: int, deduction_bp: int
) -> list[RunLine]:
    if not month.owed_fen:
        return []
    draws = [line for line in lines if line.rule.partition(":")[0] == ADVANCE]
    earned_fen = sum(line.amount_fen for line in lines if line not in draws)
    kept_fen = max((line.inputs["guaranteed_fen"] for line in draws), default=0)
    pay = Pay(earned_fen, month.base_wage_fen, minimum_wage_fen, kept_fen)
    fen, formula = deduction(month.owed_fen, pay, deduction_bp)
    advance_fen = max(0, fen - (month.owed_fen - month.advanced_fen))
    inputs = {
        "owed_fen": month.owed_fen,
        "earned_fen": earned_fen,
        "base_wage_fen": month.base_wage_fen,
        "minimum_wage_fen": minimum_wage_fen,
        "carried_forward_fen": month.owed_fen - fen,
    }
    if advance_fen:
        inputs["advance_fen"] = advance_fen
    return [RunLine(month.account.name, DEDUCTION, -fen, formula, inputs)]


def _rank(rule: str) -> int:
    return _ORDER.index(rule) if rule in _ORDER else len(_ORDER)


def _in_turn(extra: Extra) -> tuple[bool, str, bool, str]:
    line = extra.line
    return extra.kind in PAYEES, line.payee, line.amount_fen < 0, line.rule


def _is_restating(extra: Extra) -> bool:
    head = extra.line.rule.partition(":")[0]
    return extra.kind == "commission" and head in {RESTATED, CLAIMED}


def _restated(period: str, extras: list[Extra], at_ms: int) -> tuple[list[Move], list[Move]]:
    """Reverse and repost what closed months had paid, worker by worker, month by month.

    Returns:
        what brings other accounts than the pool more than it takes from them, and the rest.
    """
    groups: dict[tuple[str, str, Account], list[Repost]] = {}
    for extra in extras:
        line = extra.line
        head, _, of = line.rule.partition(":")
        if head == RESTATED:
            key = f"run/{period}/{line.payee}/{line.rule}"
            fen = line.inputs["posted_fen"], line.inputs["now_fen"]
            claim = of.partition("/")[0] if extra.source == POOL else of
            group = groups.setdefault((line.payee, claim, extra.source), [])
            group.append(Repost(key, *fen, line.formula))
    back: list[Move] = []
    rest: list[Move] = []
    for (payee, claim, source), reposts in sorted(
        groups.items(), key=lambda item: (item[0][0], item[0][1])
    ):
        worker, key = payee.removeprefix(commission("").name), f"run/{period}/{payee}/{CLAIMED}:"
        is_back = source != POOL and sum(r.posted_fen - r.now_fen for r in reposts) > 0
        moves = reposted(worker, f"{key}{claim}", reposts, at_ms, source)
        (back if is_back else rest).extend(moves)
    return back, rest


def _added(key: str, extra: Extra, at_ms: int) -> list[Move]:
    line, source = extra.line, extra.source
    if not line.amount_fen:
        return []
    payee, fen = Account(line.payee, extra.kind), abs(line.amount_fen)
    reason = {"rule": line.rule, "formula": line.formula}
    if line.amount_fen < 0:
        return [Move(key, "settlement_reversal", payee, source, fen, at_ms, "", reason)]
    moves = [Move(key, SETTLEMENT, source, payee, fen, at_ms, "", reason)]
    if source.kind == "receivable":
        # The company advances it: what the worker owes stays fenced in retained profit.
        fence = advanced(source.name.partition(":")[2])
        moves.append(Move(f"{key}/fence", "fence", RETAINED, fence, fen, at_ms, "", reason))
    return moves


def _lacking(account: Account, held_fen: int, missing_fen: int) -> RunLine:
    formula = f"{held_fen + missing_fen} − {held_fen} = {missing_fen} fen"
    inputs = {"held_fen": held_fen, "missing_fen": missing_fen}
    return RunLine(account.name, UNFUNDED, 0, formula, inputs)
