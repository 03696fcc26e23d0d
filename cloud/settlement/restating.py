"""Restates what a plan paid for a closed month: reversed and posted again in the open one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloud.settlement.additions import CAUSES_MAX
from cloud.settlement.plans import Plan
from cloud.settlement.results import Rule
from cloud.settlement.running import CLAIMED, RESTATED, Extra, RunLine
from cloud.settlement.waterfall import BONUS, POOL, RETAINED, Account, receivable

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
        Rule.BONUS,
        Rule.DRAW,
    }
)
"""What is restated: all but wagers, which restate themselves while they last.

Each month of a wager counts all its months together by what is known then; with the last one the
stakes have gone back, and nothing is left that it could be paid from.
"""

_PAID_BY: Final = {Rule.BONUS: BONUS, Rule.DRAW: RETAINED}
"""Who pays a person for a rule; the pool for all others."""

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


def paid_by(rule: str) -> Account:
    """Say who pays a person for a rule, as `pool:star`."""
    return _PAID_BY.get(Rule(rule.partition(":")[0]), POOL)


def is_restated(rule: str) -> bool:
    """Say whether lines of a rule, as `pool:star`, are restated."""
    return rule.partition(":")[0] in RULES


def standing(plan: Plan) -> frozenset[str]:
    """Name the rules of a plan that are not restated although others of their kind are.

    An advance to be repaid leaves a worker as much whichever it is: what it was too high is owed
    as an advance, and what it would be higher is owed as a claim already.
    """
    return frozenset(f"{Rule.DRAW}:{draw.role}" for draw in plan.draws if draw.is_recoverable)


def restated(
    period: str,
    posted_fen: Mapping[PayeeRule, int],
    now: Iterable[Extra],
    causes: Causes,
    stands: frozenset[str] = frozenset(),
) -> list[Extra]:
    """List what a closed month's rules pay now and what was posted for them, where it differs.

    What a worker lost becomes a claim, which runs recover within the legal cap.

    Args:
        period: the closed month.
        posted_fen: what runs posted for it so far, its own and later ones.
        now: what its plan would add by what is known now.
        causes: why.
        stands: rules that are left alone: see `standing`.

    Source: mission, Formulas, Restatement.
    """
    known = {(e.line.payee, e.line.rule): e for e in now if is_restated(e.line.rule)}
    extras = []
    lost_fen: dict[tuple[str, str], int] = defaultdict(int)
    for payee, rule in sorted({*known, *posted_fen}):
        if rule in stands:
            continue
        extra, was_fen = known.get((payee, rule)), posted_fen.get((payee, rule), 0)
        is_fen = extra.line.amount_fen if extra else 0
        if is_fen != was_fen:
            formula = extra.line.formula if extra else "0 fen"
            extras.append(_restated(period, (payee, rule), (was_fen, is_fen), formula, causes))
            # What the pool paid is one claim; what the company paid is one for each rule.
            lost_fen[payee, "" if paid_by(rule) == POOL else f"/{rule}"] += was_fen - is_fen
    claims = [
        _claimed(f"{period}{of}", payee, fen, causes)
        for (payee, of), fen in sorted(lost_fen.items())
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
    return Extra(line, paid_by(rule) if kind == "commission" else RETAINED, kind)


def _claimed(of: str, payee: str, fen: int, causes: Causes) -> Extra:
    worker = payee.partition(":")[2]
    line = RunLine(payee, f"{CLAIMED}:{of}", fen, f"{fen} fen", _causes(causes))
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
