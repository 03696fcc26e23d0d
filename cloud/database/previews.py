"""Records that are shown before they are committed: no verdict and no pay ever reads them."""

from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select

from agreed.limits import LIVE_RECORDS_MAX
from agreed.wire import Block
from cloud.database import schema
from cloud.database.fleet import BoxName, at
from cloud.database.inbox import spelled_out
from cloud.database.views import PreviewView

_SHOWN: Final = ("sequence", "wall_ms", "bound_ms", "clock_state", "evidence")
_TEXTS: Final = ("device", "node_kind", "subject", "reference", "detail")


def add_previews(
    connection: Connection, name: BoxName, blocks: list[Block], through: int, now_ms: int
) -> int:
    """Show the records of a journal behind `through`; gives how many were not shown before.

    At most LIVE_RECORDS_MAX of a journal are kept, the newest.
    """
    epoch = blocks[0].origin.epoch
    shown = func.coalesce(func.max(schema.previews.c.sequence), 0)
    last = connection.execute(select(shown).where(_of(name, epoch))).scalar_one()
    after = max(through, last)
    rows = [row for block in blocks for row in spelled_out(block) if row["sequence"] > after]
    if rows:
        place = name._asdict() | {"epoch": epoch, "seen_at_ms": now_ms}
        values = [place | {key: row[key] for key in (*_SHOWN, *_TEXTS)} for row in rows]
        connection.execute(insert(schema.previews), values)
        settle_previews(connection, name, epoch, rows[-1]["sequence"] - LIVE_RECORDS_MAX)
    return len(rows)


def settle_previews(connection: Connection, name: BoxName, epoch: bytes, through: int) -> None:
    """Show no longer what is committed by now."""
    previews = schema.previews
    connection.execute(delete(previews).where(_of(name, epoch), previews.c.sequence <= through))


def last_previews(connection: Connection, name: BoxName, limit: int) -> list[PreviewView]:
    """Read what was seen of a box and is not committed yet, the newest first."""
    table = schema.previews
    query = (
        select(table)
        .where(at(table, name))
        .order_by(table.c.seen_at_ms.desc(), table.c.sequence.desc())
        .limit(limit)
    )
    return [_view(row) for row in connection.execute(query)]


def count_previews(connection: Connection, name: BoxName) -> int:
    """Count them."""
    query = select(func.count()).where(at(schema.previews, name))
    return int(connection.execute(query).scalar_one())


def _of(name: BoxName, epoch: bytes) -> Any:
    return at(schema.previews, name) & (schema.previews.c.epoch == epoch)


def _view(row: Any) -> PreviewView:
    return PreviewView(
        epoch=row.epoch.hex(),
        seen_at_ms=row.seen_at_ms,
        **{key: getattr(row, key) for key in (*_SHOWN, *_TEXTS)},
    )
