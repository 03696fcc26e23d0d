"""Advances against later pay, and what may be deducted for earlier ones: never of base pay."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agreed.money import split
from cloud.settlement.facts import Receivable, Wage
from cloud.settlement.plans import Plan
from cloud.settlement.recovering import Pay, deduction
from cloud.settlement.results import (
    Carried,
    Caution,
    Line,
    Nothing,
    Rounding,
    Rule,
    Unpaid,
    Warned,
)
from cloud.settlement.terms import Draw
from cloud.settlement.waterfall import RETAINED, commission, receivable

Earned = Mapping[str, int]
"""Worker to everything paid in the period besides base wage and draws, fen."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What a person is guaranteed: the highest draw among the roles."""

    worker: str
    draw: Draw


def guarantees(plan: Plan, roles: Mapping[str, set[str]]) -> list[Guarantee]:
    """Find each person's guarantee; two roles give no two draws."""
    found = []
    for worker in sorted(roles):
        draws = [draw for draw in plan.draws if draw.role in roles[worker]]
        if draws:
            best = max(draws, key=lambda d: (d.guaranteed_fen, not d.is_recoverable, d.role))
            found.append(Guarantee(worker, best))
    return found


def draw_lines(
    guaranteed: Iterable[Guarantee], earned: Earned, funds_fen: int
) -> tuple[list[Line], list[Unpaid]]:
    """Advance what earnings lack, as far as the company's retained profit reaches.

    Source: mission, Formulas, Commission: draw.
    """
    wanted = {g.worker: (g.draw, earned.get(g.worker, 0)) for g in guaranteed}
    lacks = {w: max(0, draw.guaranteed_fen - fen) for w, (draw, fen) in wanted.items()}
    paid, total_fen = lacks, sum(lacks.values())
    if total_fen > max(0, funds_fen):
        paid = split(max(0, funds_fen), lacks)
    lines, unpaid = [], []
    for worker, (draw, earned_fen) in wanted.items():
        lines.append(_draw(worker, draw, earned_fen, paid[worker], lacks[worker]))
        if lacks[worker] > paid[worker]:
            missing_fen = lacks[worker] - paid[worker]
            unpaid.append(
                Unpaid(
                    commission(worker), Rule.DRAW, draw.role, missing_fen, Carried.RETAINED_SHORT
                )
            )
    return lines, unpaid


def recovery_lines(
    plan: Plan,
    receivables: Iterable[Receivable],
    wages: Mapping[str, Wage],
    earned: Earned,
    kept_fen: Mapping[str, int],
) -> tuple[list[Line], list[Unpaid], list[Warned]]:
    """Deduct what is owed, the oldest first, within the legal cap; the rest is carried forward.

    Args:
        plan: its recovery.
        receivables: what everybody owes.
        wages: by worker.
        earned: by worker.
        kept_fen: what a draw guarantees; only earnings above it repay.
    """
    owed: dict[str, list[Receivable]] = defaultdict(list)
    for item in receivables:
        owed[item.worker].append(item)
    lines: list[Line] = []
    unpaid: list[Unpaid] = []
    warnings: list[Warned] = []
    for worker in sorted(owed):
        items = sorted(owed[worker], key=lambda item: (item.opened_at_ms, item.key))
        wage = wages.get(worker)
        if wage is None:
            warnings.append(Warned(Caution.NO_WAGE, worker))
        owed_fen = sum(item.balance_fen for item in items)
        pay = _pay(earned.get(worker, 0), kept_fen.get(worker, 0), wage)
        # Nothing is deducted from somebody whose wage is unknown.
        asked_fen = 0 if wage is None else owed_fen
        allowed_fen, how = deduction(asked_fen, pay, plan.recovery.cap_bp)
        more, waits = _recover(worker, items, allowed_fen, how)
        lines += more
        unpaid += waits
    return lines, unpaid, warnings


def _draw(worker: str, draw: Draw, earned_fen: int, fen: int, lack_fen: int) -> Line:
    cut = "" if fen == lack_fen else f"; {fen} fen"
    return Line(
        Rule.DRAW,
        receivable(worker) if draw.is_recoverable else RETAINED,
        commission(worker),
        draw.role,
        fen,
        f"max(0, {draw.guaranteed_fen} − {earned_fen}) = {lack_fen} fen{cut}",
        {"guaranteed_fen": draw.guaranteed_fen, "earned_fen": earned_fen},
        Rounding.EXACT if fen == lack_fen else Rounding.LARGEST_REMAINDER,
        None if fen else Nothing.ON_TARGET if not lack_fen else Nothing.NOT_FUNDED,
    )


def _pay(earned_fen: int, kept_fen: int, wage: Wage | None) -> Pay:
    if wage is None:
        return Pay(earned_fen, kept_fen=kept_fen)
    return Pay(earned_fen, wage.base_fen, wage.minimum_fen, kept_fen, wage.withheld_fen)


def _recover(
    worker: str, items: list[Receivable], allowed_fen: int, how: str
) -> tuple[list[Line], list[Unpaid]]:
    lines, unpaid, left_fen = [], [], allowed_fen
    for item in items:
        fen = min(item.balance_fen, left_fen)
        left_fen -= fen
        lines.append(
            Line(
                Rule.RECOVERY,
                receivable(worker),
                commission(worker),
                item.key,
                -fen,
                f"{how}; {item.balance_fen} − {item.balance_fen - fen} = {fen}",
                {"balance_fen": item.balance_fen, "allowed_fen": allowed_fen},
                Rounding.DOWN,
                None if fen else Nothing.PROTECTED,
            )
        )
        if item.balance_fen > fen:
            rest_fen = item.balance_fen - fen
            unpaid.append(
                Unpaid(receivable(worker), Rule.RECOVERY, item.key, rest_fen, Carried.LEGAL_CAP)
            )
    return lines, unpaid
