"""Keeps what boxes learned of the true time, and the times of records that follow from it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, or_, select

from agreed.anchors import Anchor, AnchorSource
from agreed.wire import Block, decode_block
from cloud.database import schema
from cloud.database.fleet import BoxName, at
from cloud.database.inbox import chunks

ANCHORS_PER_BOOT_MAX: Final = 20_000
"""Further ones are kept and not used: no box makes as many in a year without a restart."""

_BLOCKS_PER_READ: Final = 200


class Boot(NamedTuple):
    """A start of a box's machine: within it one monotonic clock ran."""

    box: BoxName
    boot: bytes


class Time(NamedTuple):
    """A corrected time; fields as in `agreed.records.Record`."""

    wall_ms: int
    bound_ms: int
    clock_state: int


@dataclass(frozen=True, slots=True)
class TimeChange:
    """A record whose time in force is another one now; None for the claimed one."""

    sequence: int
    subject: str
    was: Time | None
    now: Time | None


def add_anchors(connection: Connection, boot: Boot, epoch: bytes, found: dict[int, Anchor]) -> None:
    """Store anchors by the sequence of the record that carries them; they must be new."""
    place = boot.box._asdict() | {"epoch": epoch, "boot": boot.boot}
    rows = [
        place
        | {
            "sequence": sequence,
            "source": int(anchor.source),
            "mono_ns": anchor.mono_ns,
            "lo_ns": anchor.lo_ns,
            "hi_ns": anchor.hi_ns,
        }
        for sequence, anchor in found.items()
    ]
    if rows:
        connection.execute(insert(schema.anchors), rows)


def anchors_of_boot(connection: Connection, boot: Boot) -> dict[tuple[bytes, int], Anchor]:
    """Read the anchors of a boot by epoch and sequence, the earliest first."""
    anchors = schema.anchors.c
    query = (
        select(
            anchors.epoch,
            anchors.sequence,
            anchors.source,
            anchors.mono_ns,
            anchors.lo_ns,
            anchors.hi_ns,
        )
        .where(at(schema.anchors, boot.box), anchors.boot == boot.boot)
        .order_by(anchors.mono_ns, anchors.epoch, anchors.sequence)
        .limit(ANCHORS_PER_BOOT_MAX)
    )
    return {
        (epoch, sequence): Anchor(AnchorSource(source), mono_ns, lo_ns, hi_ns)
        for epoch, sequence, source, mono_ns, lo_ns, hi_ns in connection.execute(query)
    }


def count_anchors(connection: Connection, boot: Boot) -> int:
    """Count the anchors of a boot: as they only grow, the same number means the same ones."""
    is_of_boot = at(schema.anchors, boot.box) & (schema.anchors.c.boot == boot.boot)
    return int(connection.execute(select(func.count()).where(is_of_boot)).scalar_one())


def blocks_of_boot(
    connection: Connection, boot: Boot, from_ns: int, until_ns: int
) -> Iterator[Block]:
    """Read the blocks that tell of a part of a boot, both ends inclusive, a bounded number at once.

    The caller may write other tables meanwhile.
    """
    blocks = schema.blocks.c
    overlaps = or_(
        blocks.mono_ns_max.is_(None),
        (blocks.mono_ns_max >= from_ns) & (blocks.mono_ns_min <= until_ns),
    )
    is_wanted = at(schema.blocks, boot.box) & (blocks.boot == boot.boot) & overlaps
    keys = connection.execute(select(blocks.epoch, blocks.first).where(is_wanted)).all()
    by_epoch: dict[bytes, list[int]] = {}
    for epoch, first in sorted(map(tuple, keys)):
        by_epoch.setdefault(epoch, []).append(first)
    for epoch, firsts in by_epoch.items():
        for start in range(0, len(firsts), _BLOCKS_PER_READ):
            part = blocks.first.in_(firsts[start : start + _BLOCKS_PER_READ])
            query = select(blocks.data).where(
                at(schema.blocks, boot.box), blocks.epoch == epoch, part
            )
            for data in connection.execute(query).scalars().all():
                yield decode_block(data)


def times_of_block(connection: Connection, box: BoxName, block: Block) -> dict[int, Time]:
    """Read the corrected times of a block's records by sequence."""
    times, columns = schema.corrections.c, block.columns
    query = select(times.sequence, times.wall_ms, times.bound_ms, times.clock_state).where(
        at(schema.corrections, box),
        times.epoch == block.origin.epoch,
        times.sequence.between(columns.first_sequence, columns.last_sequence),
    )
    return {row.sequence: Time(*tuple(row)[1:]) for row in connection.execute(query)}


def change_times(
    connection: Connection, box: BoxName, epoch: bytes, changes: Iterable[TimeChange]
) -> None:
    """Put other times in force."""
    changes = list(changes)
    times = schema.corrections.c
    for chunk in chunks([change.sequence for change in changes if change.was is not None]):
        connection.execute(
            delete(schema.corrections).where(
                at(schema.corrections, box), times.epoch == epoch, times.sequence.in_(chunk)
            )
        )
    place = box._asdict() | {"epoch": epoch}
    rows: list[dict[str, Any]] = [
        place | {"sequence": c.sequence, "subject": c.subject} | c.now._asdict()
        for c in changes
        if c.now is not None
    ]
    if rows:
        connection.execute(insert(schema.corrections), rows)
