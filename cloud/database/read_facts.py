"""Reads what a month is settled from: its verdicts, orders, people and balances."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, case, func, select

from cloud.database import schema
from cloud.database.books import balances_fen
from cloud.database.fleet import Place, at
from cloud.database.read_month import read_earnings, read_orders, stretch_of
from cloud.settlement.facts import (
    Facts,
    OrderFact,
    Person,
    Receivable,
    Team,
    Wage,
    WagerFact,
)
from cloud.settlement.plans import Plan
from cloud.settlement.profit import Takings, take
from cloud.settlement.wagers import Measure, Side, Wager
from cloud.settlement.waterfall import BONUS, POOL, RETAINED, Account, commission, escrow

TakenOf = Callable[[str], Takings]
"""Says what the orders of an earlier month brought."""


def read_facts(connection: Connection, place: Place, period: str, plan: Plan) -> Facts:
    """Read a month as the plan looks at it.

    A node belongs to the local month of its deed, an order to the month it was booked for. Who
    works as what stands in the plan, unless the order says so. A cancelled order counts as
    refunded in full; every refund that is known counts, whenever it was booked. Pool, retained
    profit and bonus are what earlier months left.
    """

    def taken_of(month: str) -> Takings:
        found = read_orders(connection, stretch_of(connection, place, month), plan)
        return take(plan.waterfall, (order for order, _ in found))

    stretch = stretch_of(connection, place, period)
    orders = read_orders(connection, stretch, plan)
    left = _left(connection, place, period, POOL, RETAINED, BONUS)
    frame = read_frame(connection, place, period, plan, taken_of)
    return replace(
        frame,
        earnings=read_earnings(connection, stretch, plan),
        orders=tuple(order for order, _ in orders),
        teams=_with_tasks(frame.teams, orders),
        receivables=_receivables(connection, place),
        pool_fen=left[POOL],
        retained_fen=left[RETAINED],
        bonus_fen=left[BONUS],
    )


def read_frame(
    connection: Connection, place: Place, period: str, plan: Plan, taken_of: TakenOf
) -> Facts:
    """Read what a month's facts are beside nodes, orders and what the funds hold."""
    return Facts(
        company=place.company,
        site=place.site,
        period=period,
        earnings=(),
        orders=(),
        people=tuple(Person(p.worker, p.role, p.team) for p in plan.staff),
        teams=tuple(Team(t.team, t.leader, t.manager) for t in plan.teams),
        wages=_wages(connection, place, period),
        wagers=tuple(_wager(connection, place, period, w, taken_of) for w in plan.wagers),
    )


def _with_tasks(
    teams: tuple[Team, ...], orders: Iterable[tuple[OrderFact, bool | None]]
) -> tuple[Team, ...]:
    """Count what came down to each team, and what somebody took on."""
    tasks = [(order.team, is_passed_on) for order, is_passed_on in orders]
    return tuple(
        replace(
            team,
            tasks_received=sum(of == team.team for of, passed in tasks if passed is not None),
            tasks_passed=sum(of == team.team for of, passed in tasks if passed),
        )
        for team in teams
    )


def _wages(connection: Connection, place: Place, period: str) -> tuple[Wage, ...]:
    transfers, companies = schema.transfers, schema.companies
    minimum = select(companies.c.minimum_wage_fen).where(companies.c.company == place.company)
    minimum_fen = connection.execute(minimum).scalar_one()
    # Added up here: to group by account, SQLite would walk the transfers of all accounts.
    query = (
        select(transfers.c.credit, transfers.c.amount_fen)
        .where(at(transfers, place), transfers.c.period == period, transfers.c.kind == "wage")
        .where(transfers.c.credit_kind == "wage")
    )
    wages_fen: dict[str, int] = defaultdict(int)
    for account, fen in connection.execute(query):
        wages_fen[account.removeprefix("wage:")] += fen
    return tuple(Wage(worker, fen, 0, minimum_fen) for worker, fen in sorted(wages_fen.items()))


def _receivables(connection: Connection, place: Place) -> tuple[Receivable, ...]:
    accounts = schema.accounts
    query = (
        select(accounts)
        .where(at(accounts, place), accounts.c.kind == "receivable")
        .where(accounts.c.debits_fen > accounts.c.credits_fen)
        .order_by(accounts.c.account)
    )
    return tuple(
        Receivable(
            r.account.removeprefix("receivable:"),
            "claims",
            "clawback",
            0,
            r.debits_fen - r.credits_fen,
        )
        for r in connection.execute(query)
    )


def _left(
    connection: Connection, place: Place, period: str, *accounts: Account
) -> dict[Account, int]:
    """Say what earlier months left on accounts, never below 0: all they hold less what came since.

    Costs what moved since the month began, not the history.
    """
    transfers = schema.transfers
    since = [
        func.sum(
            case(
                (transfers.c.credit == account.name, transfers.c.amount_fen),
                (transfers.c.debit == account.name, -transfers.c.amount_fen),
                else_=0,
            )
        )
        for account in accounts
    ]
    query = select(*since).where(at(transfers, place), transfers.c.period >= period)
    moved = connection.execute(query).one()
    held = balances_fen(connection, place, set(accounts))
    return {
        account: max(0, held[account] - int(fen or 0))
        for account, fen in zip(accounts, moved, strict=True)
    }


def _stake(connection: Connection, place: Place, period: str, account: Account) -> int:
    """Say what an escrow holds for a month: stakes of the month count, its payoff does not."""
    transfers = schema.transfers
    came = _sum(connection, place, transfers.c.credit == account.name, transfers.c.period <= period)
    went = _sum(connection, place, transfers.c.debit == account.name, transfers.c.period < period)
    return max(0, came - went)


def _sum(connection: Connection, place: Place, *which: ColumnElement[bool]) -> int:
    transfers = schema.transfers
    query = select(func.coalesce(func.sum(transfers.c.amount_fen), 0)).where(
        at(transfers, place), *which
    )
    return int(connection.execute(query).scalar_one())


def _wager(
    connection: Connection, place: Place, period: str, wager: Wager, taken_of: TakenOf
) -> WagerFact:
    company, senior = (escrow(wager.key, side) for side in (Side.COMPANY, Side.SENIOR))
    actual_fen = 0
    for target in wager.targets:
        if target.period < period:
            taken = taken_of(target.period)
            is_profit = wager.measure is Measure.NEW_PROFIT
            actual_fen += taken.profit_fen if is_profit else taken.income_fen
    won = _paid(connection, place, period, company, commission(wager.senior))
    lost = _paid(connection, place, period, senior, RETAINED)
    return WagerFact(
        wager.key,
        _stake(connection, place, period, company),
        _stake(connection, place, period, senior),
        actual_fen,
        won - lost,
    )


def _paid(
    connection: Connection, place: Place, period: str, source: Account, payee: Account
) -> int:
    table = schema.transfers.c
    moved = (table.debit == source.name, table.credit == payee.name, table.period < period)
    return _sum(connection, place, *moved)
