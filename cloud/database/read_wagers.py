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
    """Say what lies in escrow by wager: now, or what months up to `period` left.

    Wagers with nothing in escrow are left out.
    """
    accounts = schema.accounts
    balance = accounts.c.credits_fen - accounts.c.debits_fen
    query = select(accounts.c.account, balance).where(
        at(accounts, place), accounts.c.kind == _ESCROW
    )
    held: dict[str, dict[str, int]] = defaultdict(dict)
    for name, fen in connection.execute(query.order_by(accounts.c.account)):
        since_fen = 0 if period is None else _since(connection, place, name, period)
        _, wager, of_side = name.split(":")
        held[wager][of_side] = int(fen) - since_fen
    return {
        wager: Stakes(sides.get(Side.COMPANY, 0), sides.get(Side.SENIOR, 0))
        for wager, sides in sorted(held.items())
        if any(sides.values())
    }


def _since(connection: Connection, place: Place, account: str, period: str) -> int:
    """Sum what came to an account after a month, less what left it, fen."""
    transfers = schema.transfers
    sums = []
    for side in (transfers.c.credit, transfers.c.debit):
        fen = func.coalesce(func.sum(transfers.c.amount_fen), 0)
        query = select(fen).where(at(transfers, place), side == account)
        sums.append(int(connection.execute(query.where(transfers.c.period > period)).scalar_one()))
    return sums[0] - sums[1]
