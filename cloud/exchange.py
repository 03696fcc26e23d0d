"""What headquarters does with what boxes say: commits it, then says what to answer."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from agreed.messages import (
    Applied,
    BlockSent,
    Committed,
    DirectivesSent,
    Hello,
    Message,
    Status,
)
from cloud.database import fleet
from cloud.database.engine import reading, writing
from cloud.database.fleet import BoxName
from cloud.ingest.commit import (
    Arrival,
    hold_journal,
    ingest_blocks,
    know_box,
    refused_fork,
    refused_stranger,
)
from cloud.office.boxes import begin_stream_anew
from cloud.outbox import Cursor, Wanted

Said = tuple[BoxName, Message]


@dataclass(slots=True)
class Outcome:
    """What came of a batch of messages.

    Attributes:
        answers: to publish now: everything they confirm is committed.
        welcomed: boxes that said where they are, with stream and number applied.
        applied: likewise, boxes that applied directives.
        records, verdicts: how many were new.
        is_directed: whether there are new directives.
    """

    answers: list[Said] = field(default_factory=list)
    welcomed: list[tuple[BoxName, bytes, int]] = field(default_factory=list)
    applied: list[tuple[BoxName, bytes, int]] = field(default_factory=list)
    records: int = 0
    verdicts: int = 0
    is_directed: bool = False


def exchange(engine: Engine, batch: Sequence[Said], now_ms: int) -> Outcome:
    """Take in messages of any boxes; when it returns, everything is committed.

    Blocks go first, so that an answer to a greeting in the same batch tells of them too.
    """
    outcome = Outcome()
    blocks = [Arrival(box, m.data) for box, m in batch if isinstance(m, BlockSent)]
    if blocks:
        ingested = ingest_blocks(engine, blocks, now_ms)
        outcome.answers += ingested.answers.items()
        outcome.records, outcome.verdicts = ingested.records, ingested.verdicts
        outcome.is_directed = ingested.is_directed
    rest = [(box, m) for box, m in batch if not isinstance(m, BlockSent)]
    ahead = [box for box, m in rest if isinstance(m, Hello) and _knows_more(engine, box, m)]
    for box in ahead:
        begin_stream_anew(engine, box, secrets.token_bytes(16), now_ms)
        outcome.is_directed = True
    if rest:
        with writing(engine) as connection:
            for box, message in rest:
                _take(connection, outcome, box, message, now_ms)
    return outcome


def cursors(engine: Engine, company: str) -> dict[BoxName, Cursor]:
    """Read how far the directives of every accepted box have come."""
    with reading(engine) as connection:
        return {
            name: Cursor(stream, through, applied)
            for name, stream, through, applied in fleet.directive_cursors(connection, company)
        }


def load(engine: Engine, wanted: Sequence[Wanted]) -> list[tuple[Wanted, DirectivesSent]]:
    """Read the directives that are to be sent."""
    found = []
    with reading(engine) as connection:
        for one in wanted:
            content = fleet.directives_after(connection, one.box, one.stream, one.after)
            if content:
                message = DirectivesSent(
                    stream=one.stream.hex(), first=one.after + 1, directives=content
                )
                found.append((one, message))
    return found


def note_presence(engine: Engine, present: dict[BoxName, bool], now_ms: int) -> None:
    """Note which boxes are connected."""
    with writing(engine) as connection:
        for name, is_online in present.items():
            values = {"last_heard_at_ms": now_ms} if is_online else {}
            fleet.change_box(connection, name, is_online=is_online, presence_at_ms=now_ms, **values)


def _knows_more(engine: Engine, name: BoxName, hello: Hello) -> bool:
    """Say whether a box has applied directives that headquarters does not have."""
    with reading(engine) as connection:
        box = fleet.find_box(connection, name)
    return (
        box is not None
        and box.status == "accepted"
        and box.directive_stream.hex() == hello.directive_stream
        and box.directives_through < hello.applied_through
    )


def _take(
    connection: Connection, outcome: Outcome, name: BoxName, message: Message, now_ms: int
) -> None:
    if fleet.lock_site(connection, name.place) is None or not know_box(connection, name, now_ms):
        if isinstance(message, Hello):
            outcome.answers.append((name, refused_stranger()))
        return
    box = fleet.find_box(connection, name)
    assert box is not None
    fleet.change_box(connection, name, last_heard_at_ms=now_ms)
    if isinstance(message, Hello):
        _greet(connection, outcome, name, message, now_ms)
        is_same = box.directive_stream.hex() == message.directive_stream
        applied = message.applied_through if is_same else 0
        fleet.change_box(connection, name, applied_through=applied)
        outcome.welcomed.append((name, box.directive_stream, applied))
    elif isinstance(message, Applied):
        if box.directive_stream.hex() == message.stream:
            through = min(message.through, box.directives_through)
            fleet.change_box(connection, name, applied_through=max(through, box.applied_through))
            outcome.applied.append((name, box.directive_stream, through))
    elif isinstance(message, Status):
        status = message.model_dump(mode="json")
        fleet.change_box(connection, name, last_status=status, last_status_at_ms=now_ms)


def _greet(
    connection: Connection, outcome: Outcome, name: BoxName, hello: Hello, now_ms: int
) -> None:
    held = hold_journal(connection, name, bytes.fromhex(hello.epoch), now_ms)
    if held.is_refused:
        outcome.answers.append((name, refused_fork()))
        return
    committed = Committed(epoch=hello.epoch, through=held.through, head=held.head.hex())
    outcome.answers.append((name, committed))
