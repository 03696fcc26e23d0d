"""Keeps what moved for payees since a month began, and reads only what was posted since."""

from collections import defaultdict
from typing import Final, NamedTuple

from sqlalchemy import Connection, case, delete, func, insert, select

from cloud.database import schema
from cloud.database.fleet import Place, at
from cloud.settlement.running import PAYEES

_KINDS: Final = (*PAYEES, "receivable", "wage")


class Moved(NamedTuple):
    """Transfers of one kind on one account, of the month or of later ones."""

    account: str
    account_kind: str
    kind: str
    is_later: bool


def read_moves(connection: Connection, place: Place, period: str) -> dict[Moved, int]:
    """Sum what moved since a month began, fen, signed; 0 where it came and went.

    Transfers only grow and are numbered in the order of posting, so that what was added up once
    stays as it is. The caller holds the site.
    """
    through, moved = _kept(connection, place, period)
    newest = _newest(connection, place)
    if newest == through:
        return moved
    for key, fen in _posted(connection, place, period, through):
        moved[key] += fen
    _keep(connection, place, period, newest, moved)
    return moved


def _newest(connection: Connection, place: Place) -> int:
    transfers = schema.transfers
    query = select(func.max(transfers.c.transfer)).where(at(transfers, place))
    return connection.execute(query).scalar_one() or 0


def _kept(connection: Connection, place: Place, period: str) -> tuple[int, dict[Moved, int]]:
    table, moved = schema.month_moves, defaultdict[Moved, int](int)
    query = select(table).where(at(table, place), table.c.period == period)
    row = connection.execute(query).one_or_none()
    if row is None:
        return 0, moved
    moved |= {Moved(*key): fen for *key, fen in row.content}
    return row.through_transfer, moved


def _posted(
    connection: Connection, place: Place, period: str, through: int
) -> list[tuple[Moved, int]]:
    transfers, found = schema.transfers, []
    later = case((transfers.c.period > period, 1), else_=0)
    fen_sum = func.sum(transfers.c.amount_fen)
    for side, sign in (("credit", 1), ("debit", -1)):
        kind = transfers.c[f"{side}_kind"]
        query = (
            select(transfers.c[side], kind, transfers.c.kind, later, fen_sum)
            .where(at(transfers, place), transfers.c.period >= period, kind.in_(_KINDS))
            .group_by(transfers.c[side], kind, transfers.c.kind, later)
        )
        if through:
            query = query.where(transfers.c.transfer > through)
        for account, account_kind, of_kind, is_later, fen in connection.execute(query):
            found.append((Moved(account, account_kind, of_kind, bool(is_later)), sign * int(fen)))
    return found


def _keep(
    connection: Connection, place: Place, period: str, through: int, moved: dict[Moved, int]
) -> None:
    table = schema.month_moves
    connection.execute(delete(table).where(at(table, place), table.c.period == period))
    row = place._asdict() | {
        "period": period,
        "through_transfer": through,
        "content": [[*key, fen] for key, fen in sorted(moved.items())],
    }
    connection.execute(insert(table), row)
