"""Reads the books, and checks them and the chains of blocks."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, func, or_, select

from agreed.records import to_records
from agreed.signing import head_statement, is_signed
from agreed.wire import NO_HASH, WireError, decode_block
from cloud.database import schema
from cloud.database.fleet import BoxName, at
from cloud.database.keys import keys_of
from cloud.database.read_orders import records_between
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


def balances_at(
    connection: Connection, company: str, site: str, at_ms: int, known_at_ms: int
) -> list[AccountView]:
    """Sum the accounts of a site as they stood at one time, by what was recorded by another.

    Args:
        connection: the store.
        company: key.
        site: key.
        at_ms: deeds up to then count, inclusive.
        known_at_ms: what was posted by then counts, inclusive; later ones are not known yet.
    """
    table = schema.transfers.c
    sums: dict[tuple[str, str], list[int]] = {}
    for position, side in enumerate(("debit", "credit")):
        account, kind = table[side], table[f"{side}_kind"]
        query = (
            select(kind, account, func.sum(table.amount_fen))
            .where(
                table.company == company,
                table.site == site,
                table.at_ms <= at_ms,
                table.recorded_at_ms <= known_at_ms,
            )
            .group_by(kind, account)
        )
        for kind_name, name, fen in connection.execute(query):
            sums.setdefault((kind_name, name), [0, 0])[position] = int(fen)
    return [
        AccountView(site, name, kind, debits, credits_, credits_ - debits)
        for (kind, name), (debits, credits_) in sorted(sums.items())
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
    query = _narrowed(company, wanted).order_by(
        schema.transfers.c.transfer.desc(), schema.transfers.c.site
    )
    limited = query.limit(min(wanted.limit, PAGE_MAX))
    return [_transfer_view(row) for row in connection.execute(limited)]


def all_transfers(
    connection: Connection, company: str, wanted: TransferFilter
) -> list[TransferView]:
    """List every transfer of a filter in the order of posting, for a file."""
    ordered = _narrowed(company, wanted).order_by(
        schema.transfers.c.site, schema.transfers.c.transfer
    )
    return [_transfer_view(row) for row in connection.execute(ordered)]


def _narrowed(company: str, wanted: TransferFilter) -> Select[Any]:
    table = schema.transfers.c
    query = select(schema.transfers).where(table.company == company, table.transfer < wanted.before)
    if wanted.site is not None:
        query = query.where(table.site == wanted.site)
    if wanted.account is not None:
        query = query.where(or_(table.debit == wanted.account, table.credit == wanted.account))
    if wanted.order_id is not None:
        query = query.where(table.order_id == wanted.order_id)
    return query


def _transfer_view(row: Any) -> TransferView:
    return TransferView(
        row.site,
        row.transfer,
        row.key,
        row.kind,
        row.debit,
        row.credit,
        row.amount_fen,
        row.at_ms,
        row.recorded_at_ms,
        row.order_id,
        row.reason,
    )


def ledger_check(connection: Connection, company: str) -> LedgerCheck:
    """Check the books and every chain from its first block; reads everything."""
    books = _book_faults(connection, company)
    chains, blocks, records = _chain_faults(connection, company)
    counted = [
        select(func.count()).select_from(table).where(table.c.company == company)
        for table in (schema.accounts, schema.transfers)
    ]
    return LedgerCheck(
        is_balanced=not books,
        is_chain_verified=not chains,
        accounts=connection.execute(counted[0]).scalar_one(),
        transfers=connection.execute(counted[1]).scalar_one(),
        blocks=blocks,
        records=records,
        faults=[*books, *chains],
    )


def _book_faults(connection: Connection, company: str) -> list[str]:
    table = schema.transfers.c
    sums: dict[tuple[str, str], list[int]] = {}
    for position, side in enumerate((table.debit, table.credit)):
        query = (
            select(table.site, side, func.sum(table.amount_fen))
            .where(table.company == company)
            .group_by(table.site, side)
        )
        for site, account, fen in connection.execute(query):
            sums.setdefault((site, account), [0, 0])[position] = int(fen)
    faults = []
    total_fen = 0
    for view in accounts(connection, company):
        total_fen += view.balance_fen
        if sums.pop((view.site, view.account), [0, 0]) != [view.debits_fen, view.credits_fen]:
            faults.append(f"{view.site}/{view.account}: not the sum of its transfers")
    faults += [f"{site}/{account}: no such account" for site, account in sums]
    faults += [f"all accounts sum to {total_fen} fen"] if total_fen else []
    return faults


def _chain_faults(connection: Connection, company: str) -> tuple[list[str], int, int]:
    journals = schema.journals.c
    query = select(schema.journals).where(journals.company == company)
    faults: list[str] = []
    blocks = records = 0
    for journal in connection.execute(query.order_by(journals.site, journals.box)).all():
        through, head = 0, NO_HASH
        signatures = _Signatures(connection, BoxName(*tuple(journal)[:3]))
        for row in _blocks_of(connection, journal):
            fault = _block_fault(connection, row, through, head) or signatures.fault(row)
            faults += [f"{row.site}/{row.box} block {row.first}: {fault}"] if fault else []
            through, head = row.last, row.hash
            blocks += 1
            records += row.last - row.first + 1
        faults += [f"{journal.site}/{journal.box}: {fault}" for fault in signatures.missing()]
        if (through, head) != (journal.committed_through, journal.committed_head):
            faults.append(f"{journal.site}/{journal.box}: the chain ends at {through}")
    return faults, blocks, records


class _Signatures:
    """Follows the signatures along one journal: each must be true, and cover what is behind it."""

    def __init__(self, connection: Connection, name: BoxName) -> None:
        self._keys = keys_of(connection, name)
        self._last: Any = None

    def fault(self, row: Any) -> str | None:
        """Say what is wrong with the signature of a block."""
        self._last = row
        if row.signature is None:
            return None
        statement = head_statement(row.epoch, row.last, row.hash)
        key = self._keys.get(row.key_number)
        is_true = key is not None and is_signed(key.public, statement, row.signature)
        return None if is_true else "is not signed by the key of its box"

    def missing(self) -> list[str]:
        """Say whether the end of the journal came unsigned although its box had a key."""
        last = self._last
        known_at_ms = min((key.accepted_at_ms for key in self._keys.values()), default=None)
        if last is None or last.signature is not None or known_at_ms is None:
            return []
        is_older = last.received_at_ms < known_at_ms
        return [] if is_older else [f"nothing signs its end at {last.last}"]


def _blocks_of(connection: Connection, journal: Any) -> Any:
    blocks = schema.blocks
    name = BoxName(journal.company, journal.site, journal.box)
    query = select(blocks).where(at(blocks, name), blocks.c.epoch == journal.epoch)
    return connection.execution_options(yield_per=64).execute(query.order_by(blocks.c.first))


def _block_fault(connection: Connection, row: Any, through: int, head: bytes) -> str | None:
    try:
        block = decode_block(row.data)
    except WireError as error:
        return str(error)
    origin, columns = block.origin, block.columns
    if (origin.company, origin.site, origin.box, origin.epoch) != tuple(row)[:4]:
        return "belongs to another journal"
    if (block.previous, columns.first_sequence) != (head, through + 1):
        return "does not follow the block before"
    if (block.hash, columns.last_sequence) != (row.hash, row.last):
        return "differs from its row"
    held = records_between(connection, BoxName(*tuple(row)[:3]), row.epoch, row.first, row.last)
    return None if held == to_records(columns) else "differs from its records"
