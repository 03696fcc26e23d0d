"""Posts to the ledger and keeps statement lines; the rules are the database's own."""

import json
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select, text, update

from agreed.promises import Verdict
from cloud.database import schema
from cloud.database.fleet import Place, at
from cloud.database.inbox import chunks
from cloud.settlement.claims import CLAIM, RECOVERY
from cloud.settlement.paying import HELD, PAY, POSTED, REVERSAL, Line, Settled
from cloud.settlement.periods import Calendar
from cloud.settlement.reasons import Reason
from cloud.settlement.waterfall import POOL, Account, Move, advanced

HELD_LINES_MAX = 10_000
"""How many waiting lines one transaction looks at."""


def balance_fen(connection: Connection, place: Place, account: Account) -> int:
    """Read what an account holds, fen; 0 if it was never used."""
    accounts = schema.accounts
    return (
        connection.execute(
            select(accounts.c.credits_fen - accounts.c.debits_fen).where(
                at(accounts, place), accounts.c.account == account.name
            )
        ).scalar_one_or_none()
        or 0
    )


def calendar(connection: Connection, place: Place) -> Calendar:
    """Read how far a site's months are closed."""
    companies, sites = schema.companies, schema.sites
    row = connection.execute(
        select(companies.c.utc_offset_minutes, sites.c.closed_through)
        .join(sites, sites.c.company == companies.c.company)
        .where(at(sites, place))
    ).one()
    return Calendar(row.utc_offset_minutes, row.closed_through)


def close_month(connection: Connection, place: Place, period: str) -> None:
    """Let nothing but its payout enter a month any more, nor one before it."""
    sites = schema.sites
    connection.execute(update(sites).where(at(sites, place)).values(closed_through=period))


def pool_fen(connection: Connection, place: Place) -> int:
    """Read what a site's pool can still pay, fen."""
    return balance_fen(connection, place, POOL)


def post(
    connection: Connection,
    place: Place,
    moves: list[Move],
    now_ms: int,
    *,
    period: str | None = None,
) -> dict[str, int]:
    """Post transfers in order, all or none.

    Each belongs to the month of its deed, or to the first open one; or to `period`.

    Returns:
        the number of each transfer by its key.

    Raises:
        sqlalchemy.exc.IntegrityError: an account would be overdrawn, a key is known, or a rule
            of the ledger refuses it.
    """
    if not moves:
        return {}
    _open_accounts(connection, place, {side for m in moves for side in (m.debit, m.credit)})
    transfers = schema.transfers
    months = calendar(connection, place)
    last = select(func.coalesce(func.max(transfers.c.transfer), 0)).where(at(transfers, place))
    first = connection.execute(last).scalar_one() + 1
    key = place._asdict()
    rows = [
        key
        | {
            "transfer": first + i,
            "key": move.key,
            "kind": move.kind,
            "debit": move.debit.name,
            "debit_kind": move.debit.kind,
            "credit": move.credit.name,
            "credit_kind": move.credit.kind,
            "amount_fen": move.amount_fen,
            "at_ms": move.at_ms,
            "recorded_at_ms": now_ms,
            "order_id": move.order_id,
            "reason": move.reason,
            "period": period or months.belongs_to(move.at_ms),
        }
        for i, move in enumerate(moves)
    ]
    _insert_transfers(connection, rows)
    return {move.key: first + i for i, move in enumerate(moves)}


def is_posted(connection: Connection, place: Place, key: str) -> bool:
    """Say whether a transfer of this key was ever posted."""
    transfers = schema.transfers
    query = select(transfers.c.transfer).where(at(transfers, place), transfers.c.key == key)
    return connection.execute(query).first() is not None


def posted_moves(
    connection: Connection, place: Place, order_id: str, kinds: set[str]
) -> list[Move]:
    """Read what was posted for an order, in order of posting."""
    transfers = schema.transfers
    query = (
        select(transfers)
        .where(at(transfers, place), transfers.c.order_id == order_id, transfers.c.kind.in_(kinds))
        .order_by(transfers.c.transfer)
    )
    return [
        Move(
            r.key,
            r.kind,
            Account(r.debit, r.debit_kind),
            Account(r.credit, r.credit_kind),
            r.amount_fen,
            r.at_ms,
            r.order_id,
            r.reason,
        )
        for r in connection.execute(query)
    ]


def paid_lines(
    connection: Connection, place: Place, revisions: dict[tuple[str, str], int]
) -> list[Line]:
    """Read the lines that pay the named revisions of nodes, posted or held."""
    lines = schema.lines
    found = []
    for chunk in chunks(sorted({order_id for order_id, _node in revisions})):
        query = select(lines).where(
            at(lines, place),
            lines.c.order_id.in_(chunk),
            lines.c.kind == PAY,
            lines.c.status.in_((POSTED, HELD)),
        )
        found += [
            _line(row)
            for row in connection.execute(query)
            if revisions.get((row.order_id, row.node)) == row.revision
        ]
    return found


def owed_by_node(
    connection: Connection, place: Place, keys: set[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Read what claims on nodes have left, fen > 0; never more than their worker still owes."""
    transfers = schema.transfers
    left: dict[tuple[str, str], int] = {}
    debtors: dict[tuple[str, str], str] = {}
    for chunk in chunks(sorted({order_id for order_id, _node in keys})):
        query = select(transfers).where(
            at(transfers, place),
            transfers.c.order_id.in_(chunk),
            transfers.c.kind.in_((CLAIM, RECOVERY)),
        )
        for row in connection.execute(query.order_by(transfers.c.transfer)):
            of = row.order_id, row.reason["node"]
            if of in keys and row.kind == CLAIM:
                left[of] = left.get(of, 0) + row.amount_fen
                debtors[of] = row.debit
            elif of in keys and row.credit_kind == "receivable":
                left[of] = left.get(of, 0) - row.amount_fen
    return _bounded(connection, place, left, debtors)


def _bounded(
    connection: Connection,
    place: Place,
    left: dict[tuple[str, str], int],
    debtors: dict[tuple[str, str], str],
) -> dict[tuple[str, str], int]:
    rests = {
        name: -balance_fen(connection, place, Account(name, "receivable"))
        - balance_fen(connection, place, advanced(name.partition(":")[2]))
        for name in sorted(set(debtors.values()))
    }
    bounded = {}
    for of, fen in sorted(left.items()):
        bounded[of] = min(fen, rests[debtors[of]])
        rests[debtors[of]] -= bounded[of]
    return {of: fen for of, fen in bounded.items() if fen}


def held_lines(connection: Connection, place: Place) -> list[Line]:
    """Read the lines that wait for the pool, in the order of the deeds."""
    lines = schema.lines
    query = (
        select(lines)
        .where(at(lines, place), lines.c.status == HELD)
        .order_by(lines.c.at_ms, lines.c.order_id, lines.c.node)
        .limit(HELD_LINES_MAX)
    )
    return [_line(row) for row in connection.execute(query)]


def store(connection: Connection, place: Place, settled: Settled, now_ms: int) -> None:
    """Post what was settled and keep its lines."""
    _change_lines(connection, place, settled.withdrawn, "withdrawn", {})
    numbers = post(connection, place, settled.moves, now_ms)
    _change_lines(connection, place, settled.released, POSTED, numbers)
    key = place._asdict()
    rows = [
        key
        | {
            "order_id": line.reason.order_id,
            "node": line.reason.node,
            "revision": line.reason.revision,
            "kind": line.kind,
            "worker": line.worker,
            "status": line.status,
            "verdict": int(line.verdict),
            "amount_fen": line.reason.amount_fen,
            "transfer": numbers.get(line.key),
            "at_ms": line.at_ms,
            "recorded_at_ms": now_ms,
            "reason": line.reason.model_dump(mode="json"),
            "period": line.period,
        }
        for line in settled.lines
    ]
    assert all((row["status"] == POSTED) == (row["transfer"] is not None) for row in rows)
    if rows:
        connection.execute(insert(schema.lines), rows)


def _insert_transfers(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if connection.dialect.name == "postgresql":
        # One statement, so that the trigger changes each account's row once.
        names = ", ".join(column.name for column in schema.transfers.columns)
        query = text(
            f"INSERT INTO transfers ({names}) SELECT {names} FROM "  # noqa: S608  # our own names
            "json_populate_recordset(NULL::transfers, CAST(:rows AS json))"
        )
        connection.execute(query, {"rows": json.dumps(rows, ensure_ascii=False)})
    else:
        connection.execute(insert(schema.transfers), rows)


def _open_accounts(connection: Connection, place: Place, wanted: set[Account]) -> None:
    accounts = schema.accounts
    known: set[str] = set()
    for chunk in chunks(sorted(account.name for account in wanted)):
        query = select(accounts.c.account).where(at(accounts, place), accounts.c.account.in_(chunk))
        known |= set(connection.execute(query).scalars())
    rows = [
        place._asdict() | {"account": account.name, "kind": account.kind}
        for account in sorted(wanted, key=lambda a: a.name)
        if account.name not in known
    ]
    if rows:
        connection.execute(insert(accounts), rows)


def _change_lines(
    connection: Connection, place: Place, changed: list[Line], status: str, numbers: dict[str, int]
) -> None:
    if not changed:
        return
    lines = schema.lines
    matches = and_(
        at(lines, place),
        lines.c.order_id == bindparam("of_order"),
        lines.c.node == bindparam("of_node"),
        lines.c.revision == bindparam("of_revision"),
        lines.c.kind == PAY,
    )
    connection.execute(
        update(lines)
        .where(matches)
        .values(status=status, transfer=bindparam("to_transfer"), period=bindparam("to_period")),
        [
            {
                "of_order": line.reason.order_id,
                "of_node": line.reason.node,
                "of_revision": line.reason.revision,
                "to_transfer": numbers.get(line.key),
                "to_period": line.period,
            }
            for line in changed
        ],
    )


def _line(row: Any) -> Line:
    reason = Reason.model_validate(row.reason)
    verdict = Verdict(row.verdict)
    return Line(row.kind, row.worker, row.status, verdict, row.at_ms, reason, row.period)


assert {PAY, REVERSAL} == set(schema.LINE_KINDS)
