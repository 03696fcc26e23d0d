"""Reads whole ledgers for the plain-text journal."""

from sqlalchemy import Connection, select

from cloud.database import schema
from cloud.settlement.journal_text import Entry


def entries(connection: Connection, company: str, site: str | None = None) -> list[Entry]:
    """Read every transfer of a company, or of one site, in the order of posting."""
    transfers = schema.transfers
    columns = [transfers.c[name] for name in Entry.__slots__]
    query = select(*columns).where(transfers.c.company == company)
    if site is not None:
        query = query.where(transfers.c.site == site)
    ordered = query.order_by(transfers.c.site, transfers.c.transfer)
    return [Entry(*row) for row in connection.execute(ordered)]
