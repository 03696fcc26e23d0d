"""Stores blocks as they came and their records as rows; the hot path of headquarters."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby, product, repeat
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Table,
    and_,
    func,
    join,
    outerjoin,
    select,
    text,
)

from agreed.records import RecordColumns
from agreed.wire import Block
from cloud.database import schema
from cloud.database.fleet import BoxName, Place, at
from cloud.database.inserting import add_rows, given_columns
from cloud.fulfilment.deciding import Witness

_COLUMNS: Final = tuple(given_columns(schema.records))
_CHUNK: Final = 500
MS_PER_HOUR: Final = 3_600_000

# The conditions of indexes; SQLite uses one only where its condition stands in the query, too.
_HAS_REFERENCE: Final = text("records.reference <> ''")
_HAS_SUBJECT: Final = text("records.subject <> ''")
_HAS_CORRECTED_SUBJECT: Final = text("corrections.subject <> ''")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored:
    """A block that is to be stored.

    Attributes:
        block: decoded.
        data: as it came.
        signature: over this block as head of its chain; None where a later one covers it.
        key_number: which key of the box made it.
    """

    block: Block
    data: bytes
    signature: bytes | None = None
    key_number: int | None = None


def stored_hash(connection: Connection, name: BoxName, epoch: bytes, first: int) -> bytes | None:
    """Find the hash of the block that begins at a sequence; None for none."""
    blocks = schema.blocks
    return connection.execute(
        select(blocks.c.hash).where(
            at(blocks, name), blocks.c.epoch == epoch, blocks.c.first == first
        )
    ).scalar_one_or_none()


def hash_at(connection: Connection, name: BoxName, epoch: bytes, through: int) -> bytes | None:
    """Find the hash of the block that ends at a sequence; None for none."""
    blocks = schema.blocks
    query = (
        select(blocks.c.last, blocks.c.hash)
        .where(at(blocks, name), blocks.c.epoch == epoch, blocks.c.first <= through)
        .order_by(blocks.c.first.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None or row.last != through else row.hash


def add_blocks(connection: Connection, arrived: list[Stored], now_ms: int) -> None:
    """Store blocks with all their records; they must be new."""
    if not arrived:
        return
    for journal, part in groupby(arrived, lambda stored: _journal(stored.block)):
        own = list(part)
        add_rows(connection, schema.blocks, (_block_row(one, now_ms) for one in own), same=journal)
        rows = chain.from_iterable(_rows(one.block) for one in own)
        add_rows(connection, schema.records, rows, same=journal)


def spelled_out(block: Block) -> Iterator[dict[str, Any]]:
    """Lay out the records of a block as rows, by column."""
    journal = _journal(block)
    return (dict(zip(_COLUMNS, journal + row, strict=True)) for row in _rows(block))


def _block_row(stored: Stored, now_ms: int) -> tuple[Any, ...]:
    """Lay a block out in the order of the columns that follow those of its journal."""
    block = stored.block
    return (
        block.columns.first_sequence,
        block.columns.last_sequence,
        block.origin.boot,
        block.hash,
        block.previous,
        stored.data,
        now_ms,
        stored.signature,
        stored.key_number,
        int(block.columns.mono_ns.min()),
        int(block.columns.mono_ns.max()),
    )


def witnesses_of_orders(
    connection: Connection, place: Place, order_ids: list[str]
) -> list[Witness]:
    """Read every record that carries one of the orders."""
    found = []
    for chunk in chunks(order_ids):
        is_of_order = schema.records.c.reference.in_(chunk) & _HAS_REFERENCE
        found += _witnesses(connection, place, _WITH_TIMES, is_of_order)
    return found


def witnesses_of_workers(
    connection: Connection, place: Place, spans: dict[str, tuple[int, int]], kinds: set[str]
) -> list[Witness]:
    """Read the records of workers, each within a span of ms, both ends inclusive."""
    records, times = schema.records.c, schema.corrections.c
    is_kind = records.node_kind.in_(kinds)
    found = []
    # By the time that was claimed where that stands, and by the corrected one: each has its index.
    for hours, workers in _workers_by_hours(connection, place, spans).items():
        for some_hours, some_workers in product(chunks(list(hours)), chunks(workers)):
            is_claimed = records.hour.in_(some_hours) & records.subject.in_(some_workers)
            is_claimed &= at(schema.journals, place) & _HAS_SUBJECT & times.sequence.is_(None)
            found += _witnesses(connection, place, _OF_JOURNALS, is_claimed & is_kind)
    for part in chunks(list(spans)):
        from_ms, until_ms = min(spans[w][0] for w in part), max(spans[w][1] for w in part)
        is_corrected = at(schema.corrections, place) & _HAS_CORRECTED_SUBJECT
        is_corrected &= times.subject.in_(part) & times.wall_ms.between(from_ms, until_ms)
        found += _witnesses(connection, place, _CORRECTED, is_corrected & is_kind)
    return [w for w in found if spans[w.subject][0] <= w.wall_ms <= spans[w.subject][1]]


def _workers_by_hours(
    connection: Connection, place: Place, spans: dict[str, tuple[int, int]]
) -> dict[range, list[str]]:
    """Find the hours that spans touch, as far as anybody was seen, and whose spans those are."""
    journals, hour = schema.journals, schema.records.c.hour
    is_known = _joined(schema.records, journals, *_JOURNAL) & _HAS_SUBJECT
    ends = (
        select(end(select(end(hour)).where(is_known).correlate(journals).scalar_subquery()))
        .where(at(journals, place))
        .scalar_subquery()
        for end in (func.min, func.max)
    )
    first, last = connection.execute(select(*ends)).one()
    found: dict[range, list[str]] = {}
    for worker, (from_ms, until_ms) in spans.items() if first is not None else ():
        start = max(from_ms // MS_PER_HOUR, first)
        hours = range(start, min(until_ms // MS_PER_HOUR, last) + 1)
        found.setdefault(hours, []).append(worker)
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


def _journal(block: Block) -> tuple[str, str, str, bytes]:
    """Give the values of the first of `_COLUMNS`: all records of a journal have them in common."""
    origin = block.origin
    return origin.company, origin.site, origin.box, origin.epoch


def _rows(block: Block) -> Iterator[tuple[Any, ...]]:
    """Lay the records out in the order of the rest of `_COLUMNS`."""
    columns = block.columns
    first, last = columns.first_sequence, columns.last_sequence
    return zip(
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


def _joined(one: Table, other: Table, *names: str) -> ColumnElement[bool]:
    return and_(*(one.c[name] == other.c[name] for name in names))


_JOURNAL: Final = ("company", "site", "box", "epoch")
_OF_RECORD: Final = _joined(schema.records, schema.corrections, *_JOURNAL, "sequence")
_WITH_TIMES: Final = outerjoin(schema.records, schema.corrections, _OF_RECORD)
_CORRECTED: Final = join(schema.records, schema.corrections, _OF_RECORD)
# Journal by journal, as the index of hours is.
_OF_JOURNALS: Final = join(
    schema.journals, schema.records, _joined(schema.records, schema.journals, *_JOURNAL)
).outerjoin(schema.corrections, _OF_RECORD)


def _witnesses(
    connection: Connection, place: Place, source: FromClause, condition: ColumnElement[bool]
) -> list[Witness]:
    """Read records with the times in force: corrected, or else as claimed."""
    records, times = schema.records.c, schema.corrections.c
    query = (
        select(
            records.box,
            records.epoch,
            records.sequence,
            func.coalesce(times.wall_ms, records.wall_ms),
            func.coalesce(times.bound_ms, records.bound_ms),
            func.coalesce(times.clock_state, records.clock_state),
            records.evidence,
            records.device,
            records.node_kind,
            records.subject,
            records.reference,
            records.block_first,
        )
        .select_from(source)
        .where(at(schema.records, place), condition)
    )
    return [Witness(*tuple(row)) for row in connection.execute(query)]
