"""Reads the orders of a month and the nodes that were done in it, all of them or some."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, Text, cast, func, select

from agreed.money import scaled
from agreed.promises import Verdict
from cloud.database import schema
from cloud.database.books import calendar
from cloud.database.fleet import Place, at
from cloud.settlement.facts import Earning, Member, OrderFact
from cloud.settlement.order_sums import OrderMonth
from cloud.settlement.packs import Pack
from cloud.settlement.periods import after, span_ms
from cloud.settlement.plans import Plan
from cloud.settlement.waterfall import Account

_BOOKED_KINDS = ("waterfall", "income_reversal")
_BOOKED_ACCOUNTS = ("pool", "platform", "retained")


class Stretch(NamedTuple):
    """A site's month with its time.

    Attributes:
        from_ms, until_ms: half-open, in the company's time zone.
        only: orders to read, few enough for one statement; None for all.
    """

    place: Place
    period: str
    from_ms: int
    until_ms: int
    only: Sequence[str] | None = None


def stretch_of(connection: Connection, place: Place, period: str) -> Stretch:
    """Say when a month is."""
    offset_minutes = calendar(connection, place).utc_offset_minutes
    return Stretch(place, period, *span_ms(period, offset_minutes))


def months_since(connection: Connection, place: Place, period: str) -> list[str]:
    """List the months from one to the newest that has a line."""
    lines = schema.lines
    query = select(func.max(lines.c.period)).where(at(lines, place))
    newest = connection.execute(query).scalar_one() or period
    months = [period]
    while months[-1] < newest:
        months.append(after(months[-1]))
    return months


def read_months(connection: Connection, stretch: Stretch, plan: Plan) -> dict[str, OrderMonth]:
    """Read all that a month knows of its orders, by order."""
    found: dict[str, OrderMonth] = defaultdict(OrderMonth)
    for order, is_passed_on in read_orders(connection, stretch, plan):
        found[order.order_id] = OrderMonth(order, is_passed_on)
    for row, earning in _earnings(connection, stretch, plan, None):
        of_one = found[earning.order_id]
        of_one.earnings.append(earning)
        if row.status in {"posted", "held"}:
            fen = of_one.accrued_fen.get(row.worker, 0) + row.amount_fen
            of_one.accrued_fen[row.worker] = fen
    for order_id, account, fen in _booked(connection, stretch):
        booked_fen = found[order_id].booked_fen
        booked_fen[account] = booked_fen.get(account, 0) + fen
    return found


def read_earnings(
    connection: Connection, stretch: Stretch, plan: Plan, worker: str | None = None
) -> tuple[Earning, ...]:
    """Read the decided nodes of a month; of a worker also those that a crew shared."""
    return tuple(earning for _, earning in _earnings(connection, stretch, plan, worker))


def read_orders(
    connection: Connection, stretch: Stretch, plan: Plan
) -> list[tuple[OrderFact, bool | None]]:
    """Read the orders that were booked for a month, each with whether somebody took it.

    A cancelled one is nobody's task: None.
    """
    orders = schema.orders
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
        .where(at(orders, stretch.place))
        .where(orders.c.booked_from_ms >= stretch.from_ms)
        .where(orders.c.booked_from_ms < stretch.until_ms)
        .order_by(orders.c.order_id)
    )
    rows = connection.execute(_some(query, orders, stretch)).all()
    kept, back = _kept(connection, stretch), _refunded_fen(connection, stretch)
    teams = {worker: _team_of(plan, worker) for worker in {row.worker for row in rows}}
    packs = _packs(connection, stretch.place, {(row.pack, row.pack_version) for row in rows})
    return [
        (
            _order(
                row,
                packs[row.pack, row.pack_version],
                teams[row.worker],
                kept.get(row.order_id),
                back.get(row.order_id, 0),
            ),
            None if row.status == "cancelled" else row.worker != "",
        )
        for row in rows
    ]


def _team_of(plan: Plan, worker: str) -> str:
    """Find the team of an order; with one team, work that nobody has yet is its own."""
    only = plan.teams[0].team if len(plan.teams) == 1 else ""
    return _posts(plan).get(worker, ("", "" if worker else only))[1]


def _posts(plan: Plan) -> dict[str, tuple[str, str]]:
    posts: dict[str, tuple[str, str]] = {}
    for post in plan.staff:
        posts.setdefault(post.worker, (post.role, post.team))
    return posts


def _some(query: Select[Any], table: Any, stretch: Stretch) -> Select[Any]:
    return query if stretch.only is None else query.where(table.c.order_id.in_(stretch.only))


def _same_order(one: Any, other: Any) -> Any:
    return (
        (one.c.company == other.c.company)
        & (one.c.site == other.c.site)
        & (one.c.order_id == other.c.order_id)
    )


def _refunded_fen(connection: Connection, stretch: Stretch) -> dict[str, int]:
    """Sum what went back to residents by order, fen; orders without a refund are left out."""
    refunds = schema.refunds
    query = (
        select(refunds.c.order_id, func.sum(refunds.c.amount_fen))
        .where(at(refunds, stretch.place))
        .group_by(refunds.c.order_id)
    )
    rows = connection.execute(_some(query, refunds, stretch))
    return {order_id: int(fen) for order_id, fen in rows}


def _booked(connection: Connection, stretch: Stretch) -> list[tuple[str, Account, int]]:
    """Sum what the waterfalls of a month's orders brought pool, platform and company, fen."""
    transfers, orders = schema.transfers, schema.orders
    found = []
    for side, sign in (("credit", 1), ("debit", -1)):
        account, kind = transfers.c[side], transfers.c[f"{side}_kind"]
        query = (
            select(transfers.c.order_id, account, kind, func.sum(transfers.c.amount_fen))
            .join(orders, _same_order(orders, transfers))
            .where(at(transfers, stretch.place), transfers.c.kind.in_(_BOOKED_KINDS))
            .where(kind.in_(_BOOKED_ACCOUNTS))
            .where(orders.c.booked_from_ms >= stretch.from_ms)
            .where(orders.c.booked_from_ms < stretch.until_ms)
            .group_by(transfers.c.order_id, account, kind)
        )
        for order_id, name, of_kind, fen in connection.execute(_some(query, transfers, stretch)):
            found.append((order_id, Account(name, of_kind), sign * int(fen)))
    return found


def _earnings(
    connection: Connection, stretch: Stretch, plan: Plan, worker: str | None
) -> list[tuple[Row[Any], Earning]]:
    lines, promises, orders = schema.lines, schema.promises, schema.orders
    newest = (
        _same_order(promises, lines)
        & (promises.c.node == lines.c.node)
        & (promises.c.revision == lines.c.revision)
    )
    query: Select[Any] = (
        select(
            lines.c.order_id,
            lines.c.node,
            lines.c.worker,
            lines.c.verdict,
            lines.c.at_ms,
            lines.c.reason,
            lines.c.status,
            lines.c.amount_fen,
            promises.c.role,
            promises.c.quantity,
            promises.c.crew,
            orders.c.segment,
            orders.c.income_fen,
        )
        .join(promises, newest)
        .join(orders, _same_order(orders, promises))
        .where(at(lines, stretch.place), lines.c.kind == "pay", lines.c.worker != "")
        .where(lines.c.at_ms >= stretch.from_ms, lines.c.at_ms < stretch.until_ms)
        # A deed is posted in its own month or a later one; named, an index leads to it.
        .where(lines.c.period.in_(months_since(connection, stretch.place, stretch.period)))
    )
    if worker is not None:
        is_shared = cast(promises.c.crew, Text) != "[]"
        query = query.where((lines.c.worker == worker) | is_shared)
    posts, back = _posts(plan), _refunded_fen(connection, stretch)
    found = [
        (row, _earning(row, *posts.get(row.worker, ("", "")), back.get(row.order_id, 0)))
        for row in connection.execute(_some(query, lines, stretch))
    ]
    # Sorted here: asked to, SQLite would walk through the lines of all orders of the site.
    return sorted(found, key=lambda pair: (pair[1].order_id, pair[1].node))


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


def _kept(connection: Connection, stretch: Stretch) -> dict[str, bool | None]:
    """Say of each order whether every node was kept; None while one is open."""
    orders, promises = schema.orders, schema.promises
    query = (
        select(promises.c.order_id, promises.c.verdict)
        .join(orders, _same_order(promises, orders))
        .where(at(orders, stretch.place), promises.c.is_withdrawn.is_(False))
        .where(orders.c.booked_from_ms >= stretch.from_ms)
        .where(orders.c.booked_from_ms < stretch.until_ms)
    )
    verdicts: dict[str, list[int]] = defaultdict(list)
    for order_id, verdict in connection.execute(_some(query, orders, stretch)):
        verdicts[order_id].append(verdict)
    good = {Verdict.KEPT, Verdict.UNDECIDABLE}
    return {
        order_id: None if Verdict.OPEN in found else set(found) <= good
        for order_id, found in verdicts.items()
    }
