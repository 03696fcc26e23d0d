"""Stores blocks as they came and their records as rows; the hot path of headquarters."""

from collections.abc import Iterator
from itertools import repeat
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, and_, insert, or_, select

from agreed.records import RecordColumns
from agreed.wire import Block
from cloud.database import schema
from cloud.database.fleet import BoxName, Place, at
from cloud.fulfilment.deciding import Witness

_COLUMNS: Final = tuple(column.name for column in schema.records.columns)
_INSERT: Final = (
    f"INSERT INTO records ({', '.join(_COLUMNS)}) "  # noqa: S608  # names of our own
    f"VALUES ({', '.join('?' * len(_COLUMNS))})"
)
_COPY: Final = f"COPY records ({', '.join(_COLUMNS)}) FROM STDIN"
_CHUNK: Final = 500

T = TypeVar("T")


def stored_hash(connection: Connection, name: BoxName, epoch: bytes, first: int) -> bytes | None:
    """Find the hash of the block that begins at a sequence; None for none."""
    blocks = schema.blocks
    return connection.execute(
        select(blocks.c.hash).where(
            at(blocks, name), blocks.c.epoch == epoch, blocks.c.first == first
        )
    ).scalar_one_or_none()


def add_blocks(connection: Connection, arrived: list[tuple[Block, bytes]], now_ms: int) -> None:
    """Store blocks with all their records; they must be new."""
    if not arrived:
        return
    connection.execute(
        insert(schema.blocks),
        [
            {
                "company": block.origin.company,
                "site": block.origin.site,
                "box": block.origin.box,
                "epoch": block.origin.epoch,
                "first": block.columns.first_sequence,
                "last": block.columns.last_sequence,
                "boot": block.origin.boot,
                "hash": block.hash,
                "previous": block.previous,
                "data": data,
                "received_at_ms": now_ms,
            }
            for block, data in arrived
        ],
    )
    cursor: Any = connection.connection.cursor()
    try:
        if connection.dialect.name == "postgresql":
            with cursor.copy(_COPY) as copy:
                for block, _data in arrived:
                    for row in _rows(block):
                        copy.write_row(row)
        else:
            for block, _data in arrived:
                cursor.executemany(_INSERT, _rows(block))
    finally:
        cursor.close()


def witnesses_of_orders(
    connection: Connection, place: Place, order_ids: list[str]
) -> list[Witness]:
    """Read every record that carries one of the orders."""
    found = []
    for chunk in chunks(order_ids):
        found += _witnesses(connection, place, schema.records.c.reference.in_(chunk))
    return found


def witnesses_of_workers(
    connection: Connection, place: Place, spans: dict[str, tuple[int, int]], kinds: set[str]
) -> list[Witness]:
    """Read the records of workers, each within a span of ms, both ends inclusive."""
    records = schema.records.c
    found = []
    for chunk in chunks(list(spans)):
        condition = or_(
            *(
                and_(records.subject == w, records.wall_ms.between(spans[w][0], spans[w][1]))
                for w in chunk
            )
        )
        found += _witnesses(connection, place, and_(condition, records.node_kind.in_(kinds)))
    return found


def hashes_of_blocks(
    connection: Connection, place: Place, wanted: set[tuple[str, bytes, int]]
) -> dict[tuple[str, bytes, int], bytes]:
    """Find the hashes of blocks named by box, epoch and first sequence."""
    blocks = schema.blocks.c
    firsts: dict[tuple[str, bytes], list[int]] = {}
    for box, epoch, first in wanted:
        firsts.setdefault((box, epoch), []).append(first)
    found: dict[tuple[str, bytes, int], bytes] = {}
    for (box, epoch), numbers in firsts.items():
        for chunk in chunks(numbers):
            query = select(blocks.first, blocks.hash).where(
                at(schema.blocks, BoxName(*place, box)),
                blocks.epoch == epoch,
                blocks.first.in_(chunk),
            )
            found |= {(box, epoch, row.first): row.hash for row in connection.execute(query)}
    return found


def chunks(items: list[T]) -> Iterator[list[T]]:
    """Cut a list into pieces that fit one statement."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _rows(block: Block) -> Iterator[tuple[Any, ...]]:
    """Lay the records out in the order of `_COLUMNS`."""
    origin, columns = block.origin, block.columns
    first, last = columns.first_sequence, columns.last_sequence
    return zip(
        repeat(origin.company),
        repeat(origin.site),
        repeat(origin.box),
        repeat(origin.epoch),
        range(first, last + 1),
        columns.wall_ms.tolist(),
        columns.bound_ms.tolist(),
        columns.mono_ns.tolist(),
        columns.clock_state.tolist(),
        columns.evidence.tolist(),
        *_texts(columns),
        repeat(first),
        strict=False,
    )


def _texts(columns: RecordColumns) -> Iterator[list[str]]:
    return (
        columns.text(name) for name in ("device", "node_kind", "subject", "reference", "detail")
    )


def _witnesses(connection: Connection, place: Place, condition: Any) -> list[Witness]:
    records = schema.records.c
    query = select(
        records.box,
        records.epoch,
        records.sequence,
        records.wall_ms,
        records.bound_ms,
        records.clock_state,
        records.evidence,
        records.device,
        records.node_kind,
        records.subject,
        records.reference,
        records.block_first,
    ).where(at(schema.records, place), condition)
    return [Witness(*tuple(row)) for row in connection.execute(query)]
