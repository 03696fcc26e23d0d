"""Keeps what a month's orders add up to, and reads again only those that changed since."""

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from cloud.database import schema
from cloud.database.fleet import Place, at
from cloud.database.inbox import chunks
from cloud.database.inserting import add_rows
from cloud.database.read_month import Stretch, read_months, stretch_of
from cloud.settlement.facts import Facts
from cloud.settlement.order_sums import (
    Sums,
    exchanged,
    from_rows,
    made_by,
    of_order,
    to_rows,
)
from cloud.settlement.pieces import rates_of
from cloud.settlement.plans import Plan

_EMPTY: Final = Sums()


def read_sums(connection: Connection, place: Place, period: str, plan: Plan) -> Sums:
    """Add up a month's orders under a plan: equal to reading all of them, at the cost of a few.

    Triggers mark every order that changes in the time of a sum that is kept; the caller holds the
    site, so that none changes meanwhile.
    """
    stretch = stretch_of(connection, place, period)
    kept = _kept(connection, stretch, made_by(plan))
    if kept is None:
        return _begun(connection, stretch, plan)
    stale = _stale(connection, stretch, made_by(plan))
    if not stale:
        return kept
    old = [from_rows(rows) for rows in stale.values()]
    new: dict[str, Sums] = {}
    for chunk in chunks(sorted(stale)):
        new |= _of_orders(connection, stretch._replace(only=chunk), plan)
        _forget_orders(connection, stretch, made_by(plan), chunk)
    total = exchanged(kept, old, new.values())
    _keep(connection, stretch, made_by(plan), total)
    _keep_orders(connection, stretch, made_by(plan), new)
    return total


def forget(connection: Connection, place: Place) -> None:
    """Keep no sums of a site: the next ones are read from nothing."""
    for table in (schema.order_sums, schema.month_sums, schema.month_moves):
        connection.execute(delete(table).where(at(table, place)))


def _begun(connection: Connection, stretch: Stretch, plan: Plan) -> Sums:
    found = _of_orders(connection, stretch, plan)
    total = exchanged(_EMPTY, (), found.values())
    _forget_month(connection, stretch, made_by(plan))
    row = stretch.place._asdict() | {
        "period": stretch.period,
        "made_by": made_by(plan),
        "from_ms": stretch.from_ms,
        "until_ms": stretch.until_ms,
        "content": to_rows(total),
    }
    connection.execute(insert(schema.month_sums), row)
    _keep_orders(connection, stretch, made_by(plan), found)
    return total


def _of_orders(connection: Connection, stretch: Stretch, plan: Plan) -> dict[str, Sums]:
    rates = rates_of(plan, Facts(*stretch.place, stretch.period, (), ()))
    months = read_months(connection, stretch, plan)
    return {order_id: of_order(plan, rates, month) for order_id, month in months.items()}


def _kept(connection: Connection, stretch: Stretch, by: str) -> Sums | None:
    table = schema.month_sums
    query = select(table.c.content).where(
        _of_month(table, stretch, by),
        table.c.from_ms == stretch.from_ms,
        table.c.until_ms == stretch.until_ms,
    )
    rows = connection.execute(query).scalar_one_or_none()
    return None if rows is None else from_rows(rows)


def _stale(connection: Connection, stretch: Stretch, by: str) -> dict[str, list[list[Any]]]:
    table = schema.order_sums
    query = select(table.c.order_id, table.c.content).where(
        _of_month(table, stretch, by), table.c.is_stale.is_(True)
    )
    return {row.order_id: row.content for row in connection.execute(query)}


def _keep(connection: Connection, stretch: Stretch, by: str, total: Sums) -> None:
    table = schema.month_sums
    query = update(table).where(_of_month(table, stretch, by))
    connection.execute(query.values(content=to_rows(total)))


def _keep_orders(connection: Connection, stretch: Stretch, by: str, found: dict[str, Sums]) -> None:
    rows = (
        (*stretch.place, order_id, stretch.period, by, False, json.dumps(to_rows(sums)))
        for order_id, sums in found.items()
    )
    add_rows(connection, schema.order_sums, rows)


def _forget_orders(
    connection: Connection, stretch: Stretch, by: str, order_ids: Iterable[str]
) -> None:
    table = schema.order_sums
    these = table.c.order_id.in_(order_ids)
    connection.execute(delete(table).where(_of_month(table, stretch, by), these))


def _forget_month(connection: Connection, stretch: Stretch, by: str) -> None:
    for table in (schema.order_sums, schema.month_sums):
        connection.execute(delete(table).where(_of_month(table, stretch, by)))


def _of_month(table: Any, stretch: Stretch, by: str) -> Any:
    return at(table, stretch.place) & (table.c.period == stretch.period) & (table.c.made_by == by)
