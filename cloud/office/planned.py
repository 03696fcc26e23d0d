"""Asks the plan in force what a month's run adds to piece rates."""

from dataclasses import replace

from sqlalchemy import Connection

from agreed.limits import AMOUNT_FEN_MAX
from cloud.database import plan_books, read_restating, read_wagers
from cloud.database.fleet import Place
from cloud.database.month_sums import read_sums
from cloud.database.read_facts import read_frame
from cloud.settlement import order_sums
from cloud.settlement.additions import additions
from cloud.settlement.period import settle_added
from cloud.settlement.plans import Plan
from cloud.settlement.profit import Takings
from cloud.settlement.releasing import after_payoff, is_over, releases
from cloud.settlement.restating import restated, standing
from cloud.settlement.running import Extra, Planned
from cloud.settlement.wagers import Wager


def plan_additions(connection: Connection, place: Place, period: str) -> Planned:
    """Settle a month under the plan in force, and list what the books lack of it.

    What is due is settled in full, as if every fund were full: a run that the books cannot pay is
    refused instead of being cut. Closed months that refunds or later records have changed are
    settled again under the plans of their own runs; the difference is restated here. Stakes of
    wagers that are over or withdrawn go back.
    """
    restating = _restatements(connection, place, period)
    published = plan_books.plan_in_force(connection, place, period)
    if published is None:
        given_back = _releases(connection, place, period, (), [])
        return Planned(extras=(*restating, *given_back))
    plan = published.plan
    extras = _added(connection, place, period, plan)
    extras += _releases(connection, place, period, plan.wagers, extras)
    extras += restating
    return Planned(f"{plan.key}/{published.version}", tuple(extras), plan.recovery.cap_bp)


def _added(connection: Connection, place: Place, period: str, plan: Plan) -> list[Extra]:
    """Settle a month from sums, of which only the orders that changed are read again."""

    def taken_of(month: str) -> Takings:
        return order_sums.read(read_sums(connection, place, month, plan)).added.taken

    full = AMOUNT_FEN_MAX
    sums = order_sums.read(read_sums(connection, place, period, plan))
    frame = read_frame(connection, place, period, plan, taken_of)
    teams = order_sums.with_tasks(frame.teams, sums)
    facts = replace(frame, teams=teams, pool_fen=full, retained_fen=full, bonus_fen=full)
    settled = settle_added(plan, facts, sums.added)
    return additions(settled, sums.accrued_fen, sums.booked_fen, sums.refunded)


def _releases(
    connection: Connection,
    place: Place,
    period: str,
    in_force: tuple[Wager, ...],
    extras: list[Extra],
) -> list[Extra]:
    """Give back the stakes of wagers that end with this month or that no plan holds any more."""
    signed = read_wagers.signed_wagers(connection, place)
    now = read_wagers.stakes_of(connection, place)
    found: list[Extra] = []
    for key, stakes in read_wagers.stakes_of(connection, place, period).items():
        why = is_over(signed[key], period, in_force)
        if why is not None and key in now:
            # What went back by hand in a later month is not there any more.
            left = after_payoff(signed[key], stakes.at_most(now[key]), extras)
            found += releases(signed[key], left, why)
    return found


def _restatements(connection: Connection, place: Place, period: str) -> list[Extra]:
    """Settle again each closed month within reach that something has changed since."""
    found: list[Extra] = []
    for month, plan in read_restating.settled_months(connection, place, period):
        causes = read_restating.causes(connection, place, month)
        if causes:
            posted_fen = read_restating.posted_fen(connection, place, month)
            now = _added(connection, place, month, plan)
            found += restated(month, posted_fen, now, causes, standing(plan))
    return found
