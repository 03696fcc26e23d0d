"""Settles a period: what the plan in force makes of its facts, line by line; pure and exact."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from agreed.money import split
from cloud.settlement.deductions import draw_lines, guarantees, recovery_lines
from cloud.settlement.facts import Facts
from cloud.settlement.front_line import by_person, override_lines, person_lines, pool_lines
from cloud.settlement.management import (
    Punctuality,
    bonus_lines,
    fund_bonuses,
    punctuality,
    wager_lines,
)
from cloud.settlement.pieces import Gathered, Seat, crew_warnings, gather, rates_of
from cloud.settlement.plans import Plan
from cloud.settlement.profit import Shares, Takings, profit_warnings, share, take, waterfall_lines
from cloud.settlement.results import (
    Carried,
    Caution,
    Line,
    PeriodResult,
    Piece,
    Rounding,
    Rule,
    Unpaid,
    Warned,
)
from cloud.settlement.wagers import Measure
from cloud.settlement.waterfall import POOL, Account

_PREFIX = "commission:"


@dataclass(slots=True)
class _Draft:
    """A result that is being written."""

    lines: list[Line] = field(default_factory=list)
    unpaid: list[Unpaid] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    def earned(self) -> dict[str, int]:
        """Sum what each person is paid so far."""
        totals: dict[str, int] = defaultdict(int)
        for line in self.lines:
            if line.payee.name.startswith(_PREFIX):
                totals[line.payee.name.removeprefix(_PREFIX)] += line.amount_fen
        return dict(totals)


def settle_period(plan: Plan, facts: Facts) -> PeriodResult:
    """Settle a period under a plan.

    The result depends on neither the order of the facts nor on anything that is not in them:
    the same facts and plan give the same lines. Every share is exact: what goes in comes out.

    Source: mission, M1, M3 (reconstructed), M5, M8, Formulas.
    """
    rates = rates_of(plan, facts)
    gathered, pieces = gather(rates, facts)
    counts = punctuality(facts.orders, frozenset(plan.carved_out))
    added = Added(gathered, take(plan.waterfall, facts.orders), counts)
    return settle_added(plan, facts, added, pieces, crew_warnings(rates, facts))


@dataclass(frozen=True, slots=True)
class Added:
    """A period's nodes and orders, added up."""

    gathered: Gathered
    taken: Takings
    counts: Punctuality


def settle_added(
    plan: Plan,
    facts: Facts,
    added: Added,
    pieces: Iterable[Piece] = (),
    warnings: Iterable[Warned] = (),
) -> PeriodResult:
    """Settle a period whose nodes and orders are added up already; those of the facts rest."""
    taken, shares = added.taken, share(plan.waterfall, added.taken.profit_fen)
    draft = _Draft(waterfall_lines(plan, taken, shares), [], [*warnings, *profit_warnings(taken)])
    _pay_front_line(draft, plan, facts, added.gathered, shares)
    _pay_management(draft, plan, facts, added, shares)
    _advance_and_recover(draft, plan, facts, added.gathered, shares)
    return PeriodResult(
        facts.site,
        facts.period,
        tuple(sorted(draft.lines, key=lambda line: line.key)),
        tuple(sorted(draft.unpaid, key=lambda u: (u.payee.name, u.rule, u.subject))),
        tuple(sorted(draft.warnings, key=lambda w: (w.caution, w.subject))),
        tuple(pieces),
        taken.profit_fen,
        sum(wage.base_fen for wage in facts.wages),
    )


def _pay_front_line(
    draft: _Draft, plan: Plan, facts: Facts, gathered: Gathered, shares: Shares
) -> None:
    people = by_person(gathered, (person.worker for person in facts.people))
    lines = [line for worker in people for line in person_lines(plan, worker, people[worker])]
    lines += override_lines(plan, gathered, facts.teams)
    lines += pool_lines(plan, gathered, shares.front_line)
    due: dict[Account, int] = defaultdict(int)
    for line in lines:
        due[line.payee] += line.amount_fen
    draft.lines += lines
    _cut(draft, due, max(0, shares.front_line + facts.pool_fen))


def _cut(draft: _Draft, due: dict[Account, int], funds_fen: int) -> None:
    """Leave unpaid what the pool does not hold: everybody the same part, exactly."""
    total_fen = sum(due.values())
    if total_fen <= funds_fen:
        return
    draft.warnings.append(Warned(Caution.POOL_SHORT, "", total_fen - funds_fen))
    paid = split(funds_fen, {payee.name: fen for payee, fen in due.items()})
    for payee, due_fen in due.items():
        missing_fen = due_fen - paid[payee.name]
        if not missing_fen:
            continue
        how = f"{funds_fen} fen × {due_fen} ÷ {total_fen} − {due_fen} = {-missing_fen} fen"
        inputs = {"funds_fen": funds_fen, "due_fen": due_fen, "all_due_fen": total_fen}
        rounding = Rounding.LARGEST_REMAINDER
        draft.lines.append(
            Line(Rule.SHORTAGE, POOL, payee, "pool", -missing_fen, how, inputs, rounding)
        )
        draft.unpaid.append(Unpaid(payee, Rule.SHORTAGE, "pool", missing_fen, Carried.POOL_SHORT))


def _pay_management(draft: _Draft, plan: Plan, facts: Facts, added: Added, shares: Shares) -> None:
    bonuses = bonus_lines(plan, facts.teams, added.counts)
    cuts, unpaid = fund_bonuses(bonuses, shares.middle_bonus + facts.bonus_fen)
    taken = added.taken
    measured = {Measure.NEW_PROFIT: taken.profit_fen, Measure.INCOME: taken.income_fen}
    known = {fact.wager: fact for fact in facts.wagers}
    wagers, warnings = wager_lines(plan, facts.period, known, measured)
    draft.lines += [*bonuses, *cuts, *wagers]
    draft.unpaid += unpaid
    draft.warnings += warnings


def _advance_and_recover(
    draft: _Draft, plan: Plan, facts: Facts, gathered: Gathered, shares: Shares
) -> None:
    earned = draft.earned()
    guaranteed = guarantees(plan, _roles(facts, gathered))
    retained_fen = facts.retained_fen + shares.retained
    draws, unpaid = draw_lines(guaranteed, earned, retained_fen)
    kept = {g.worker: g.draw.guaranteed_fen for g in guaranteed}
    wages = {wage.worker: wage for wage in facts.wages}
    recoveries, carried, warnings = recovery_lines(plan, facts.receivables, wages, earned, kept)
    draft.lines += [*draws, *recoveries]
    draft.unpaid += [*unpaid, *carried]
    draft.warnings += warnings


def _roles(facts: Facts, gathered: Gathered) -> dict[str, set[str]]:
    roles: dict[str, set[str]] = defaultdict(set)
    seats = [*gathered, *(Seat(p.worker, p.role, p.team) for p in facts.people)]
    for seat in seats:
        roles[seat.worker].add(seat.role)
    return dict(roles)
