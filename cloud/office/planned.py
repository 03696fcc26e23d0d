"""Asks the plan in force what a month's run adds to piece rates."""

from dataclasses import replace

from sqlalchemy import Connection

from agreed.limits import AMOUNT_FEN_MAX
from cloud.database import plan_books
from cloud.database.fleet import Place
from cloud.database.read_facts import read_accrued, read_booked, read_facts
from cloud.settlement.additions import additions
from cloud.settlement.period import settle_period
from cloud.settlement.running import Planned


def plan_additions(connection: Connection, place: Place, period: str) -> Planned:
    """Settle a month under the plan in force, and list what the books lack of it.

    What is due is settled in full, as if every fund were full: a run that the books cannot pay is
    refused instead of being cut.
    """
    published = plan_books.plan_in_force(connection, place, period)
    if published is None:
        return Planned()
    plan = published.plan
    full = AMOUNT_FEN_MAX
    facts = read_facts(connection, place, period, plan)
    facts = replace(facts, pool_fen=full, retained_fen=full, bonus_fen=full, receivables=())
    extras = additions(
        settle_period(plan, facts),
        read_accrued(connection, place, period),
        read_booked(connection, place, period),
    )
    return Planned(f"{plan.key}/{published.version}", tuple(extras), plan.recovery.cap_bp)
