"""What if: another plan over past months, without posting; who gains, who loses, what moves pay."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from agreed.limits import BASIS_POINTS
from cloud.settlement.adding import Sums, add_nodes, add_orders
from cloud.settlement.management import Punctuality
from cloud.settlement.past import Orders, Past
from cloud.settlement.period import Added, settle_added
from cloud.settlement.pieces import Seat, Work
from cloud.settlement.plans import Plan
from cloud.settlement.results import PeriodResult, Rule
from cloud.settlement.waterfall import RETAINED

SLOPE_BP_MIN: Final = 1_000
"""Below a tenth of full proportion good and bad work is paid alike (做好做不好都一个样): ours."""

_WORK: Final = ("piece_fen", "nodes", "rated", "refunded", "pieces", "score_bp")


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How far a team's variable pay follows its scores.

    Attributes:
        people: who were compared.
        slope_bp: 10,000: pay falls in proportion with the score; 0: not at all. None where all
            scores are equal, which tells nothing.
    """

    team: str
    people: int
    slope_bp: int | None

    @property
    def is_flat(self) -> bool:
        """Say whether good and bad work is paid alike."""
        return self.slope_bp is not None and self.slope_bp < SLOPE_BP_MIN


@dataclass(frozen=True, slots=True)
class Trial:
    """What a plan makes of a stretch.

    Attributes:
        results: one for each month and site; without the pieces behind the lines.
        paid_fen: by person, all mechanisms together.
        company_fen: what the company keeps.
        ratio_bp: new profit to base wages; None where no wages are known.
    """

    results: tuple[PeriodResult, ...]
    paid_fen: Mapping[str, int]
    company_fen: int
    new_profit_fen: int
    wages_fen: int
    ratio_bp: int | None
    sensitivity: tuple[Sensitivity, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One person under two plans."""

    worker: str
    before_fen: int
    after_fen: int

    @property
    def gain_fen(self) -> int:
        """Say what the change gives; negative when it takes."""
        return self.after_fen - self.before_fen


def try_plan(plan: Plan, past: Past) -> Trial:
    """Settle a stretch under a plan; each month's lines equal those of `settle_period`.

    What a month begins with (pool, receivables, escrows) stays as it was recorded. The pieces
    behind the lines, and cautions about crews, are left to a run.

    Source: mission, M1 (sensitivity, new profit ÷ wage sum).
    """
    sums = add_nodes(plan, past)
    results = tuple(
        settle_added(plan, facts, added)
        for facts, added in zip(past.months, _added(plan, past, sums), strict=True)
    )
    paid: dict[str, int] = defaultdict(int)
    company_fen = 0
    for result in results:
        for account, fen in result.totals_fen().items():
            if account.kind == "commission":
                paid[account.name.removeprefix("commission:")] += fen
        company_fen += _kept(result)
    profit_fen = sum(result.new_profit_fen for result in results)
    wages_fen = sum(result.wages_fen for result in results)
    return Trial(
        results,
        dict(sorted(paid.items())),
        company_fen,
        profit_fen,
        wages_fen,
        profit_fen * BASIS_POINTS // wages_fen if wages_fen else None,
        _sensitivity(past, sums, results),
    )


def compare(before: Trial, after: Trial) -> list[Change]:
    """Say who gains and who loses, the greatest loss first."""
    workers = sorted({*before.paid_fen, *after.paid_fen})
    changes = [Change(w, before.paid_fen.get(w, 0), after.paid_fen.get(w, 0)) for w in workers]
    return sorted(changes, key=lambda change: (change.gain_fen, change.worker))


def slope_bp(scores: list[tuple[int, int]], pays: list[int]) -> int | None:
    """Give the slope of pay on score: cov(score, pay) ÷ var(score), basis points.

    Args:
        scores: each person's score as (sum of full pay × score, full pay), full pay > 0.
        pays: each person's variable pay, fen.

    Returns:
        10,000 where pay is the score's part of full pay; None where all scores are equal.

    Source: mission, M1 (sensitivity).
    """
    xs = [weighed // full for weighed, full in scores]
    ys = [pay * BASIS_POINTS // full for pay, (_, full) in zip(pays, scores, strict=True)]
    count = len(xs)
    spread = count * sum(x * x for x in xs) - sum(xs) ** 2
    if not spread:
        return None
    joint = count * sum(x * y for x, y in zip(xs, ys, strict=True)) - sum(xs) * sum(ys)
    return joint * BASIS_POINTS // spread


def _kept(result: PeriodResult) -> int:
    gained = sum(line.amount_fen for line in result.lines if line.payee == RETAINED)
    return gained - sum(line.amount_fen for line in result.lines if line.source == RETAINED)


def _added(plan: Plan, past: Past, sums: Sums) -> list[Added]:
    gathered: list[dict[Seat, Work]] = [{} for _ in past.months]
    rows = zip(*(getattr(sums, name).tolist() for name in _WORK), strict=True)
    for (month, seat), row in zip(past.seats, rows, strict=True):
        gathered[month][seat] = Work(*row)
    bounds = np.searchsorted(past.orders.month, np.arange(len(past.months) + 1)).tolist()
    added = []
    for number in range(len(past.months)):
        part = slice(bounds[number], bounds[number + 1])
        orders = Orders(*(getattr(past.orders, name)[part] for name in Orders.__slots__))
        taken = add_orders(plan.waterfall, orders, past.packs)
        added.append(Added(gathered[number], taken, _punctuality(plan, past, orders)))
    return added


def _punctuality(plan: Plan, past: Past, orders: Orders) -> Punctuality:
    is_carved_out = np.array([s in plan.carved_out for s in past.segments], dtype=np.bool_)
    counts = orders.is_on_time >= 0
    if len(past.segments):
        counts &= ~is_carved_out[orders.segment]
    due = np.bincount(orders.team[counts], minlength=len(past.teams)).tolist()
    kept = np.bincount(
        orders.team[counts & (orders.is_on_time == 1)], minlength=len(past.teams)
    ).tolist()
    return {team: (kept[i], due[i]) for i, team in enumerate(past.teams) if due[i]}


def _sensitivity(
    past: Past, sums: Sums, results: tuple[PeriodResult, ...]
) -> tuple[Sensitivity, ...]:
    pay: list[dict[str, int]] = []
    for result in results:
        paid: dict[str, int] = defaultdict(int)
        for line in result.lines:
            if line.payee.kind == "commission" and line.rule not in {Rule.DRAW, Rule.RECOVERY}:
                paid[line.payee.name.removeprefix("commission:")] += line.amount_fen
        pay.append(paid)
    return tuple(
        Sensitivity(team, len(scores), slope_bp(scores, pays))
        for team, (scores, pays) in sorted(_by_team(past, sums, pay).items())
    )


def _by_team(
    past: Past, sums: Sums, pay: list[dict[str, int]]
) -> dict[str, tuple[list[tuple[int, int]], list[int]]]:
    """Put each person of each month into the team of most of the work."""
    best: dict[tuple[int, str], tuple[int, str]] = {}
    of: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    full, weighed = sums.full_fen.tolist(), sums.weighed_bp.tolist()
    for i, (month, seat) in enumerate(past.seats):
        person = month, seat.worker
        best[person] = max(best.get(person, (-1, "")), (full[i], seat.team))
        of[person][0] += weighed[i]
        of[person][1] += full[i]
    found: dict[str, tuple[list[tuple[int, int]], list[int]]] = defaultdict(lambda: ([], []))
    for (month, worker), (weight, total) in of.items():
        if total:
            scores, pays = found[best[month, worker][1]]
            scores.append((weight, total))
            pays.append(pay[month].get(worker, 0))
    return found
