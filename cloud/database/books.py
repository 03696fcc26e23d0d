"""Posts to the ledger and keeps statement lines; the rules are the database's own."""

from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy import Connection, and_, bindparam, func, insert, select, text, update

from agreed.promises import Verdict
from cloud.database import schema
from cloud.database.counting import LINES_MIN, count_once
from cloud.database.fleet import Place, at
from cloud.database.inbox import chunks
from cloud.database.inserting import Values, add_rows
from cloud.settlement.claims import CLAIM, RECOVERY
from cloud.settlement.paying import HELD, PAY, POSTED, REVERSAL, Line, Settled
from cloud.settlement.periods import Calendar
from cloud.settlement.reasons import Reason
from cloud.settlement.waterfall import POOL, Account, Move, advanced

HELD_LINES_MAX = 10_000
"""How many waiting lines one transaction looks at."""

# The condition of the index; SQLite uses it only where its condition stands in the query, too.
IS_HELD: Final = text("lines.status = 'held'")


def balance_fen(connection: Connection, place: Place, account: Account) -> int:
    """Read what an account holds, fen; 0 if it was never used."""
    return balances_fen(connection, place, {account})[account]


def balances_fen(connection: Connection, place: Place, wanted: set[Account]) -> dict[Account, int]:
    """Read what accounts hold, fen; 0 where one was never used."""
    accounts, found = schema.accounts, dict[str, int]()
    balance = (accounts.c.credits_fen - accounts.c.debits_fen).label("fen")
    for chunk in chunks(sorted(account.name for account in wanted)):
        query = select(accounts.c.account, balance).where(
            at(accounts, place), accounts.c.account.in_(chunk)
        )
        found |= {row.account: row.fen for row in connection.execute(query)}
    return {account: found.get(account.name, 0) for account in wanted}


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
    _open_accounts(connection, place, moves)
    transfers = schema.transfers
    months = calendar(connection, place)
    last = select(func.coalesce(func.max(transfers.c.transfer), 0)).where(at(transfers, place))
    first = connection.execute(last).scalar_one() + 1
    rows = (
        (
            number,
            move.key,
            move.kind,
            move.debit.name,
            move.debit.kind,
            move.credit.name,
            move.credit.kind,
            move.amount_fen,
            move.at_ms,
            now_ms,
            move.order_id,
            to_json(move.reason).decode(),
            period or months.belongs_to(move.at_ms),
        )
        for number, move in enumerate(moves, first)
    )
    add_rows(connection, schema.transfers, rows, same=tuple(place))
    return {move.key: number for number, move in enumerate(moves, first)}


def is_posted(connection: Connection, place: Place, key: str) -> bool:
    """Say whether a transfer of this key was ever posted."""
    transfers = schema.transfers
    query = select(transfers.c.transfer).where(at(transfers, place), transfers.c.key == key)
    return connection.execute(query).first() is not None


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
        .where(at(lines, place), IS_HELD)
        .order_by(lines.c.at_ms, lines.c.order_id, lines.c.node)
        .limit(HELD_LINES_MAX)
    )
    return [_line(row) for row in connection.execute(query)]


def store(connection: Connection, place: Place, settled: Settled, now_ms: int) -> None:
    """Post what was settled and keep its lines."""
    _change_lines(connection, place, settled.withdrawn, "withdrawn", {})
    numbers = post(connection, place, settled.moves, now_ms)
    _change_lines(connection, place, settled.released, POSTED, numbers)
    rows = (_line_row(line, numbers.get(line.key), now_ms) for line in settled.lines)
    add_rows(connection, schema.lines, rows, same=tuple(place))
    if len(settled.lines) >= LINES_MIN:
        count_once(connection)


def _line_row(line: Line, transfer: int | None, now_ms: int) -> Values:
    assert (line.status == POSTED) == (transfer is not None)
    reason = line.reason
    return (
        reason.order_id,
        reason.node,
        reason.revision,
        line.kind,
        line.worker,
        line.status,
        int(line.verdict),
        reason.amount_fen,
        transfer,
        line.at_ms,
        now_ms,
        to_json(reason).decode(),
        line.period,
    )


def _open_accounts(connection: Connection, place: Place, moves: list[Move]) -> None:
    accounts, known = schema.accounts, set[str]()
    wanted = {move.debit.name: move.debit for move in moves}
    wanted |= {move.credit.name: move.credit for move in moves}
    for chunk in chunks(sorted(wanted)):
        query = select(accounts.c.account).where(at(accounts, place), accounts.c.account.in_(chunk))
        known |= set(connection.execute(query).scalars())
    rows = [
        place._asdict() | {"account": name, "kind": wanted[name].kind}
        for name in sorted(wanted.keys() - known)
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
