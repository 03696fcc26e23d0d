"""Reads wagers as they were signed, and what their sides have in escrow."""

from collections import defaultdict

from sqlalchemy import Connection, func, select

from cloud.database import schema
from cloud.database.fleet import Place, at
from cloud.database.plan_books import COMPANY_WIDE, plan_versions
from cloud.settlement.releasing import Stakes
from cloud.settlement.wagers import Side, Wager

_ESCROW = "escrow"


def signed_wagers(connection: Connection, place: Place) -> dict[str, Wager]:
    """Find every wager that a plan of a site ever held, as it was signed last, by key."""
    found: dict[str, Wager] = {}
    for site in (place.site, COMPANY_WIDE):
        for published in plan_versions(connection, place.company, site):
            for wager in published.plan.wagers:
                found.setdefault(wager.key, wager)
    return found


def stakes_of(connection: Connection, place: Place, period: str | None = None) -> dict[str, Stakes]:
    """Sum what lies in escrow by wager: now, or what months up to `period` left.

    Wagers with nothing in escrow are left out.
    """
    transfers = schema.transfers
    held: dict[str, dict[str, int]] = defaultdict(dict)
    for side, sign in (("credit", 1), ("debit", -1)):
        account = transfers.c[side]
        query = (
            select(account, func.sum(transfers.c.amount_fen))
            .where(at(transfers, place), transfers.c[f"{side}_kind"] == _ESCROW)
            .group_by(account)
        )
        if period is not None:
            query = query.where(transfers.c.period <= period)
        for name, fen in connection.execute(query):
            _, wager, of_side = name.split(":")
            held[wager][of_side] = held[wager].get(of_side, 0) + sign * int(fen)
    return {
        wager: Stakes(sides.get(Side.COMPANY, 0), sides.get(Side.SENIOR, 0))
        for wager, sides in sorted(held.items())
        if any(sides.values())
    }
