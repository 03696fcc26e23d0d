"""New profit of a period, and who shares it: the waterfall of a plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agreed.money import scaled, split
from cloud.settlement.facts import OrderFact
from cloud.settlement.plans import Plan
from cloud.settlement.results import Caution, Line, Nothing, Rounding, Rule, Warned
from cloud.settlement.terms import Waterfall
from cloud.settlement.waterfall import (
    BONUS,
    CARE,
    INCOME,
    NEW_PROFIT,
    PLATFORM,
    POOL,
    RETAINED,
    WAGER,
    Account,
)

_PAYEES: Final = {
    "retained": RETAINED,
    "senior_wager": WAGER,
    "middle_bonus": BONUS,
    "front_line": POOL,
    "care_fund": CARE,
}


@dataclass(slots=True)
class Takings:
    """What a period's orders brought, fen.

    Attributes:
        income_fen: less refunds.
        profit_fen: may be shared; negative when orders cost more than they brought.
        unshared_fen: profit of packs that the plan does not allow in.
        unshared_packs: which.
    """

    income_fen: int = 0
    cost_fen: int = 0
    platform_fen: int = 0
    tax_fen: int = 0
    profit_fen: int = 0
    unshared_fen: int = 0
    unshared_packs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shares:
    """The five shares, fen; they sum to the new profit."""

    retained: int
    senior_wager: int
    middle_bonus: int
    front_line: int
    care_fund: int


def take(waterfall: Waterfall, orders: Iterable[OrderFact]) -> Takings:
    """Add up a period's orders.

    Platform and tax are rounded order by order, half to even, as they were booked.
    """
    taken = Takings()
    allowed, refused = set(waterfall.income_from), set()
    for order in orders:
        income_fen = order.income_fen - order.refund_fen
        platform_fen = (
            order.platform_fen
            if waterfall.platform_bp is None
            else scaled(income_fen, waterfall.platform_bp)
        )
        tax_fen = scaled(income_fen, waterfall.tax_bp)
        profit_fen = income_fen - order.supplier_cost_fen - platform_fen - tax_fen
        taken.income_fen += income_fen
        taken.cost_fen += order.supplier_cost_fen
        taken.platform_fen += platform_fen
        taken.tax_fen += tax_fen
        if allowed and order.pack not in allowed:
            refused.add(order.pack)
            taken.unshared_fen += profit_fen
        else:
            taken.profit_fen += profit_fen
    taken.unshared_packs = frozenset(refused)
    return taken


def share(waterfall: Waterfall, profit_fen: int) -> Shares:
    """Share new profit exactly; a loss stays with the company.

    Source: mission, M3 (reconstructed), Formulas, Pool and rounding.
    """
    if profit_fen <= 0:
        return Shares(profit_fen, 0, 0, 0, 0)
    return Shares(**split(profit_fen, waterfall.shares()))


def waterfall_lines(plan: Plan, taken: Takings, shares: Shares) -> list[Line]:
    """Write the waterfall down, from income to the five shares."""
    of = plan.waterfall
    platform = "Σ" if of.platform_bp is None else f"Σ × {of.platform_bp} bp ÷ 10000"
    steps = [
        _step(INCOME, PLATFORM, "platform", taken.platform_fen, platform),
        _step(INCOME, PLATFORM, "tax", taken.tax_fen, f"Σ × {of.tax_bp} bp ÷ 10000"),
        _step(INCOME, NEW_PROFIT, "", taken.profit_fen + taken.unshared_fen, _profit(taken)),
        _step(NEW_PROFIT, RETAINED, "unshared", taken.unshared_fen, "Σ"),
    ]
    lines = [line for line in steps if line.amount_fen]
    for name, share_bp in of.shares().items():
        lines.append(_share(name, share_bp, getattr(shares, name), taken.profit_fen))
    return lines


def profit_warnings(taken: Takings) -> list[Warned]:
    """Warn of a loss and of income that may not be shared."""
    refused = [Warned(Caution.INCOME_REFUSED, pack) for pack in sorted(taken.unshared_packs)]
    return refused + ([Warned(Caution.LOSS, "", -taken.profit_fen)] if taken.profit_fen < 0 else [])


def _profit(taken: Takings) -> str:
    costs = f"{taken.cost_fen} − {taken.platform_fen} − {taken.tax_fen}"
    return f"{taken.income_fen} − {costs}"


def _step(source: Account, payee: Account, subject: str, fen: int, how: str) -> Line:
    formula = f"{how} = {fen} fen"
    return Line(Rule.WATERFALL, source, payee, subject, fen, formula, {}, Rounding.EXACT)


def _share(name: str, share_bp: int, fen: int, profit_fen: int) -> Line:
    return Line(
        Rule.WATERFALL,
        NEW_PROFIT,
        _PAYEES[name],
        name,
        fen,
        f"{profit_fen} fen × {share_bp} bp ÷ 10000 = {fen} fen",
        {"profit_fen": profit_fen, "share_bp": share_bp},
        Rounding.LARGEST_REMAINDER if profit_fen > 0 else Rounding.EXACT,
        None if fen else Nothing.NO_PROFIT,
    )
