"""What boxes say is committed first and answered then."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from agreed.messages import (
    Applied,
    BlockSent,
    Committed,
    Hello,
    Message,
    Refusal,
    Refused,
    Status,
)
from cloud import reads
from cloud.database.engine import reading, writing
from cloud.database.fleet import BoxName
from cloud.database.views import BoxView
from cloud.exchange import cursors, exchange, load, note_presence
from cloud.outbox import Cursor, Wanted
from tests.cloud.world import BOX, HOUR, LATER, STREAM, T0, World, alive

EPOCH = (b"e" * 16).hex()


def hello(applied: int = 0, stream: bytes = STREAM) -> Hello:
    return Hello(
        epoch=EPOCH, head_sequence=0, directive_stream=stream.hex(), applied_through=applied
    )


def shown(world: World) -> BoxView:
    with reading(world.engine) as connection:
        found = reads.box(connection, *BOX)
    assert found is not None
    return found


def answers(world: World, *messages: Message, box: BoxName = BOX) -> list[Message]:
    return [m for _, m in exchange(world.engine, [(box, m) for m in messages], LATER).answers]


def test_a_greeting_hears_what_is_committed(world: World) -> None:
    [nothing] = answers(world, hello())
    assert nothing == Committed(epoch=EPOCH, through=0, head="00" * 32)
    world.tell(alive(T0))
    [one] = answers(world, hello())
    assert one == Committed(epoch=EPOCH, through=1, head=world.chain.previous.hex())


def test_blocks_of_a_batch_are_counted_in_its_greetings(world: World) -> None:
    block = BlockSent(data=world.chain.block(alive(T0)))
    told = answers(world, hello(), block)
    assert [m.through for m in told if isinstance(m, Committed)] == [1, 1]


def test_nothing_is_answered_when_the_commit_fails(small_world: World) -> None:
    block = small_world.chain.block(alive(T0))
    with writing(small_world.engine) as connection:
        connection.execute(text("ALTER TABLE blocks RENAME TO away"))
    with pytest.raises((OperationalError, ProgrammingError)):
        exchange(small_world.engine, [(BOX, BlockSent(data=block))], LATER)


def test_directives_are_sent_after_what_was_applied(world: World) -> None:
    for order in ("o-1", "o-2", "o-3"):
        world.order(order)
    outcome = exchange(world.engine, [(BOX, hello(applied=1))], LATER)
    assert outcome.welcomed == [(BOX, STREAM, 1)]
    assert cursors(world.engine, "acme") == {BOX: Cursor(STREAM, 3, 1)}
    [(wanted, message)] = load(world.engine, [Wanted(BOX, STREAM, 1)])
    assert (wanted.after, message.first, len(message.directives)) == (1, 2, 2)
    applied = Applied(stream=STREAM.hex(), through=3)
    assert exchange(world.engine, [(BOX, applied)], LATER).applied == [(BOX, STREAM, 3)]
    assert shown(world).directives_waiting == 0
    assert load(world.engine, [Wanted(BOX, STREAM, 3)]) == []


def test_a_box_of_another_stream_is_told_everything(world: World) -> None:
    world.order("o-1")
    outcome = exchange(world.engine, [(BOX, hello(applied=9, stream=bytes(16)))], LATER)
    assert outcome.welcomed == [(BOX, STREAM, 0)]
    stale = Applied(stream=bytes(16).hex(), through=9)
    assert exchange(world.engine, [(BOX, stale)], LATER).applied == []


def test_a_box_that_knows_more_than_headquarters_begins_anew(world: World) -> None:
    world.order("o-1")
    outcome = exchange(world.engine, [(BOX, hello(applied=7))], LATER)
    assert outcome.is_directed
    known = cursors(world.engine, "acme")[BOX]
    assert known.stream != STREAM
    assert (known.through, known.applied) == (1, 0)


def test_a_status_is_shown(world: World) -> None:
    status = Status(
        at_ms=T0,
        bound_ms=40,
        clock_state=2,
        head_sequence=9,
        waiting_records=7,
        oldest_waiting_ms=HOUR,
        devices_lost=["gate-2"],
    )
    assert answers(world, status) == []
    box = shown(world)
    assert (box.waiting_records, box.oldest_waiting_ms, box.clock_bound_ms) == (7, HOUR, 40)
    assert box.devices_lost == ["gate-2"]
    assert box.last_heard_ms == box.status_at_ms == LATER


def test_presence_is_shown(world: World) -> None:
    note_presence(world.engine, {BOX: True}, LATER)
    assert shown(world).is_online
    note_presence(world.engine, {BOX: False, BoxName("acme", "north", "none"): True}, LATER + 1)
    assert not shown(world).is_online
    assert shown(world).last_heard_ms == LATER


def test_strangers_are_refused_and_a_forked_box_hears_why(world: World) -> None:
    stranger = BoxName("acme", "north", "stranger")
    [told] = answers(world, hello(), box=stranger)
    assert isinstance(told, Refused)
    assert told.refusal == Refusal.UNKNOWN_BOX
    assert answers(world, Applied(stream=STREAM.hex(), through=1), box=stranger) == []
    other = world.chain.fork()
    world.tell(alive(T0))
    world.send(other.block(alive(T0 + 1)))
    [told] = answers(world, hello())
    assert isinstance(told, Refused)
    assert told.refusal == Refusal.FORKED
