"""Reads the books, and checks them and the chains of blocks."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, or_, select

from cloud.database import schema
from cloud.database.views import AccountView, LedgerCheck, TransferView

PAGE_MAX: Final = 1_000


def accounts(connection: Connection, company: str, *, site: str | None = None) -> list[AccountView]:
    """List the accounts by site, kind and name."""
    table = schema.accounts.c
    query = select(schema.accounts).where(table.company == company)
    if site is not None:
        query = query.where(table.site == site)
    rows = connection.execute(query.order_by(table.site, table.kind, table.account))
    return [
        AccountView(
            r.site, r.account, r.kind, r.debits_fen, r.credits_fen, r.credits_fen - r.debits_fen
        )
        for r in rows
    ]


@dataclass(frozen=True, slots=True)
class TransferFilter:
    """Which transfers to list; None means all; only numbers below `before`."""

    site: str | None = None
    account: str | None = None
    order_id: str | None = None
    before: int = 2**62
    limit: int = 100


def transfers(
    connection: Connection, company: str, wanted: TransferFilter | None = None
) -> list[TransferView]:
    """List transfers, the newest first."""
    wanted = wanted or TransferFilter()
    table = schema.transfers.c
    query = select(schema.transfers).where(table.company == company, table.transfer < wanted.before)
    if wanted.site is not None:
        query = query.where(table.site == wanted.site)
    if wanted.account is not None:
        query = query.where(or_(table.debit == wanted.account, table.credit == wanted.account))
    if wanted.order_id is not None:
        query = query.where(table.order_id == wanted.order_id)
    query = query.order_by(table.transfer.desc(), table.site).limit(min(wanted.limit, PAGE_MAX))
    return [
        TransferView(
            r.site,
            r.transfer,
            r.key,
            r.kind,
            r.debit,
            r.credit,
            r.amount_fen,
            r.at_ms,
            r.recorded_at_ms,
            r.order_id,
            r.reason,
        )
        for r in connection.execute(query)
    ]


def ledger_check(connection: Connection, company: str) -> LedgerCheck:
    """Check the books and every chain from its first block; reads everything."""
    raise NotImplementedError
