"""Stores blocks with everything that follows from them, in one transaction per site."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import Connection, Engine

from agreed.messages import Committed, Refusal, Refused
from agreed.records import ClockState, Evidence
from agreed.stream import Outcome
from agreed.wire import Block, WireError, decode_block
from cloud.consequences import News, follow
from cloud.database.engine import writing
from cloud.database.fleet import (
    PENDING_BOXES_MAX,
    BoxName,
    Place,
    add_box,
    begin_journal,
    change_box,
    change_journal,
    count_pending,
    find_box,
    find_journal,
    lock_site,
    open_incident,
    raise_coverage,
)
from cloud.database.inbox import add_blocks, stored_hash
from cloud.ingest.decision import Holding, advanced, decide

Answer = Committed | Refused

AHEAD_MS_MAX: Final = 5 * 60_000
"""How far a box's clock may be ahead of headquarters' and still prove that the box was there."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A block as it came; the box is that of the topic, not what the block says."""

    box: BoxName
    data: bytes


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a batch.

    Attributes:
        answers: what to tell each box, only after the commit.
        records: how many were new.
        verdicts: how many were decided anew.
        is_directed: whether there are new directives.
    """

    answers: dict[BoxName, Answer]
    records: int = 0
    verdicts: int = 0
    is_directed: bool = False


@dataclass(slots=True)
class _Batch:
    """What one transaction has found out so far."""

    now_ms: int
    held: dict[tuple[BoxName, bytes], Holding] = field(default_factory=dict)
    accepted: list[tuple[Block, bytes]] = field(default_factory=list)
    hashes: dict[tuple[BoxName, bytes, int], bytes] = field(default_factory=dict)
    answers: dict[BoxName, Answer] = field(default_factory=dict)


def ingest_blocks(engine: Engine, arrivals: Iterable[Arrival], now_ms: int) -> Ingested:
    """Take in blocks of any boxes in the order of arrival; when it returns, they are committed.

    Exactly once in effect: a block that is already there changes nothing, one that does not
    belong changes nothing but a visible incident.

    Args:
        engine: the store.
        arrivals: blocks, each box's in the order in which they came.
        now_ms: headquarters' clock, ms; stored, and the latest that any box can prove.
    """
    by_site: dict[Place, list[Arrival]] = {}
    for arrival in arrivals:
        by_site.setdefault(arrival.box.place, []).append(arrival)
    done = [_ingest_site(engine, place, by_site[place], now_ms) for place in sorted(by_site)]
    return Ingested(
        {box: answer for part in done for box, answer in part.answers.items()},
        sum(part.records for part in done),
        sum(part.verdicts for part in done),
        any(part.is_directed for part in done),
    )


def _ingest_site(engine: Engine, place: Place, arrivals: list[Arrival], now_ms: int) -> Ingested:
    decoded = [(arrival, _decode(arrival)) for arrival in arrivals]
    batch = _Batch(now_ms)
    with writing(engine) as connection:
        is_known = lock_site(connection, place) is not None
        for arrival, block in decoded:
            batch.answers[arrival.box] = (
                _take(connection, batch, arrival, block) if is_known else refused_stranger()
            )
        if not batch.accepted:
            return Ingested(batch.answers)
        add_blocks(connection, batch.accepted, now_ms)
        _advance(connection, batch)
        effects = follow(connection, place, _news(batch.accepted), now_ms)
    records = sum(len(block.columns) for block, _ in batch.accepted)
    return Ingested(batch.answers, records, effects.verdicts, effects.is_directed)


def _decode(arrival: Arrival) -> Block | str:
    try:
        block = decode_block(arrival.data)
    except WireError as error:
        return str(error)
    if (block.origin.company, block.origin.site, block.origin.box) != arrival.box:
        return f"block of {block.origin.site}/{block.origin.box}"
    return block


def _take(connection: Connection, batch: _Batch, arrival: Arrival, block: Block | str) -> Answer:
    name = arrival.box
    if not know_box(connection, name, batch.now_ms):
        return refused_stranger()
    if isinstance(block, str):
        open_incident(connection, name, "malformed", {"error": block}, batch.now_ms)
        return Refused(refusal=Refusal.MALFORMED, reason=block)
    key = (name, block.origin.epoch)
    if key not in batch.held:
        batch.held[key] = hold_journal(connection, name, block.origin.epoch, batch.now_ms)
    held = batch.held[key]
    if held.is_refused:
        return refused_fork()
    outcome = decide(held, block, _stored_hash(connection, batch, name, block))
    if outcome is Outcome.FORKED:
        batch.held[key] = Holding(held.through, held.head, is_refused=True)
        _note_fork(connection, name, held, block, batch.now_ms)
        return refused_fork()
    if outcome is Outcome.ACCEPTED:
        batch.accepted.append((block, arrival.data))
        batch.hashes[name, block.origin.epoch, block.columns.first_sequence] = block.hash
        held = batch.held[key] = advanced(held, block)
    return Committed(
        epoch=block.origin.epoch.hex(),
        through=held.through,
        head=held.head.hex(),
        is_resend=outcome is Outcome.AHEAD,
    )


def know_box(connection: Connection, name: BoxName, now_ms: int) -> bool:
    """Say whether a box is accepted; one never heard of is noted as pending, within a limit."""
    box = find_box(connection, name)
    if box is None and count_pending(connection, name.place) < PENDING_BOXES_MAX:
        add_box(connection, name, bytes(16), now_ms)
    return box is not None and box.status == "accepted"


def hold_journal(connection: Connection, name: BoxName, epoch: bytes, now_ms: int) -> Holding:
    """Read how far a journal is held, and take note of a new one."""
    held = find_journal(connection, name, epoch)
    if held is None:
        begin_journal(connection, name, epoch, now_ms)
    return held or Holding()


def refused_fork() -> Refused:
    """Say that a person must look at a forked journal first."""
    return Refused(
        refusal=Refusal.FORKED,
        reason="another history is held for these sequences; headquarters must look",
    )


def refused_stranger() -> Refused:
    """Say that a person must accept the box first."""
    return Refused(refusal=Refusal.UNKNOWN_BOX, reason="not accepted at headquarters yet")


def _stored_hash(
    connection: Connection, batch: _Batch, name: BoxName, block: Block
) -> bytes | None:
    first = block.columns.first_sequence
    known = batch.hashes.get((name, block.origin.epoch, first))
    return known or stored_hash(connection, name, block.origin.epoch, first)


def _note_fork(
    connection: Connection, name: BoxName, held: Holding, block: Block, now_ms: int
) -> None:
    epoch = block.origin.epoch
    change_journal(connection, name, epoch, is_refused=True)
    detail = {
        "epoch": epoch.hex(),
        "held_through": held.through,
        "held_head": held.head.hex(),
        "block_first": block.columns.first_sequence,
        "block_last": block.columns.last_sequence,
        "block_hash": block.hash.hex(),
        "block_previous": block.previous.hex(),
    }
    open_incident(connection, name, "forked", detail, now_ms)


def _advance(connection: Connection, batch: _Batch) -> None:
    covered: dict[tuple[BoxName, bytes], int] = {}
    for block, _data in batch.accepted:
        origin = block.origin
        key = BoxName(origin.company, origin.site, origin.box), origin.epoch
        covered[key] = max(covered.get(key, 0), _covered_until_ms(block, batch.now_ms))
    for (name, epoch), until_ms in covered.items():
        held = batch.held[name, epoch]
        change_journal(
            connection, name, epoch, committed_through=held.through, committed_head=held.head
        )
        raise_coverage(connection, name, epoch, until_ms)
        change_box(connection, name, epoch=epoch, last_heard_at_ms=batch.now_ms)


def _covered_until_ms(block: Block, now_ms: int) -> int:
    columns = block.columns
    # An imported claim has a time of its own, but no box that was there to record at that time.
    is_proof = (columns.clock_state != ClockState.UNSET) & (columns.evidence != Evidence.MANUAL)
    earliest_ms = (columns.wall_ms - columns.bound_ms)[is_proof]
    # A clock that ran far ahead proves nothing; one that is a little ahead of ours is usual, and
    # what a site is covered until never lies beyond our own clock.
    is_past = earliest_ms <= now_ms + AHEAD_MS_MAX
    return int(earliest_ms[is_past].max(initial=0))


def _news(accepted: list[tuple[Block, bytes]]) -> News:
    columns = [block.columns for block, _data in accepted]
    wall_ms = np.concatenate([c.wall_ms for c in columns])
    return News(
        references=frozenset(t for c in columns for t in c.texts["reference"][0] if t),
        subjects=frozenset(t for c in columns for t in c.texts["subject"][0] if t),
        from_ms=int(wall_ms.min()),
        until_ms=int(wall_ms.max()),
    )
