"""Stores blocks with everything that follows from them, in one transaction per site."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from agreed.messages import Committed, Refused
from agreed.stream import Outcome
from agreed.wire import Block
from cloud.consequences import News, follow
from cloud.database.engine import writing
from cloud.database.fleet import (
    BoxName,
    Place,
    change_box,
    change_journal,
    find_incident,
    lock_site,
    open_incident,
    raise_coverage,
)
from cloud.database.inbox import Stored, add_blocks, stored_hash
from cloud.database.previews import settle_previews
from cloud.ingest.checking import Arrival, Checked, Fault, check
from cloud.ingest.decision import Holding, advanced, decide
from cloud.ingest.incidents import IncidentKind
from cloud.ingest.retiming import Agreements, Journal, Retimed, retime
from cloud.ingest.standing import STRANGER, Standing, hold_journal, refused, standing_of

Answer = Committed | Refused


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a batch.

    Attributes:
        answers: what to tell each box, only after the commit.
        early: blocks whose predecessors are missing.
        records: how many were new.
        verdicts: how many were decided anew.
        is_directed: whether there are new directives.
    """

    answers: dict[BoxName, Answer]
    early: list[Checked] = field(default_factory=list)
    records: int = 0
    verdicts: int = 0
    is_directed: bool = False


@dataclass(slots=True)
class _Batch:
    """What one transaction has found out so far."""

    now_ms: int
    standing: dict[BoxName, Standing | None] = field(default_factory=dict)
    held: dict[Journal, Holding] = field(default_factory=dict)
    accepted: list[Stored] = field(default_factory=list)
    hashes: dict[tuple[BoxName, bytes, int], bytes] = field(default_factory=dict)
    answers: dict[BoxName, Answer] = field(default_factory=dict)
    early: list[Checked] = field(default_factory=list)


def ingest_blocks(
    engine: Engine,
    arrivals: Iterable[Arrival],
    now_ms: int,
    agreements: Agreements | None = None,
) -> Ingested:
    """Take in blocks of any boxes in the order of arrival; when it returns, they are committed.

    Exactly once in effect: a block that is already there changes nothing, one that does not
    belong, or that its box has not signed, changes nothing but a visible incident.

    Args:
        engine: the store.
        arrivals: blocks, each box's in the order in which they came.
        now_ms: headquarters' clock, ms; stored, and the latest that any box can prove.
        agreements: what is remembered of boots that spoke before, of this store; None for nothing.
    """
    agreements = agreements or Agreements()
    by_site: dict[Place, list[Arrival]] = {}
    for arrival in arrivals:
        by_site.setdefault(arrival.box.place, []).append(arrival)
    done = [
        _ingest_site(engine, place, by_site[place], now_ms, agreements) for place in sorted(by_site)
    ]
    return Ingested(
        {box: answer for part in done for box, answer in part.answers.items()},
        [blocks for part in done for blocks in part.early],
        sum(part.records for part in done),
        sum(part.verdicts for part in done),
        any(part.is_directed for part in done),
    )


def _ingest_site(
    engine: Engine, place: Place, arrivals: list[Arrival], now_ms: int, agreements: Agreements
) -> Ingested:
    checked = [(arrival, check(arrival)) for arrival in arrivals]
    batch = _Batch(now_ms)
    with writing(engine) as connection:
        is_known = lock_site(connection, place) is not None
        for arrival, one in checked:
            batch.answers[arrival.box] = (
                _take(connection, batch, arrival, one) if is_known else STRANGER
            )
        if not batch.accepted:
            return Ingested(batch.answers, batch.early)
        add_blocks(connection, batch.accepted, now_ms)
        retimed = retime(connection, batch.accepted, now_ms, agreements)
        _advance(connection, batch, retimed.covered)
        effects = follow(connection, place, _news(batch.accepted, retimed), now_ms)
    records = sum(len(stored.block.columns) for stored in batch.accepted)
    return Ingested(batch.answers, batch.early, records, effects.verdicts, effects.is_directed)


def _take(
    connection: Connection, batch: _Batch, arrival: Arrival, checked: Checked | Fault
) -> Answer:
    name = arrival.box
    if name not in batch.standing:
        batch.standing[name] = standing_of(connection, name, batch.now_ms)
    standing = batch.standing[name]
    if standing is None:
        return STRANGER
    if isinstance(checked, Fault):
        return _refuse(connection, batch, name, checked)
    if standing.key is None or not checked.is_signed_by(standing.key.public):
        last = checked.blocks[-1].columns.last_sequence
        error = f"records {checked.first} to {last}"
        return _refuse(connection, batch, name, Fault(IncidentKind.UNSIGNED, error))
    return _take_signed(connection, batch, checked, standing.key.number)


def _refuse(connection: Connection, batch: _Batch, name: BoxName, fault: Fault) -> Answer:
    open_incident(connection, name, fault.kind, {"error": fault.error}, batch.now_ms)
    return refused(fault.kind, fault.error)


def _take_signed(
    connection: Connection, batch: _Batch, checked: Checked, key_number: int
) -> Answer:
    name, key = checked.box, (checked.box, checked.epoch)
    if key not in batch.held:
        batch.held[key] = hold_journal(connection, name, checked.epoch, batch.now_ms)
    held = batch.held[key]
    if held.is_refused:
        return refused(IncidentKind.FORKED, "")
    for block, data in zip(checked.blocks, checked.data, strict=True):
        outcome = decide(held, block, _stored_hash(connection, batch, held, block))
        if outcome is Outcome.FORKED:
            batch.held[key] = Holding(held.through, held.head, is_refused=True)
            _note_fork(connection, name, held, block, batch.now_ms)
            return refused(IncidentKind.FORKED, "")
        if outcome is Outcome.AHEAD:
            batch.early.append(checked)
            return _committed(checked.epoch, held, missing_through=checked.first - 1)
        if outcome is Outcome.ACCEPTED:
            is_last = block is checked.blocks[-1]
            signed = (checked.signature, key_number) if is_last else (None, None)
            batch.accepted.append(Stored(block, data, *signed))
            batch.hashes[name, checked.epoch, block.columns.first_sequence] = block.hash
            held = advanced(held, block)
    batch.held[key] = held
    return _committed(checked.epoch, held)


def _committed(epoch: bytes, held: Holding, missing_through: int = 0) -> Committed:
    return Committed(
        epoch=epoch.hex(),
        through=held.through,
        head=held.head.hex(),
        is_resend=missing_through > 0,
        missing_through=missing_through,
    )


def _stored_hash(
    connection: Connection, batch: _Batch, held: Holding, block: Block
) -> bytes | None:
    if block.columns.last_sequence > held.through:
        return None  # it is new: nothing to compare it with
    origin, first = block.origin, block.columns.first_sequence
    name = BoxName(origin.company, origin.site, origin.box)
    known = batch.hashes.get((name, origin.epoch, first))
    return known or stored_hash(connection, name, origin.epoch, first)


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
    open_incident(connection, name, IncidentKind.FORKED, detail, now_ms)


def _advance(connection: Connection, batch: _Batch, covered: dict[Journal, int]) -> None:
    for (name, epoch), until_ms in covered.items():
        raise_coverage(connection, name, epoch, until_ms)
    for name, epoch in dict.fromkeys(map(_journal, batch.accepted)):
        held = batch.held[name, epoch]
        change_journal(
            connection, name, epoch, committed_through=held.through, committed_head=held.head
        )
        settle_previews(connection, name, epoch, held.through)
        change_box(connection, name, epoch=epoch, last_heard_at_ms=batch.now_ms)
        standing = batch.standing[name]
        if standing is not None and standing.incident is not None:
            _note_clone(connection, name, epoch, held, batch.now_ms)


def _note_clone(
    connection: Connection, name: BoxName, epoch: bytes, held: Holding, now_ms: int
) -> None:
    """See a box that said it lost its newest records, and one that goes on behind them."""
    lost = find_incident(connection, name, IncidentKind.SET_BACK)
    if lost is not None and lost.get("epoch") == epoch.hex():
        detail: dict[str, Any] = lost | {"held_through": held.through}
        open_incident(connection, name, IncidentKind.CLONED, detail, now_ms)


def _journal(stored: Stored) -> Journal:
    origin = stored.block.origin
    return BoxName(origin.company, origin.site, origin.box), origin.epoch


def _news(accepted: list[Stored], retimed: Retimed) -> News:
    columns = [stored.block.columns for stored in accepted]
    wall_ms = np.concatenate([c.wall_ms for c in columns])
    return News(
        references=frozenset(t for c in columns for t in c.texts["reference"][0] if t)
        | retimed.references,
        subjects=frozenset(t for c in columns for t in c.texts["subject"][0] if t)
        | retimed.subjects,
        from_ms=min([int(wall_ms.min()), *retimed.walls_ms]),
        until_ms=max([int(wall_ms.max()), *retimed.walls_ms]),
    )
