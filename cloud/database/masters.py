"""Writes what people enter: the company, its sites, workers, cards and packs."""

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from cloud.database import schema
from cloud.database.fleet import Place, at
from cloud.database.inbox import chunks
from cloud.settlement.packs import Pack


def add_company(connection: Connection, company: str, name: str, now_ms: int) -> bool:
    """Add a company; False if it is there already."""
    known = select(schema.companies).where(schema.companies.c.company == company)
    if connection.execute(known).first() is not None:
        return False
    connection.execute(
        insert(schema.companies).values(company=company, name=name, created_at_ms=now_ms)
    )
    return True


def companies(connection: Connection) -> list[str]:
    """List the companies of this store."""
    query = select(schema.companies.c.company).order_by(schema.companies.c.company)
    return list(connection.execute(query).scalars())


def add_site(connection: Connection, place: Place, name: str, now_ms: int) -> bool:
    """Add a site; False if it is there already."""
    known = select(schema.sites).where(at(schema.sites, place))
    if connection.execute(known).first() is not None:
        return False
    connection.execute(
        insert(schema.sites).values(**place._asdict(), name=name, created_at_ms=now_ms)
    )
    return True


def put_worker(connection: Connection, place: Place, worker: str, name: str, now_ms: int) -> None:
    """Add a worker, or change the name."""
    workers = schema.workers
    changed = connection.execute(
        update(workers).where(at(workers, place), workers.c.worker == worker).values(name=name)
    )
    if not changed.rowcount:
        row = place._asdict() | {"worker": worker, "name": name, "created_at_ms": now_ms}
        connection.execute(insert(workers).values(**row))


def known_workers(connection: Connection, place: Place, wanted: set[str]) -> set[str]:
    """Find those of some workers whom a site knows."""
    workers, found = schema.workers, set[str]()
    for chunk in chunks(sorted(wanted)):
        query = select(workers.c.worker).where(at(workers, place), workers.c.worker.in_(chunk))
        found |= set(connection.scalars(query))
    return found


def put_credential(connection: Connection, place: Place, card: str, **values: Any) -> None:
    """Let a card open gates; replaces what it did before."""
    credentials = schema.credentials
    values |= {"ended_at_ms": None}
    changed = connection.execute(
        update(credentials)
        .where(at(credentials, place), credentials.c.card == card)
        .values(**values)
    )
    if not changed.rowcount:
        connection.execute(insert(credentials).values(**place._asdict(), card=card, **values))


def end_credential(connection: Connection, place: Place, card: str, now_ms: int) -> bool:
    """End a card; False if no such card is in force."""
    credentials = schema.credentials
    ended = connection.execute(
        update(credentials)
        .where(
            at(credentials, place),
            credentials.c.card == card,
            credentials.c.ended_at_ms.is_(None),
        )
        .values(ended_at_ms=now_ms)
    )
    return bool(ended.rowcount)


def credentials_in_force(connection: Connection, place: Place, now_ms: int) -> list[Row[Any]]:
    """Read the cards that open gates now or later."""
    credentials = schema.credentials
    query = select(credentials).where(
        at(credentials, place),
        credentials.c.ended_at_ms.is_(None),
        credentials.c.valid_until_ms > now_ms,
    )
    return list(connection.execute(query.order_by(credentials.c.card)))


def add_pack(connection: Connection, company: str, pack: Pack, now_ms: int) -> int:
    """Publish a pack as the next version; the same content again gives the version there is."""
    version, held = newest_pack(connection, company, pack.key)
    if held == pack:
        return version
    connection.execute(
        insert(schema.packs).values(
            company=company,
            pack=pack.key,
            version=version + 1,
            content=pack.model_dump(mode="json"),
            published_at_ms=now_ms,
        )
    )
    return version + 1


def newest_pack(connection: Connection, company: str, key: str) -> tuple[int, Pack | None]:
    """Read the newest version of a pack; 0 and None if there is none."""
    packs = schema.packs
    row = connection.execute(
        select(packs)
        .where(packs.c.company == company, packs.c.pack == key)
        .order_by(packs.c.version.desc())
        .limit(1)
    ).one_or_none()
    return (0, None) if row is None else (row.version, Pack.model_validate(row.content))


def pack_of_version(connection: Connection, company: str, key: str, version: int) -> Pack:
    """Read a version of a pack that an order was booked by."""
    packs = schema.packs
    query = select(packs.c.content).where(
        packs.c.company == company, packs.c.pack == key, packs.c.version == version
    )
    return Pack.model_validate(connection.execute(query).scalar_one())


def newest_packs(connection: Connection, company: str) -> list[tuple[int, Pack]]:
    """Read the newest version of every pack."""
    packs = schema.packs
    newest = (
        select(packs.c.pack, func.max(packs.c.version).label("version"))
        .where(packs.c.company == company)
        .group_by(packs.c.pack)
        .subquery()
    )
    query = (
        select(packs)
        .join(newest, (packs.c.pack == newest.c.pack) & (packs.c.version == newest.c.version))
        .where(packs.c.company == company)
        .order_by(packs.c.pack)
    )
    return [(row.version, Pack.model_validate(row.content)) for row in connection.execute(query)]
