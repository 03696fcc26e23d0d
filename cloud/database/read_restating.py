"""Reads which closed months have changed since their run, why, and what was posted for them."""

from sqlalchemy import Connection, select

from cloud.database import schema
from cloud.database.books import calendar
from cloud.database.fleet import Place, at
from cloud.database.plan_books import plan_of_name
from cloud.database.read_month import months_since
from cloud.database.run_books import find_run, lines_of_run
from cloud.settlement.periods import LOOK_BACK_MONTHS, after, span_ms
from cloud.settlement.plans import Plan
from cloud.settlement.restating import Causes, PayeeRule, sums
from cloud.settlement.running import RESTATED

_POSTED = ("posted", "paid")


def settled_months(connection: Connection, place: Place, period: str) -> list[tuple[str, Plan]]:
    """List the closed months within reach before a month, with the plan that each run followed."""
    closed = calendar(connection, place).closed_through
    months = [after(closed, -back) for back in reversed(range(LOOK_BACK_MONTHS))] if closed else []
    found = []
    for month in months:
        run = find_run(connection, place, month)
        if month < period and run is not None and run.status in _POSTED and run.plan:
            found.append((month, plan_of_name(connection, place, run.plan)))
    return found


def causes(connection: Connection, place: Place, period: str) -> Causes:
    """Name the orders of a closed month that later refunds or verdicts have touched."""
    return Causes(_refunded(connection, place, period), _changed(connection, place, period))


def posted_fen(connection: Connection, place: Place, period: str) -> dict[PayeeRule, int]:
    """Sum what runs posted for a closed month's rules: its own run and later ones."""
    lines, runs = schema.run_lines, schema.runs
    same = (
        (runs.c.company == lines.c.company)
        & (runs.c.site == lines.c.site)
        & (runs.c.period == lines.c.period)
        & (runs.c.run == lines.c.run)
    )
    later = (
        select(lines.c.period, lines.c.run)
        .join(runs, same)
        .where(at(lines, place), runs.c.status.in_(_POSTED), lines.c.period > period)
        .where(lines.c.rule.like(f"{RESTATED}:{period}/%"))
        .distinct()
    )
    keys = [(row.period, row.run) for row in connection.execute(later)]
    head = f"{RESTATED}:{period}/"
    found = [
        line
        for month, run in keys
        for line in lines_of_run(connection, place, month, run)
        if line.rule.startswith(head)
    ]
    own = find_run(connection, place, period)
    if own is not None and own.status in _POSTED:
        found += lines_of_run(connection, place, period, own.run)
    return sums(found, period)


def _refunded(connection: Connection, place: Place, period: str) -> tuple[str, ...]:
    refunds, orders, lines = schema.refunds, schema.orders, schema.lines
    from_ms, until_ms = span_ms(period, calendar(connection, place).utc_offset_minutes)
    same_order = (
        (orders.c.company == refunds.c.company)
        & (orders.c.site == refunds.c.site)
        & (orders.c.order_id == refunds.c.order_id)
    )
    worked = (
        select(lines.c.order_id)
        .where(at(lines, place), lines.c.order_id == refunds.c.order_id)
        .where(lines.c.at_ms >= from_ms, lines.c.at_ms < until_ms)
    )
    booked = (orders.c.booked_from_ms >= from_ms) & (orders.c.booked_from_ms < until_ms)
    query = (
        select(refunds.c.order_id)
        .join(orders, same_order)
        .where(at(refunds, place), refunds.c.period > period, booked | worked.exists())
        .distinct()
        .order_by(refunds.c.order_id)
    )
    return tuple(connection.execute(query).scalars())


def _changed(connection: Connection, place: Place, period: str) -> tuple[str, ...]:
    lines = schema.lines
    months = calendar(connection, place)
    from_ms, until_ms = span_ms(period, months.utc_offset_minutes)
    query = (
        select(lines.c.order_id)
        .where(at(lines, place), lines.c.period.in_(months_since(connection, place, period)[1:]))
        .where(lines.c.at_ms >= from_ms, lines.c.at_ms < until_ms)
        .distinct()
        .order_by(lines.c.order_id)
    )
    return tuple(connection.execute(query).scalars())
