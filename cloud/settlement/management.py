"""Pay above the front line: the middle bonus, and the senior's wager."""

from collections.abc import Iterable, Mapping

from agreed.limits import BASIS_POINTS
from agreed.money import split
from cloud.settlement.bands import half_even
from cloud.settlement.facts import OrderFact, Team, WagerFact
from cloud.settlement.plans import Plan
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
from cloud.settlement.wagers import Measure, Side, Wager, due_fen, payoff_fen
from cloud.settlement.waterfall import BONUS, RETAINED, commission, escrow

Punctuality = Mapping[str, tuple[int, int]]
"""Team to (orders on time and in full, orders due)."""


def punctuality(
    orders: Iterable[OrderFact], carved_out: frozenset[str]
) -> dict[str, tuple[int, int]]:
    """Count each team's orders; those of carved-out segments count neither way."""
    counts: dict[str, tuple[int, int]] = {}
    for order in orders:
        if order.is_on_time is not None and order.segment not in carved_out:
            kept, due = counts.get(order.team, (0, 0))
            counts[order.team] = kept + order.is_on_time, due + 1
    return counts


def bonus_lines(plan: Plan, teams: Iterable[Team], counts: Punctuality) -> list[Line]:
    """Say what each manager is due, before the bonus pool is looked at.

    Source: mission, Formulas, Middle bonus.
    """
    if plan.middle_bonus is None:
        return []
    led = sorted((team for team in teams if team.manager), key=lambda team: team.team)
    return [_bonus(plan, team, *counts.get(team.team, (0, 0))) for team in led]


def fund_bonuses(lines: list[Line], pool_fen: int) -> tuple[list[Line], list[Unpaid]]:
    """Cut bonuses to what the pool holds, exactly and in proportion; the rest waits."""
    due = {line.subject: line.amount_fen for line in lines if line.amount_fen}
    total_fen = sum(due.values())
    if total_fen <= max(0, pool_fen):
        return [], []
    paid = split(max(0, pool_fen), due)
    payees = {line.subject: line.payee for line in lines}
    missing = {team: due[team] - fen for team, fen in paid.items() if due[team] > fen}
    cuts = [
        Line(
            Rule.SHORTAGE,
            BONUS,
            payees[team],
            f"bonus/{team}",
            -fen,
            f"{max(0, pool_fen)} fen × {due[team]} ÷ {total_fen} − {due[team]} = {-fen} fen",
            {"pool_fen": pool_fen, "due_fen": due[team], "all_due_fen": total_fen},
            Rounding.LARGEST_REMAINDER,
        )
        for team, fen in missing.items()
    ]
    unpaid = [
        Unpaid(payees[team], Rule.BONUS, team, fen, Carried.BONUS_SHORT)
        for team, fen in missing.items()
    ]
    return cuts, unpaid


def wager_lines(
    plan: Plan, period: str, facts: Mapping[str, WagerFact], measured_fen: Mapping[Measure, int]
) -> tuple[list[Line], list[Warned]]:
    """Settle every wager in force, from its escrow alone.

    Args:
        plan: its wagers are signed.
        period: 2026-03.
        facts: how each wager stood before, by its key.
        measured_fen: of this period, by `Measure`.
    """
    lines, warnings = [], []
    for wager in plan.wagers:
        promised_fen = wager.promised_fen(period)
        if promised_fen is None:
            continue
        fact = facts.get(wager.key, WagerFact(wager.key, 0, 0, 0, 0))
        actual_fen = fact.actual_fen + measured_fen[wager.measure]
        missing_fen = _missing(wager, fact)
        if missing_fen:
            warnings.append(Warned(Caution.WAGER_UNFUNDED, wager.key, missing_fen))
        lines.append(_wager(wager, period, fact, actual_fen, is_funded=not missing_fen))
    return lines, warnings


def _bonus(plan: Plan, team: Team, kept: int, due: int) -> Line:
    terms = plan.middle_bonus
    assert terms is not None
    passed = min(team.tasks_passed, team.tasks_received)
    fen = 0
    nothing = Nothing.NO_ORDERS if not due else Nothing.NO_SCORE
    if not passed:
        nothing = Nothing.NOT_PASSED_ON
    elif due:
        above, below = kept * BASIS_POINTS, due * terms.target_bp
        if above * BASIS_POINTS > terms.cap_bp * below:
            above, below = terms.cap_bp, BASIS_POINTS
        fen = half_even(terms.base_fen * above * passed, below * team.tasks_received)
    ratio = f"min({terms.cap_bp} bp, {kept} ÷ {due} ÷ {terms.target_bp} bp)"
    return Line(
        Rule.BONUS,
        BONUS,
        commission(team.manager),
        team.team,
        fen,
        f"{terms.base_fen} fen × {ratio} × {passed} ÷ {team.tasks_received} = {fen} fen",
        {
            "base_fen": terms.base_fen,
            "on_time": kept,
            "due": due,
            "target_bp": terms.target_bp,
            "cap_bp": terms.cap_bp,
            "passed": passed,
            "received": team.tasks_received,
        },
        Rounding.HALF_EVEN,
        None if fen else nothing,
    )


def _missing(wager: Wager, fact: WagerFact) -> int:
    company_fen, senior_fen = wager.stakes_fen(fact.paid_fen)
    return max(0, company_fen - fact.company_fen) + max(0, senior_fen - fact.senior_fen)


def _wager(wager: Wager, period: str, fact: WagerFact, actual_fen: int, *, is_funded: bool) -> Line:
    payoff = payoff_fen(wager, period, actual_fen)
    due = due_fen(wager, payoff, fact.paid_fen) if is_funded else 0
    due = max(-fact.senior_fen, min(due, fact.company_fen))
    side, payee = (Side.SENIOR, RETAINED) if due < 0 else (Side.COMPANY, commission(wager.senior))
    promised_fen = wager.promised_fen(period) or 0
    nothing = Nothing.IN_DEAD_BAND if not payoff and not fact.paid_fen else Nothing.ALREADY_PAID
    return Line(
        Rule.WAGER,
        escrow(wager.key, side),
        payee,
        wager.key,
        abs(due),
        f"{_payoff_text(wager, actual_fen, promised_fen, payoff)}; − {fact.paid_fen} = {due} fen",
        {"actual_fen": actual_fen, "target_fen": promised_fen, "paid_fen": fact.paid_fen},
        Rounding.HALF_EVEN,
        None if due else nothing if is_funded else Nothing.NOT_FUNDED,
    )


def _payoff_text(wager: Wager, actual_fen: int, promised_fen: int, payoff: int) -> str:
    if payoff == 0:
        return f"|{actual_fen} − {promised_fen}| ≤ {wager.dead_band_fen}: 0"
    band_fen = wager.dead_band_fen if actual_fen > promised_fen else -wager.dead_band_fen
    beyond = f"{actual_fen} − {promised_fen} − ({band_fen})"
    swing = f"({beyond}) × {wager.participation_bp} bp ÷ 10000"
    return f"[−{wager.down_fen}, {wager.up_fen}] {swing} = {payoff} fen"
