"""What may be deducted from a month for what was overpaid or advanced: never of base pay."""

from dataclasses import dataclass
from typing import Final

from agreed.limits import BASIS_POINTS

LEGAL_CAP_BP: Final = 2_000
"""At most 20 % of a month's pay is deducted: 工资支付暂行规定, article 16."""


@dataclass(frozen=True, slots=True)
class Pay:
    """A worker's month as a deduction sees it, fen.

    Attributes:
        earned_fen: commission after corrections; advances are not earned.
        base_fen: base wage, >= 0; it only counts for the minimum.
        minimum_fen: the least that must remain, >= 0.
        kept_fen: what a plan guarantees; only what was earned above it repays.
        withheld_fen: tax and social insurance, >= 0.
    """

    earned_fen: int
    base_fen: int = 0
    minimum_fen: int = 0
    kept_fen: int = 0
    withheld_fen: int = 0


def deduction(owed_fen: int, pay: Pay, cap_bp: int = LEGAL_CAP_BP) -> tuple[int, str]:
    """Decide what a month repays of what is owed, and say how; the rest is carried forward.

    Base wage stays whole, so the cap is taken of commission alone: that is less than the law
    allows wherever there is a base wage.

    Args:
        owed_fen: >= 0.
        pay: of the month.
        cap_bp: of what was earned, rounded down; never more than `LEGAL_CAP_BP`.

    Source: mission, Formulas, Clawback cap; docs/runs.md.
    """
    cap_bp = min(cap_bp, LEGAL_CAP_BP)
    earned_fen = pay.earned_fen
    share_fen = max(0, earned_fen) * cap_bp // BASIS_POINTS
    spare_fen = pay.base_fen + earned_fen - pay.withheld_fen - pay.minimum_fen
    free_fen = earned_fen - pay.kept_fen
    fen = max(0, min(owed_fen, share_fen, spare_fen, free_fen))
    withheld = f" − {pay.withheld_fen} fen" if pay.withheld_fen else ""
    kept = f", {earned_fen} fen − {pay.kept_fen} fen = {free_fen} fen" if pay.kept_fen else ""
    formula = (
        f"max(0, min({owed_fen} fen, ⌊{max(0, earned_fen)} fen × {cap_bp} bp"
        f" ÷ {BASIS_POINTS}⌋ = {share_fen} fen, {pay.base_fen} fen + {earned_fen} fen{withheld}"
        f" − {pay.minimum_fen} fen = {spare_fen} fen{kept})) = {fen} fen"
    )
    return fen, formula
