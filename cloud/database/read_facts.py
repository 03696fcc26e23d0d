"""Reads what a month is settled from: its verdicts, orders, people and balances."""

from collections import defaultdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, case, cast, func, select

from agreed.money import scaled
from agreed.promises import Verdict
from cloud.database import schema
from cloud.database.books import balances_fen, calendar
from cloud.database.fleet import Place, at
from cloud.settlement.facts import (
    Earning,
    Facts,
    Member,
    OrderFact,
    Person,
    Receivable,
    Team,
    Wage,
    WagerFact,
)
from cloud.settlement.packs import Pack
from cloud.settlement.periods import span_ms
from cloud.settlement.plans import Plan
from cloud.settlement.profit import take
from cloud.settlement.wagers import Measure, Side, Wager
from cloud.settlement.waterfall import BONUS, POOL, RETAINED, Account, commission, escrow


def read_facts(connection: Connection, place: Place, period: str, plan: Plan) -> Facts:
    """Read a month as the plan looks at it.

    A node belongs to the local month of its deed, an order to the month it was booked for. Who
    works as what stands in the plan, unless the order says so. A cancelled order counts as
    refunded in full; every refund that is known counts, whenever it was booked. Pool, retained
    profit and bonus are what earlier months left.
    """
    orders = _orders(connection, place, period, plan)
    left = _left(connection, place, period, POOL, RETAINED, BONUS)
    return Facts(
        company=place.company,
        site=place.site,
        period=period,
        earnings=read_earnings(connection, place, period, plan),
        orders=orders,
        people=tuple(Person(p.worker, p.role, p.team) for p in plan.staff),
        teams=_teams(connection, place, period, plan),
        wages=_wages(connection, place, period),
        receivables=_receivables(connection, place),
        wagers=tuple(_wager(connection, place, period, plan, w) for w in plan.wagers),
        pool_fen=left[POOL],
        retained_fen=left[RETAINED],
        bonus_fen=left[BONUS],
    )


def read_accrued(connection: Connection, place: Place, period: str) -> dict[str, int]:
    """Sum what the verdicts in force paid each worker for a month's nodes, fen."""
    lines = schema.lines
    query = (
        _newest_lines(connection, place, period)
        .where(lines.c.status.in_(("posted", "held")))
        .with_only_columns(lines.c.worker, func.sum(lines.c.amount_fen))
        .group_by(lines.c.worker)
    )
    return {worker: int(fen) for worker, fen in connection.execute(query)}


def read_booked(connection: Connection, place: Place, period: str) -> dict[Account, int]:
    """Sum what the waterfalls of a month's orders brought pool, platform and company, fen."""
    transfers, orders = schema.transfers, schema.orders
    from_ms, until_ms = _span(connection, place, period)
    same = (
        (orders.c.company == transfers.c.company)
        & (orders.c.site == transfers.c.site)
        & (orders.c.order_id == transfers.c.order_id)
    )
    booked: dict[Account, int] = defaultdict(int)
    for side, sign in (("credit", 1), ("debit", -1)):
        account, kind = transfers.c[side], transfers.c[f"{side}_kind"]
        query = (
            select(account, kind, func.sum(transfers.c.amount_fen))
            .join(orders, same)
            .where(at(transfers, place), transfers.c.kind.in_(("waterfall", "income_reversal")))
            .where(kind.in_(("pool", "platform", "retained")))
            .where(orders.c.booked_from_ms >= from_ms, orders.c.booked_from_ms < until_ms)
            .group_by(account, kind)
        )
        for name, of_kind, fen in connection.execute(query):
            booked[Account(name, of_kind)] += sign * int(fen)
    return dict(booked)


def refunded_fen(connection: Connection, place: Place) -> dict[str, int]:
    """Sum what went back to residents by order, fen; orders without a refund are left out."""
    refunds = schema.refunds
    query = (
        select(refunds.c.order_id, func.sum(refunds.c.amount_fen))
        .where(at(refunds, place))
        .group_by(refunds.c.order_id)
    )
    return {order_id: int(fen) for order_id, fen in connection.execute(query)}


def _span(connection: Connection, place: Place, period: str) -> tuple[int, int]:
    return span_ms(period, calendar(connection, place).utc_offset_minutes)


def _posts(plan: Plan) -> dict[str, tuple[str, str]]:
    posts: dict[str, tuple[str, str]] = {}
    for post in plan.staff:
        posts.setdefault(post.worker, (post.role, post.team))
    return posts


def _team_of(plan: Plan, worker: str) -> str:
    """Find the team of an order; with one team, work that nobody has yet is its own."""
    only = plan.teams[0].team if len(plan.teams) == 1 else ""
    return _posts(plan).get(worker, ("", "" if worker else only))[1]


def _newest_lines(connection: Connection, place: Place, period: str) -> Select[Any]:
    lines, promises = schema.lines, schema.promises
    from_ms, until_ms = _span(connection, place, period)
    newest = (
        (promises.c.company == lines.c.company)
        & (promises.c.site == lines.c.site)
        & (promises.c.order_id == lines.c.order_id)
        & (promises.c.node == lines.c.node)
        & (promises.c.revision == lines.c.revision)
    )
    return (
        select(lines)
        .join(promises, newest)
        .where(at(lines, place), lines.c.kind == "pay", lines.c.worker != "")
        .where(lines.c.at_ms >= from_ms, lines.c.at_ms < until_ms)
        # A deed is posted in its own month or a later one: the index leads past the history.
        .where(lines.c.period >= period)
    )


def read_earnings(
    connection: Connection, place: Place, period: str, plan: Plan, worker: str | None = None
) -> tuple[Earning, ...]:
    """Read the decided nodes of a month; of a worker also those that a crew shared."""
    lines, promises, orders = schema.lines, schema.promises, schema.orders
    same_order = (
        (orders.c.company == promises.c.company)
        & (orders.c.site == promises.c.site)
        & (orders.c.order_id == promises.c.order_id)
    )
    query: Select[Any] = (
        _newest_lines(connection, place, period)
        .join(orders, same_order)
        .with_only_columns(
            lines.c.order_id,
            lines.c.node,
            lines.c.worker,
            lines.c.verdict,
            lines.c.at_ms,
            lines.c.reason,
            promises.c.role,
            promises.c.quantity,
            promises.c.crew,
            orders.c.segment,
            orders.c.income_fen,
        )
        .order_by(lines.c.order_id, lines.c.node)
    )
    if worker is not None:
        is_shared = cast(promises.c.crew, Text) != "[]"
        query = query.where((lines.c.worker == worker) | is_shared)
    posts, back = _posts(plan), refunded_fen(connection, place)
    return tuple(
        _earning(row, *posts.get(row.worker, ("", "")), back.get(row.order_id, 0))
        for row in connection.execute(query)
    )


def _earning(row: Row[Any], role: str, team: str, refund_fen: int) -> Earning:
    reason, proof = row.reason, ""
    if reason["evidence"]:
        evidence = reason["evidence"]
        proof = f"{evidence['box']}/{evidence['epoch']}/{evidence['sequence']}"
    return Earning(
        order_id=row.order_id,
        node=row.node,
        pack=reason["pack"],
        pack_version=reason["pack_version"],
        worker=row.worker,
        role=row.role or role,
        team=team,
        at_ms=row.at_ms,
        quantity=row.quantity,
        rate_fen=reason["rate_fen"],
        score_bp=reason["score_bp"],
        verdict=Verdict(row.verdict),
        segment=row.segment,
        proof=proof,
        crew=tuple(Member(member["worker"], member["role"]) for member in row.crew),
        is_refunded=0 < row.income_fen <= refund_fen,
    )


def _orders(connection: Connection, place: Place, period: str, plan: Plan) -> tuple[OrderFact, ...]:
    orders = schema.orders
    from_ms, until_ms = _span(connection, place, period)
    query: Select[Any] = (
        select(
            orders.c.order_id,
            orders.c.pack,
            orders.c.pack_version,
            orders.c.worker,
            orders.c.status,
            orders.c.income_fen,
            orders.c.segment,
        )
        .where(at(orders, place))
        .where(orders.c.booked_from_ms >= from_ms, orders.c.booked_from_ms < until_ms)
        .order_by(orders.c.order_id)
    )
    kept = _kept(connection, place, from_ms, until_ms)
    rows = connection.execute(query).all()
    teams = {worker: _team_of(plan, worker) for worker in {row.worker for row in rows}}
    back = refunded_fen(connection, place)
    packs = _packs(connection, place, {(row.pack, row.pack_version) for row in rows})
    return tuple(
        _order(
            row,
            packs[row.pack, row.pack_version],
            teams[row.worker],
            kept.get(row.order_id),
            back.get(row.order_id, 0),
        )
        for row in rows
    )


def _packs(
    connection: Connection, place: Place, wanted: set[tuple[str, int]]
) -> dict[tuple[str, int], Pack]:
    """Read pack versions, each once: a month has many orders of few packs."""
    packs, found = schema.packs, {}
    for key, version in sorted(wanted):
        query = select(packs.c.content).where(
            packs.c.company == place.company, packs.c.pack == key, packs.c.version == version
        )
        found[key, version] = Pack.model_validate(connection.execute(query).scalar_one())
    return found


def _order(
    row: Row[Any], pack: Pack, team: str, is_on_time: bool | None, refund_fen: int
) -> OrderFact:
    is_cancelled = row.status == "cancelled"
    back_fen = row.income_fen if is_cancelled else min(refund_fen, row.income_fen)
    kept_fen = row.income_fen - back_fen
    cost_fen = min(pack.supplier_cost_fen, kept_fen)
    return OrderFact(
        order_id=row.order_id,
        pack=row.pack,
        team=team,
        income_fen=row.income_fen,
        supplier_cost_fen=cost_fen,
        platform_fen=min(scaled(kept_fen, pack.platform_bp), kept_fen - cost_fen),
        refund_fen=back_fen,
        segment=row.segment,
        is_on_time=None if is_cancelled else is_on_time,
    )


def _kept(
    connection: Connection, place: Place, from_ms: int, until_ms: int
) -> dict[str, bool | None]:
    """Say of each order whether every node was kept; None while one is open."""
    orders, promises = schema.orders, schema.promises
    same = (
        (promises.c.company == orders.c.company)
        & (promises.c.site == orders.c.site)
        & (promises.c.order_id == orders.c.order_id)
    )
    query = (
        select(promises.c.order_id, promises.c.verdict)
        .join(orders, same)
        .where(at(orders, place), promises.c.is_withdrawn.is_(False))
        .where(orders.c.booked_from_ms >= from_ms, orders.c.booked_from_ms < until_ms)
    )
    verdicts: dict[str, list[int]] = defaultdict(list)
    for order_id, verdict in connection.execute(query):
        verdicts[order_id].append(verdict)
    good = {Verdict.KEPT, Verdict.UNDECIDABLE}
    return {
        order_id: None if Verdict.OPEN in found else set(found) <= good
        for order_id, found in verdicts.items()
    }


def _teams(connection: Connection, place: Place, period: str, plan: Plan) -> tuple[Team, ...]:
    """Count what came down to each team, and what somebody took on."""
    orders = schema.orders
    from_ms, until_ms = _span(connection, place, period)
    query = (
        select(orders.c.worker, func.count())
        .where(at(orders, place), orders.c.status != "cancelled")
        .where(orders.c.booked_from_ms >= from_ms, orders.c.booked_from_ms < until_ms)
        .group_by(orders.c.worker)
    )
    received: dict[str, int] = defaultdict(int)
    passed: dict[str, int] = defaultdict(int)
    for worker, count in connection.execute(query):
        team = _team_of(plan, worker)
        received[team] += count
        passed[team] += count if worker else 0
    return tuple(
        Team(t.team, t.leader, t.manager, received[t.team], passed[t.team]) for t in plan.teams
    )


def _wages(connection: Connection, place: Place, period: str) -> tuple[Wage, ...]:
    transfers, companies = schema.transfers, schema.companies
    minimum = select(companies.c.minimum_wage_fen).where(companies.c.company == place.company)
    minimum_fen = connection.execute(minimum).scalar_one()
    query = (
        select(transfers.c.credit, func.sum(transfers.c.amount_fen))
        .where(at(transfers, place), transfers.c.period == period, transfers.c.kind == "wage")
        .where(transfers.c.credit_kind == "wage")
        .group_by(transfers.c.credit)
        .order_by(transfers.c.credit)
    )
    return tuple(
        Wage(account.removeprefix("wage:"), int(fen), 0, minimum_fen)
        for account, fen in connection.execute(query)
    )


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
    connection: Connection, place: Place, period: str, plan: Plan, wager: Wager
) -> WagerFact:
    company, senior = (escrow(wager.key, side) for side in (Side.COMPANY, Side.SENIOR))
    actual_fen = 0
    for target in wager.targets:
        if target.period < period:
            taken = take(plan.waterfall, _orders(connection, place, target.period, plan))
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
