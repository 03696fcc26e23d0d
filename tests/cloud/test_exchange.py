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
    Parted,
    Refusal,
    Refused,
    Status,
)
from cloud import reads
from cloud.database.engine import reading, writing
from cloud.database.fleet import BoxName
from cloud.database.views import BoxView
from cloud.exchange import cursors, exchange, load, note_presence
from cloud.ingest.early import EarlyBlocks
from cloud.office.boxes import accept_box, accept_key, add_box
from cloud.office.refusals import ConflictError
from cloud.outbox import Cursor, Wanted
from edge.key import BoxKey, make_key
from simulators.signing import signed_blocks, signed_hello
from tests.cloud.world import BOX, HOUR, KEY, LATER, STREAM, T0, World, alive

EPOCH = (b"e" * 16).hex()


def hello(
    applied: int = 0, stream: bytes = STREAM, box: BoxName = BOX, key: BoxKey = KEY, **more: object
) -> Hello:
    said: dict[str, object] = {"epoch": EPOCH, "head_sequence": 0, "applied_through": applied}
    said |= {"directive_stream": stream.hex()} | more
    return signed_hello(key, box, Hello.model_validate(said))


OTHER = make_key(b"o" * 32)


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


def kinds(world: World) -> set[str]:
    with reading(world.engine) as connection:
        found = reads.incidents(connection, "acme")
    return {incident.kind for incident in found if incident.resolved_at_ms is None}


def test_the_first_word_of_an_accepted_box_names_its_key(world: World) -> None:
    second = BoxName("acme", "north", "second")
    add_box(world.engine, second, STREAM, T0)
    accept_box(world.engine, second, STREAM, T0)
    [answer] = answers(world, hello(box=second, key=OTHER), box=second)
    assert isinstance(answer, Committed)
    with reading(world.engine) as connection:
        box = reads.box(connection, *second)
    assert box is not None
    assert (box.fingerprint, box.key_accepted_by) == (OTHER.fingerprint, "first_word")


def test_a_pending_box_offers_its_key_and_is_known_by_it_once_accepted(world: World) -> None:
    second = BoxName("acme", "north", "second")
    answers(world, hello(box=second, key=OTHER), box=second)
    with pytest.raises(ConflictError, match=OTHER.fingerprint):
        accept_box(world.engine, second, STREAM, T0, KEY.fingerprint)
    accept_box(world.engine, second, STREAM, T0, OTHER.fingerprint.upper())
    [told] = answers(world, hello(box=second), box=second)
    assert isinstance(told, Refused)
    [told] = answers(world, hello(box=second, key=OTHER), box=second)
    assert isinstance(told, Committed)


def test_a_replaced_box_is_seen_and_goes_on_once_a_person_compared_its_key(world: World) -> None:
    world.tell(alive(T0))
    new = hello(key=OTHER, epoch="ab" * 16)
    [told] = answers(world, new)
    assert isinstance(told, Refused)
    assert told.refusal == Refusal.OTHER_KEY
    assert kinds(world) == {"other_key"}
    assert shown(world).offered_fingerprint == OTHER.fingerprint
    with pytest.raises(ConflictError):
        accept_key(world.engine, BOX, KEY.fingerprint.replace("-", "+"), LATER)
    accept_key(world.engine, BOX, OTHER.fingerprint, LATER)
    accept_key(world.engine, BOX, OTHER.fingerprint, LATER)  # once more changes nothing
    assert kinds(world) == set()
    [told] = answers(world, new)
    assert told == Committed(epoch="ab" * 16, through=0, head="00" * 32)
    # What the damaged box had sent stays, and what its card still holds may follow.
    block = world.chain.block(alive(T0 + 1))
    assert answers(world, signed_blocks(OTHER, block)) == [
        Committed(epoch=EPOCH, through=2, head=world.chain.previous.hex())
    ]
    assert world.check().is_chain_verified


@pytest.mark.parametrize("change", [{"key": ""}, {"signature": "11" * 64}, {"head_sequence": 7}])
def test_a_greeting_that_its_box_did_not_sign_is_refused(
    world: World, change: dict[str, object]
) -> None:
    [told] = answers(world, hello().model_copy(update=change))
    assert isinstance(told, Refused)
    assert told.refusal == Refusal.UNSIGNED
    assert kinds(world) == {"unsigned"}


def test_blocks_of_a_box_without_a_key_are_refused(world: World) -> None:
    [told] = answers(world, BlockSent(data=world.chain.block(alive(T0))))
    assert isinstance(told, Refused)
    assert told.refusal == Refusal.UNSIGNED


def test_a_box_that_was_set_back_hears_where_the_histories_part(world: World) -> None:
    old = world.chain.block(alive(T0))
    common = world.chain.previous.hex()
    world.send(old, world.chain.block(alive(T0 + 1)))
    trail = [{"through": 3, "head": "11" * 32}, {"through": 1, "head": common}]
    committed, parted = answers(world, hello(trail=trail))
    assert isinstance(committed, Committed)
    assert committed.through == 2
    assert parted == Parted(epoch=EPOCH, asked_through=3, through=1, head=common)
    assert kinds(world) == {"set_back"}


def test_what_came_too_early_is_taken_as_soon_as_it_follows(world: World) -> None:
    blocks = [world.chain.block(alive(T0 + i)) for i in range(4)]
    early = EarlyBlocks()

    def say(*said: bytes) -> Committed:
        messages = [(BOX, signed_blocks(KEY, data)) for data in said]
        [(_, answer)] = exchange(world.engine, messages, LATER, early).answers
        assert isinstance(answer, Committed)
        return answer

    asked = say(blocks[3])
    assert (asked.through, asked.is_resend, asked.missing_through) == (0, True, 3)
    assert say(blocks[2]).missing_through == 2
    done = say(blocks[0], blocks[1])
    assert (done.through, done.is_resend) == (4, False)


def test_blocks_of_a_batch_are_counted_in_its_greetings(world: World) -> None:
    block = signed_blocks(KEY, world.chain.block(alive(T0)))
    told = answers(world, hello(), block)
    assert [m.through for m in told if isinstance(m, Committed)] == [1, 1]


def test_nothing_is_answered_when_the_commit_fails(small_world: World) -> None:
    block = small_world.chain.block(alive(T0))
    with writing(small_world.engine) as connection:
        connection.execute(text("ALTER TABLE blocks RENAME TO away"))
    with pytest.raises((OperationalError, ProgrammingError)):
        exchange(small_world.engine, [(BOX, signed_blocks(KEY, block))], LATER)


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
    [told] = answers(world, hello(box=stranger), box=stranger)
    assert isinstance(told, Refused)
    assert told.refusal == Refusal.UNKNOWN_BOX
    assert answers(world, Applied(stream=STREAM.hex(), through=1), box=stranger) == []
    other = world.chain.fork()
    world.tell(alive(T0))
    world.send(other.block(alive(T0 + 1)))
    [told] = answers(world, hello())
    assert isinstance(told, Refused)
    assert told.refusal == Refusal.FORKED
