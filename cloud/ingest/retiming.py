"""Computes the times of a boot's records again when one of its anchors comes, whenever that is.

The times in force are a function of the boot's records and anchors: neither the order of arrival
nor the cuts into transactions show.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import Connection

from agreed.anchors import MONO_NS_MAX, Anchor, read_anchor, to_anchors
from agreed.records import CLOCK_ANCHOR, ClockState, Evidence, RecordColumns
from agreed.timeline import Agreement, Times, agree, changed_span, correct
from agreed.wire import Block
from cloud.database.fleet import BoxName, open_incident
from cloud.database.inbox import Stored
from cloud.database.times import (
    Boot,
    Time,
    TimeChange,
    add_anchors,
    anchors_of_boot,
    blocks_of_boot,
    change_times,
    count_anchors,
    times_of_block,
)
from cloud.ingest.incidents import IncidentKind

AHEAD_MS_MAX: Final = 5 * 60_000
"""How far a box's clock may be ahead of headquarters' and still prove that the box was there."""

BOOTS_REMEMBERED_MAX: Final = 64

Journal = tuple[BoxName, bytes]
"""A box and its journal's epoch."""


@dataclass(slots=True)
class Retimed:
    """What new blocks tell of times, their own and those of blocks that were there.

    Attributes:
        covered: until when each journal proves that its box was recording, ms.
        references: orders of records whose time is another one now.
        subjects: who did them.
        walls_ms: when they happened, by every time that was or is in force, ms.
    """

    covered: dict[Journal, int] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    walls_ms: list[int] = field(default_factory=list)


class Agreements:
    """What the anchors of the last boots agree on, so that few blocks ask for all of them again.

    Only what is committed is remembered, and only by its number of anchors, which never go away.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._by_boot: dict[Boot, tuple[int, Agreement]] = {}

    def of(self, connection: Connection, boot: Boot) -> Agreement:
        """Find what a boot's anchors agree on; this transaction has added none to it."""
        count = count_anchors(connection, boot)
        known, agreement = self._by_boot.pop(boot, (-1, None))
        if agreement is None or known != count:
            agreement = agree(to_anchors(anchors_of_boot(connection, boot).values()))
        if len(self._by_boot) >= BOOTS_REMEMBERED_MAX:
            del self._by_boot[next(iter(self._by_boot))]
        self._by_boot[boot] = count, agreement
        return agreement


def retime(
    connection: Connection, accepted: Iterable[Stored], now_ms: int, agreements: Agreements
) -> Retimed:
    """Keep the anchors in new blocks, and put the times in force that follow from them.

    Args:
        connection: holds the site's lock; the blocks are stored.
        accepted: new blocks.
        now_ms: headquarters' clock, ms.
        agreements: of boots that spoke before.
    """
    by_boot: dict[Boot, list[Block]] = {}
    for stored in accepted:
        origin = stored.block.origin
        box = BoxName(origin.company, origin.site, origin.box)
        by_boot.setdefault(Boot(box, origin.boot), []).append(stored.block)
    retimed = Retimed()
    for boot, blocks in by_boot.items():
        came = _add_anchors(connection, boot, blocks)
        if came:
            _retime_anew(connection, retimed, boot, blocks, came, now_ms)
        else:
            agreement = agreements.of(connection, boot)
            _retime_new(connection, retimed, boot, blocks, agreement, now_ms)
    return retimed


def anchors_in(columns: RecordColumns) -> dict[int, Anchor]:
    """Find the anchors among records, by sequence; what cannot be read is none."""
    kinds, index = columns.texts["node_kind"]
    if CLOCK_ANCHOR not in kinds:
        return {}
    rows = (index == kinds.index(CLOCK_ANCHOR)).nonzero()[0].tolist()
    details, detail_of = columns.texts["detail"]
    # The box itself is the only source: no device of that name and no claim by hand.
    own = [
        row
        for row in rows
        if columns.evidence[row] == Evidence.DEVICE
        and not columns.texts["device"][0][columns.texts["device"][1][row]]
    ]
    read = {columns.first_sequence + row: read_anchor(details[detail_of[row]]) for row in own}
    return {sequence: anchor for sequence, anchor in read.items() if anchor is not None}


def _add_anchors(connection: Connection, boot: Boot, new: list[Block]) -> set[tuple[bytes, int]]:
    """Store what new blocks hold of anchors; gives their epochs and sequences."""
    came: set[tuple[bytes, int]] = set()
    for block in new:
        found = anchors_in(block.columns)
        add_anchors(connection, boot, block.origin.epoch, found)
        came |= {(block.origin.epoch, sequence) for sequence in found}
    return came


def _retime_anew(
    connection: Connection,
    retimed: Retimed,
    boot: Boot,
    new: list[Block],
    came: set[tuple[bytes, int]],
    now_ms: int,
) -> None:
    """Correct new blocks, and those that were there, by all anchors with those that came."""
    known = anchors_of_boot(connection, boot)
    after = agree(to_anchors(known.values()))
    _retime_new(connection, retimed, boot, new, after, now_ms)
    if came & known.keys():
        earlier = {key: anchor for key, anchor in known.items() if key not in came}
        before = agree(to_anchors(earlier.values()))
        _apply_to_others(connection, retimed, boot, new, (before, after), now_ms)


def _retime_new(
    connection: Connection,
    retimed: Retimed,
    boot: Boot,
    new: list[Block],
    agreement: Agreement,
    now_ms: int,
) -> None:
    if agreement.contradicting:
        _note_contradiction(connection, boot, agreement, now_ms)
    by_epoch: dict[bytes, list[Block]] = {}
    for block in new:
        by_epoch.setdefault(block.origin.epoch, []).append(block)
    for blocks in by_epoch.values():
        _apply_to_new(connection, retimed, boot, blocks, agreement, now_ms)


def _apply_to_others(
    connection: Connection,
    retimed: Retimed,
    boot: Boot,
    new: list[Block],
    agreements: tuple[Agreement, Agreement],
    now_ms: int,
) -> None:
    """Correct the blocks that were there, as far as the anchors that came bound them otherwise."""
    before, after = agreements
    span = changed_span(before.kept, after.kept)
    if before.is_certain != after.is_certain or not len(before.is_kept):
        span = 0, MONO_NS_MAX
    if span is None:
        return
    done = {(block.origin.epoch, block.columns.first_sequence) for block in new}
    until_ns = span[1] if span[1] < MONO_NS_MAX else 2**62
    for block in blocks_of_boot(connection, boot, span[0], until_ns):
        if (block.origin.epoch, block.columns.first_sequence) not in done:
            _apply(connection, retimed, boot, block, after, now_ms)


def _apply_to_new(
    connection: Connection,
    retimed: Retimed,
    boot: Boot,
    blocks: list[Block],
    agreement: Agreement,
    now_ms: int,
) -> None:
    """Correct new blocks of one journal, their numbers together: small blocks are many."""
    numbers = _numbers([block.columns for block in blocks])
    times = correct(agreement, numbers)
    _cover(retimed, (boot.box, blocks[0].origin.epoch), numbers, times, now_ms)
    if not times.is_corrected.any():
        return
    start = 0
    for block in blocks:
        stop = start + len(block.columns)
        _put(connection, retimed, boot, block, times.part(start, stop), {})
        start = stop


def _apply(
    connection: Connection,
    retimed: Retimed,
    boot: Boot,
    block: Block,
    agreement: Agreement,
    now_ms: int,
) -> None:
    """Correct a block that was there."""
    times = correct(agreement, block.columns)
    _cover(retimed, (boot.box, block.origin.epoch), block.columns, times, now_ms)
    was = times_of_block(connection, boot.box, block)
    _put(connection, retimed, boot, block, times, was)


def _put(
    connection: Connection,
    retimed: Retimed,
    boot: Boot,
    block: Block,
    times: Times,
    was: dict[int, Time],
) -> None:
    changes = _changes(block.columns, times, was)
    change_times(connection, boot.box, block.origin.epoch, changes)
    _note_changes(retimed, block.columns, changes)


def _numbers(parts: list[RecordColumns]) -> RecordColumns:
    """Put the numbers of runs of records one behind the other, without their texts."""
    if len(parts) == 1:
        return parts[0]
    return RecordColumns(
        parts[0].first_sequence,
        np.concatenate([part.mono_ns for part in parts]),
        np.concatenate([part.wall_ms for part in parts]),
        np.concatenate([part.bound_ms for part in parts]),
        np.concatenate([part.clock_state for part in parts]),
        np.concatenate([part.evidence for part in parts]),
        {},
    )


def _changes(columns: RecordColumns, times: Times, was: dict[int, Time]) -> list[TimeChange]:
    first = columns.first_sequence
    now = {
        first + row: Time(
            int(times.wall_ms[row]), int(times.bound_ms[row]), int(times.clock_state[row])
        )
        for row in times.is_corrected.nonzero()[0].tolist()
    }
    subjects, subject_of = columns.texts["subject"]
    return [
        TimeChange(number, subjects[subject_of[number - first]], was.get(number), now.get(number))
        for number in sorted(was.keys() | now.keys())
        if was.get(number) != now.get(number)
    ]


def _note_changes(retimed: Retimed, columns: RecordColumns, changes: list[TimeChange]) -> None:
    references, reference_of = columns.texts["reference"]
    for change in changes:
        row = change.sequence - columns.first_sequence
        reference = references[reference_of[row]]
        retimed.references |= {reference} - {""}
        if change.subject:
            retimed.subjects.add(change.subject)
            retimed.walls_ms.append(int(columns.wall_ms[row]))
            retimed.walls_ms += [t.wall_ms for t in (change.was, change.now) if t is not None]


def _cover(
    retimed: Retimed, journal: Journal, columns: RecordColumns, times: Times, now_ms: int
) -> None:
    # An imported claim has a time of its own, but no box that was there to record at that time.
    is_proof = (times.clock_state != ClockState.UNSET) & (columns.evidence != Evidence.MANUAL)
    earliest_ms = (times.wall_ms - times.bound_ms)[is_proof]
    # A clock that ran far ahead proves nothing; one that is a little ahead of ours is usual, and
    # what a site is covered until never lies beyond our own clock.
    is_past = earliest_ms <= now_ms + AHEAD_MS_MAX
    covered_ms = int(earliest_ms[is_past].max(initial=0))
    retimed.covered[journal] = max(retimed.covered.get(journal, 0), covered_ms)


def _note_contradiction(
    connection: Connection, boot: Boot, agreement: Agreement, now_ms: int
) -> None:
    detail = {
        "boot": boot.boot.hex(),
        "agreeing": len(agreement.kept),
        "contradicting": agreement.contradicting,
    }
    open_incident(connection, boot.box, IncidentKind.CLOCKS, detail, now_ms)
