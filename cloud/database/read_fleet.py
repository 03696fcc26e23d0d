"""Reads the company as it is now: sites, boxes, promises at risk."""

from typing import Any, Final

from sqlalchemy import Connection, and_, func, select

from agreed.promises import Verdict
from agreed.signing import fingerprint
from agreed.wire import NO_HASH
from cloud.database import schema
from cloud.database.books import IS_HELD
from cloud.database.views import (
    AtRisk,
    BoxView,
    CompanyView,
    Counts,
    IncidentView,
    Overview,
    SiteView,
)

MS_PER_DAY: Final = 24 * 3_600_000
MS_PER_MINUTE: Final = 60_000
RISKS_MAX: Final = 50


def company(connection: Connection, key: str) -> CompanyView | None:
    """Find the company; None if there is none of that name."""
    row = connection.execute(
        select(schema.companies).where(schema.companies.c.company == key)
    ).one_or_none()
    return None if row is None else CompanyView(row.company, row.name, row.utc_offset_minutes)


def day_of(at_ms: int, utc_offset_minutes: int) -> tuple[int, int]:
    """Give the local day around a moment, ms, half-open."""
    offset_ms = utc_offset_minutes * MS_PER_MINUTE
    start_ms = (at_ms + offset_ms) // MS_PER_DAY * MS_PER_DAY - offset_ms
    return start_ms, start_ms + MS_PER_DAY


def boxes(connection: Connection, company: str, *, site: str | None = None) -> list[BoxView]:
    """List the boxes, those with an incident first, then by site and name."""
    return _boxes(connection, company, site, None)


def box(connection: Connection, company: str, site: str, name: str) -> BoxView | None:
    """Find one box; None if there is none of that name."""
    return next(iter(_boxes(connection, company, site, name)), None)


def incidents(
    connection: Connection, company: str, *, site: str | None = None, box: str | None = None
) -> list[IncidentView]:
    """List what a person must look at, or has looked at; the newest first."""
    table = schema.incidents.c
    query = select(schema.incidents).where(table.company == company)
    if site is not None:
        query = query.where(table.site == site)
    if box is not None:
        query = query.where(table.box == box)
    rows = connection.execute(query.order_by(table.at_ms.desc(), table.incident.desc()))
    return [
        IncidentView(r.site, r.box, r.incident, r.kind, r.at_ms, r.detail, r.resolved_at_ms)
        for r in rows
    ]


def at_risk(
    connection: Connection,
    company: str,
    now_ms: int,
    *,
    site: str | None = None,
    limit: int = RISKS_MAX,
) -> list[AtRisk]:
    """List open promises that need help now, the most urgent first."""
    query = (
        select(schema.promises, schema.packs.c.content, schema.sites.c.covered_until_ms)
        .join_from(schema.promises, schema.orders)
        .join(schema.packs)
        .join(schema.sites, schema.orders.c.company == schema.sites.c.company)
        .where(schema.sites.c.site == schema.promises.c.site, _is_at_risk(company, now_ms))
        .order_by(
            schema.promises.c.due_at_ms, schema.promises.c.order_id, schema.promises.c.position
        )
        .limit(limit)
    )
    if site is not None:
        query = query.where(schema.promises.c.site == site)
    return [_risk(row, now_ms) for row in connection.execute(query)]


def sites(connection: Connection, company: str, now_ms: int) -> list[SiteView]:
    """List the sites with their figures of today."""
    known = _known_company(connection, company)
    day = day_of(now_ms, known.utc_offset_minutes)
    fleet = boxes(connection, company)
    verdicts = _verdicts_by_site(connection, company, day)
    risks = _counted_by_site(connection, schema.promises, _is_at_risk(company, now_ms))
    lines = schema.lines.c
    today = lines.at_ms >= day[0], lines.at_ms < day[1]
    earned = _fen_by_site(connection, company, lines.status == "posted", *today)
    held = _fen_by_site(connection, company, IS_HELD)
    pools = _pools_by_site(connection, company)
    rows = connection.execute(
        select(schema.sites).where(schema.sites.c.company == company).order_by(schema.sites.c.site)
    )
    return [
        SiteView(
            site=row.site,
            name=row.name,
            covered_until_ms=row.covered_until_ms,
            boxes=sum(b.site == row.site and b.status == "accepted" for b in fleet),
            boxes_online=sum(b.site == row.site and b.is_online for b in fleet),
            incidents=sum(b.site == row.site and b.incident is not None for b in fleet),
            promises=verdicts.get(row.site, Counts()),
            at_risk=risks.get(row.site, 0),
            earned_fen=earned.get(row.site, 0),
            held_fen=held.get(row.site, 0),
            pool_fen=pools.get(row.site, 0),
        )
        for row in rows
    ]


def overview(connection: Connection, company: str, now_ms: int) -> Overview:
    """Read the company now.

    Raises:
        LookupError: no such company.
    """
    known = _known_company(connection, company)
    day_from_ms, day_until_ms = day_of(now_ms, known.utc_offset_minutes)
    listed = sites(connection, company, now_ms)
    committed = connection.execute(
        select(func.coalesce(func.sum(schema.journals.c.committed_through), 0)).where(
            schema.journals.c.company == company
        )
    ).scalar_one()
    return Overview(
        company=known,
        as_of_ms=now_ms,
        day_from_ms=day_from_ms,
        day_until_ms=day_until_ms,
        sites=listed,
        boxes=boxes(connection, company),
        promises=_sum_counts([site.promises for site in listed]),
        at_risk=sum(site.at_risk for site in listed),
        earned_fen=sum(site.earned_fen for site in listed),
        held_fen=sum(site.held_fen for site in listed),
        pool_fen=sum(site.pool_fen for site in listed),
        records_committed=int(committed),
        risks=at_risk(connection, company, now_ms),
    )


def to_counts(numbers: dict[int, int]) -> Counts:
    """Name counts that are keyed by `Verdict`."""
    return Counts(*(numbers.get(verdict, 0) for verdict in Verdict))


def _known_company(connection: Connection, key: str) -> CompanyView:
    known = company(connection, key)
    if known is None:
        raise LookupError(f"company {key}")
    return known


def _boxes(
    connection: Connection, company: str, site: str | None, name: str | None
) -> list[BoxView]:
    box_journals = and_(
        schema.journals.c.company == schema.boxes.c.company,
        schema.journals.c.site == schema.boxes.c.site,
        schema.journals.c.box == schema.boxes.c.box,
        schema.journals.c.epoch == schema.boxes.c.epoch,
    )
    box_key = and_(
        schema.box_keys.c.company == schema.boxes.c.company,
        schema.box_keys.c.site == schema.boxes.c.site,
        schema.box_keys.c.box == schema.boxes.c.box,
        schema.box_keys.c.number == schema.boxes.c.key_number,
    )
    query = (
        select(
            schema.boxes,
            schema.journals.c.committed_through,
            schema.journals.c.committed_head,
            schema.journals.c.covered_until_ms,
            schema.box_keys.c.public_key,
            schema.box_keys.c.how,
            schema.box_keys.c.accepted_at_ms.label("key_accepted_at_ms"),
        )
        .outerjoin(schema.journals, box_journals)
        .outerjoin(schema.box_keys, box_key)
        .where(schema.boxes.c.company == company)
        .order_by(schema.boxes.c.incident.is_(None), schema.boxes.c.site, schema.boxes.c.box)
    )
    if site is not None:
        query = query.where(schema.boxes.c.site == site)
    if name is not None:
        query = query.where(schema.boxes.c.box == name)
    return [_box_view(row) for row in connection.execute(query)]


def _box_view(row: Any) -> BoxView:
    status = row.last_status or {}
    return BoxView(
        company=row.company,
        site=row.site,
        box=row.box,
        status=row.status,
        incident=row.incident,
        is_online=row.is_online,
        presence_at_ms=row.presence_at_ms,
        last_heard_ms=row.last_heard_at_ms,
        epoch=None if row.epoch is None else row.epoch.hex(),
        committed_through=row.committed_through or 0,
        committed_head=(row.committed_head or NO_HASH).hex(),
        covered_until_ms=row.covered_until_ms or 0,
        waiting_records=status.get("waiting_records"),
        oldest_waiting_ms=status.get("oldest_waiting_ms"),
        devices_lost=status.get("devices_lost", []),
        clock_bound_ms=status.get("bound_ms"),
        status_at_ms=row.last_status_at_ms,
        directives_waiting=row.directives_through - row.applied_through,
        applied_through=row.applied_through,
        fingerprint=fingerprint(row.public_key) if row.public_key else None,
        key_accepted_by=row.how,
        key_accepted_at_ms=row.key_accepted_at_ms,
        offered_fingerprint=fingerprint(row.offered_key) if row.offered_key else None,
    )


def _is_at_risk(company: str, now_ms: int) -> Any:
    return and_(
        schema.promises.c.company == company,
        schema.promises.c.verdict == Verdict.OPEN,
        schema.promises.c.is_withdrawn.is_(False),
        schema.promises.c.at_risk_at_ms <= now_ms,
        schema.promises.c.hard_at_ms > now_ms,
    )


def _risk(row: Any, now_ms: int) -> AtRisk:
    names = node_names(row.content, row.node)
    return AtRisk(
        site=row.site,
        order_id=row.order_id,
        node=row.node,
        name_zh=names[0],
        name_en=names[1],
        worker=row.worker,
        promised_at_ms=row.promised_at_ms,
        due_at_ms=row.due_at_ms,
        hard_at_ms=row.hard_at_ms,
        is_overdue=row.due_at_ms < now_ms,
        is_covered=row.due_at_ms < row.covered_until_ms,
    )


def node_names(pack: dict[str, Any], node: str) -> tuple[str, str]:
    """Find a node's names in a pack's content; its key where the pack does not know it."""
    for known in pack["nodes"]:
        if known["key"] == node:
            return known["name_zh"], known["name_en"]
    return node, node


def _verdicts_by_site(
    connection: Connection, company: str, day: tuple[int, int]
) -> dict[str, Counts]:
    rows = connection.execute(
        select(schema.promises.c.site, schema.promises.c.verdict, func.count())
        .where(
            schema.promises.c.company == company,
            schema.promises.c.promised_at_ms >= day[0],
            schema.promises.c.promised_at_ms < day[1],
            schema.promises.c.is_withdrawn.is_(False),
        )
        .group_by(schema.promises.c.site, schema.promises.c.verdict)
    )
    numbers: dict[str, dict[int, int]] = {}
    for site, verdict, count in rows:
        numbers.setdefault(site, {})[verdict] = count
    return {site: to_counts(counts) for site, counts in numbers.items()}


def _counted_by_site(connection: Connection, table: Any, condition: Any) -> dict[str, int]:
    rows = connection.execute(
        select(table.c.site, func.count()).where(condition).group_by(table.c.site)
    )
    return {row[0]: row[1] for row in rows}


def _fen_by_site(connection: Connection, company: str, *which: Any) -> dict[str, int]:
    lines = schema.lines.c
    query = select(lines.site, func.sum(lines.amount_fen)).where(lines.company == company, *which)
    rows = connection.execute(query.group_by(lines.site))
    return {row[0]: int(row[1]) for row in rows}


def _pools_by_site(connection: Connection, company: str) -> dict[str, int]:
    rows = connection.execute(
        select(
            schema.accounts.c.site,
            func.sum(schema.accounts.c.credits_fen - schema.accounts.c.debits_fen),
        )
        .where(schema.accounts.c.company == company, schema.accounts.c.kind == "pool")
        .group_by(schema.accounts.c.site)
    )
    return {row[0]: int(row[1]) for row in rows}


def _sum_counts(counts: list[Counts]) -> Counts:
    return Counts(*(sum(getattr(c, verdict.name.lower()) for c in counts) for verdict in Verdict))
