"""The sums that only the pages ask for; everything else is in `cloud.reads`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from agreed.promises import Verdict
from cloud.dashboards.formats import HOUR_MS
from cloud.database.schema import blocks, lines, orders, packs, promises, workers
from cloud.database.views import Counts

EXPORT_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list shows; empty text and None stand for all.

    Attributes:
        site, worker, text: exact site and worker; text that the order's id contains.
        verdict: with a promise of that verdict.
        is_at_risk: with an open promise that needs help at now_ms.
        from_ms, until_ms: with a promise promised in that half-open window.
    """

    site: str = ""
    worker: str = ""
    text: str = ""
    verdict: Verdict | None = None
    is_at_risk: bool = False
    from_ms: int | None = None
    until_ms: int | None = None
    now_ms: int = 0


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order in a list; earned_fen is what was posted for it, reversals taken off."""

    site: str
    order_id: str
    pack: str
    pack_version: int
    name_zh: str
    name_en: str
    worker: str
    resident: str
    status: str
    booked_from_ms: int
    booked_until_ms: int
    promises: Counts
    earned_fen: int


@dataclass(frozen=True, slots=True)
class Earner:
    """One worker's deeds of a period, all sites together."""

    worker: str
    name: str
    sites: list[str]
    promises: Counts
    earned_fen: int
    held_fen: int


@dataclass(frozen=True, slots=True)
class BlockLine:
    """One committed block of a box; hashes and epoch in hex."""

    epoch: str
    first: int
    last: int
    hash: str
    received_at_ms: int


def promises_by_hour(
    connection: Connection, company: str, from_ms: int, until_ms: int
) -> dict[int, dict[Verdict, int]]:
    """Count promises by hour of their promised time, as ms since the epoch, and by verdict."""
    hour = ((promises.c.promised_at_ms - from_ms) // HOUR_MS).label("hour")
    rows = connection.execute(
        select(hour, promises.c.verdict, func.count())
        .where(_promised(company, from_ms, until_ms))
        .group_by(hour, promises.c.verdict)
    )
    counted: dict[int, dict[Verdict, int]] = {}
    for index, verdict, count in rows:
        counted.setdefault(from_ms + int(index) * HOUR_MS, {})[Verdict(verdict)] = count
    return counted


def earners(connection: Connection, company: str, from_ms: int, until_ms: int) -> list[Earner]:
    """List every worker with the period's promises and money, the highest earner first."""
    names, sites = _worker_names(connection, company)
    fen = connection.execute(
        select(lines.c.worker, lines.c.status, func.sum(lines.c.amount_fen))
        .where(
            lines.c.company == company,
            lines.c.at_ms >= from_ms,
            lines.c.at_ms < until_ms,
            lines.c.status.in_(("posted", "held")),
        )
        .group_by(lines.c.worker, lines.c.status)
    )
    money = {(worker, status): int(total) for worker, status, total in fen}
    counted = _counts_by_worker(connection, company, from_ms, until_ms)
    found = [
        Earner(
            worker,
            names.get(worker, worker),
            sites.get(worker, []),
            counted.get(worker, Counts()),
            money.get((worker, "posted"), 0),
            money.get((worker, "held"), 0),
        )
        for worker in {*names, *counted, *(worker for worker, _ in money)} - {""}
    ]
    return sorted(found, key=lambda e: (-e.earned_fen, -e.held_fen, e.name, e.worker))


def worker_names(connection: Connection, company: str) -> dict[str, str]:
    """Name the workers."""
    return _worker_names(connection, company)[0]


def earned_before(connection: Connection, company: str, worker: str, before_ms: int) -> int:
    """Sum what was posted to a worker for deeds before a moment, reversals taken off."""
    total = connection.execute(
        select(func.coalesce(func.sum(lines.c.amount_fen), 0)).where(
            lines.c.company == company,
            lines.c.worker == worker,
            lines.c.status == "posted",
            lines.c.at_ms < before_ms,
        )
    ).scalar_one()
    return int(total)


def last_blocks(
    connection: Connection, company: str, site: str, box: str, limit: int
) -> list[BlockLine]:
    """List the blocks of a box that came last."""
    rows = connection.execute(
        select(
            blocks.c.epoch, blocks.c.first, blocks.c.last, blocks.c.hash, blocks.c.received_at_ms
        )
        .where(blocks.c.company == company, blocks.c.site == site, blocks.c.box == box)
        .order_by(blocks.c.received_at_ms.desc(), blocks.c.first.desc())
        .limit(limit)
    )
    return [BlockLine(r.epoch.hex(), r.first, r.last, r.hash.hex(), r.received_at_ms) for r in rows]


def count_orders(connection: Connection, company: str, wanted: OrderFilter) -> tuple[int, int]:
    """Count the orders of a filter, and how many promises in them are meant by it."""
    query = _filtered(select(orders.c.site, orders.c.order_id), company, wanted).subquery()
    found = connection.execute(select(func.count()).select_from(query)).scalar_one()
    meant = (
        select(func.count())
        .select_from(promises.join(orders))
        .where(promises.c.company == company, *_of_order(wanted), *_of_promise(wanted))
    )
    return found, connection.execute(meant).scalar_one()


def list_orders(
    connection: Connection, company: str, wanted: OrderFilter, offset: int, limit: int
) -> list[OrderLine]:
    """List one page of the orders of a filter, the newest booking first."""
    query = _filtered(select(orders, packs.c.content).join_from(orders, packs), company, wanted)
    rows = connection.execute(
        query.order_by(orders.c.booked_from_ms.desc(), orders.c.site, orders.c.order_id)
        .offset(offset)
        .limit(limit)
    ).all()
    counted = _by_order(connection, company, rows)
    earned = _fen_by_order(connection, company, rows)
    return [_order_line(row, counted, earned) for row in rows]


def every_order(connection: Connection, company: str, wanted: OrderFilter) -> Iterator[OrderLine]:
    """Give all orders of a filter, a chunk in memory at a time."""
    offset = 0
    while found := list_orders(connection, company, wanted, offset, EXPORT_CHUNK):
        yield from found
        offset += len(found)


def _order_line(
    row: Any, counted: dict[tuple[str, str], Counts], earned: dict[tuple[str, str], int]
) -> OrderLine:
    key = (row.site, row.order_id)
    return OrderLine(
        site=row.site,
        order_id=row.order_id,
        pack=row.pack,
        pack_version=row.pack_version,
        name_zh=row.content["name_zh"],
        name_en=row.content["name_en"],
        worker=row.worker,
        resident=row.resident,
        status=row.status,
        booked_from_ms=row.booked_from_ms,
        booked_until_ms=row.booked_until_ms,
        promises=counted.get(key, Counts()),
        earned_fen=earned.get(key, 0),
    )


def _filtered(query: Select[Any], company: str, wanted: OrderFilter) -> Select[Any]:
    conditions = [orders.c.company == company, *_of_order(wanted)]
    if meant := _of_promise(wanted):
        same = [promises.c[name] == orders.c[name] for name in ("company", "site", "order_id")]
        conditions.append(select(1).where(*same, *meant).correlate(orders).exists())
    return query.where(*conditions)


def _of_order(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.site:
        conditions.append(orders.c.site == wanted.site)
    if wanted.worker:
        conditions.append(orders.c.worker == wanted.worker)
    if wanted.text:
        conditions.append(orders.c.order_id.contains(wanted.text, autoescape=True))
    return conditions


def _of_promise(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.verdict is not None:
        conditions.append(promises.c.verdict == wanted.verdict)
    if wanted.is_at_risk:
        conditions += [
            promises.c.verdict == Verdict.OPEN,
            promises.c.at_risk_at_ms <= wanted.now_ms,
            promises.c.hard_at_ms > wanted.now_ms,
        ]
    if wanted.from_ms is not None:
        conditions.append(promises.c.promised_at_ms >= wanted.from_ms)
    if wanted.until_ms is not None:
        conditions.append(promises.c.promised_at_ms < wanted.until_ms)
    return [*conditions, promises.c.is_withdrawn.is_(False)] if conditions else []


def _by_order(
    connection: Connection, company: str, rows: Sequence[Row[Any]]
) -> dict[tuple[str, str], Counts]:
    counted = connection.execute(
        select(promises.c.site, promises.c.order_id, promises.c.verdict, func.count())
        .where(
            promises.c.company == company,
            promises.c.site.in_({row.site for row in rows}),
            promises.c.order_id.in_([row.order_id for row in rows]),
            promises.c.is_withdrawn.is_(False),
        )
        .group_by(promises.c.site, promises.c.order_id, promises.c.verdict)
    )
    numbers: dict[tuple[str, str], dict[int, int]] = {}
    for site, order_id, verdict, count in counted:
        numbers.setdefault((site, order_id), {})[verdict] = count
    return {key: _counts(found) for key, found in numbers.items()}


def _fen_by_order(
    connection: Connection, company: str, rows: Sequence[Row[Any]]
) -> dict[tuple[str, str], int]:
    found = connection.execute(
        select(lines.c.site, lines.c.order_id, func.sum(lines.c.amount_fen))
        .where(
            lines.c.company == company,
            lines.c.site.in_({row.site for row in rows}),
            lines.c.order_id.in_([row.order_id for row in rows]),
            lines.c.status == "posted",
        )
        .group_by(lines.c.site, lines.c.order_id)
    )
    return {(site, order_id): int(fen) for site, order_id, fen in found}


def _counts_by_worker(
    connection: Connection, company: str, from_ms: int, until_ms: int
) -> dict[str, Counts]:
    rows = connection.execute(
        select(promises.c.worker, promises.c.verdict, func.count())
        .where(_promised(company, from_ms, until_ms))
        .group_by(promises.c.worker, promises.c.verdict)
    )
    numbers: dict[str, dict[int, int]] = {}
    for worker, verdict, count in rows:
        numbers.setdefault(worker, {})[verdict] = count
    return {worker: _counts(found) for worker, found in numbers.items()}


def _worker_names(
    connection: Connection, company: str
) -> tuple[dict[str, str], dict[str, list[str]]]:
    rows = connection.execute(
        select(workers.c.site, workers.c.worker, workers.c.name)
        .where(workers.c.company == company)
        .order_by(workers.c.site)
    )
    names: dict[str, str] = {}
    sites: dict[str, list[str]] = {}
    for site, worker, name in rows:
        names[worker] = name
        sites.setdefault(worker, []).append(site)
    return names, sites


def _promised(company: str, from_ms: int, until_ms: int) -> ColumnElement[bool]:
    return and_(
        promises.c.company == company,
        promises.c.promised_at_ms >= from_ms,
        promises.c.promised_at_ms < until_ms,
        promises.c.is_withdrawn.is_(False),
    )


def _counts(numbers: dict[int, int]) -> Counts:
    return Counts(**{verdict.name.lower(): numbers.get(verdict, 0) for verdict in Verdict})
