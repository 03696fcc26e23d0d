"""Restates what a plan paid for a closed month: reversed and posted again in the open one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloud.settlement.additions import CAUSES_MAX
from cloud.settlement.results import Rule
from cloud.settlement.running import CLAIMED, RESTATED, Extra, RunLine
from cloud.settlement.waterfall import RETAINED, receivable

RULES: Final = frozenset(
    {
        Rule.WATERFALL,
        Rule.PIECE,
        Rule.TIER,
        Rule.ACCELERATOR,
        Rule.CAP,
        Rule.FLOOR,
        Rule.OVERRIDE,
        Rule.POOL,
    }
)
"""What is restated: shares of new profit, and everything that the pool pays.

A bonus, an advance and a wager stand once they are posted: the next month's wager counts
cumulatively, and an advance that was too high is owed already.
"""

PayeeRule = tuple[str, str]
"""Account and rule of a run's line, as `commission:w-1`, `pool:star`."""


@dataclass(frozen=True, slots=True)
class Causes:
    """Why a closed month is looked at again: orders, sorted.

    Attributes:
        refunded: something of their income went back since.
        changed: records that came since changed a verdict.
    """

    refunded: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return bool(self.refunded or self.changed)


def is_restated(rule: str) -> bool:
    """Say whether lines of a rule, as `pool:star`, are restated."""
    return rule.partition(":")[0] in RULES


def restated(
    period: str, posted_fen: Mapping[PayeeRule, int], now: Iterable[Extra], causes: Causes
) -> list[Extra]:
    """List what a closed month's rules pay now and what was posted for them, where it differs.

    What a worker lost becomes a claim, which runs recover within the legal cap.

    Args:
        period: the closed month.
        posted_fen: what runs posted for it so far, its own and later ones.
        now: what its plan would add by what is known now.
        causes: why.

    Source: mission, Formulas, Restatement.
    """
    known = {(e.line.payee, e.line.rule): e for e in now if is_restated(e.line.rule)}
    extras = []
    lost_fen: dict[str, int] = defaultdict(int)
    for payee, rule in sorted({*known, *posted_fen}):
        extra, was_fen = known.get((payee, rule)), posted_fen.get((payee, rule), 0)
        is_fen = extra.line.amount_fen if extra else 0
        if is_fen != was_fen:
            formula = extra.line.formula if extra else "0 fen"
            extras.append(_restated(period, (payee, rule), (was_fen, is_fen), formula, causes))
            lost_fen[payee] += was_fen - is_fen
    claims = [
        _claimed(period, payee, fen, causes)
        for payee, fen in sorted(lost_fen.items())
        if fen > 0 and payee.startswith("commission:")
    ]
    return extras + claims


def _restated(
    period: str, of: PayeeRule, fen: tuple[int, int], formula: str, causes: Causes
) -> Extra:
    (payee, rule), (was_fen, is_fen) = of, fen
    change_fen = is_fen - was_fen
    how = f"{formula}; {is_fen} − {was_fen} = {change_fen} fen"
    inputs = _causes(causes) | {"posted_fen": was_fen, "now_fen": is_fen}
    line = RunLine(payee, f"{RESTATED}:{period}/{rule}", change_fen, how, inputs)
    kind = payee.partition(":")[0]
    return Extra(line, kind=kind) if kind == "commission" else Extra(line, RETAINED, kind)


def _claimed(period: str, payee: str, fen: int, causes: Causes) -> Extra:
    worker = payee.partition(":")[2]
    line = RunLine(payee, f"{CLAIMED}:{period}", fen, f"{fen} fen", _causes(causes))
    return Extra(line, receivable(worker))


def _causes(causes: Causes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, orders in (("refunded", causes.refunded), ("changed", causes.changed)):
        if orders:
            found |= {name: list(orders[:CAUSES_MAX]), f"{name}_count": len(orders)}
    return found


def sums(lines: Iterable[RunLine], period: str) -> dict[PayeeRule, int]:
    """Sum what the lines of runs posted for a closed month's rules.

    Args:
        lines: of the month's own run, and the restating lines of later runs.
        period: the closed month.
    """
    head = f"{RESTATED}:{period}/"
    found: dict[PayeeRule, int] = defaultdict(int)
    for line in lines:
        rule = line.rule.removeprefix(head)
        if is_restated(rule):
            found[line.payee, rule] += line.amount_fen
    return dict(found)
