"""Blocks are stored once in effect, whatever the line does."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from agreed.messages import Refusal
from agreed.promises import Verdict
from agreed.records import Evidence
from agreed.wire import decode_block
from cloud import reads
from cloud.database import fleet
from cloud.database.engine import open_engine, reading, writing
from cloud.database.fleet import BoxName
from cloud.database.migrate import migrate
from cloud.database.schema import metadata
from cloud.ingest.checking import Arrival
from cloud.ingest.commit import ingest_blocks
from cloud.office.boxes import accept_box, add_box, resolve_incidents
from edge.key import make_key
from tests.cloud.world import (
    BOX,
    HOUR,
    LATER,
    MINUTE,
    STREAM,
    T0,
    Chain,
    World,
    alive,
    arrival,
    committed,
    finished,
    passed,
    refused,
)


def count(world: World, table: str) -> int:
    with reading(world.engine) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_a_block_is_stored_and_answered(world: World) -> None:
    data = world.chain.block(passed(T0 + HOUR), alive(T0 + 2 * HOUR))
    answer = committed(world.send(data))
    assert (answer.through, answer.is_resend) == (2, False)
    assert answer.head == world.chain.previous.hex()
    assert count(world, "records") == 2
    with reading(world.engine) as connection:
        kept = reads.evidence(connection, "acme", "north", "gate-box", (b"e" * 16).hex(), 1)
    assert kept is not None
    assert kept.record == passed(T0 + HOUR)
    assert kept.block_hash == world.chain.previous.hex()


def test_the_same_block_again_changes_nothing(world: World) -> None:
    world.order("o-1")
    first = world.chain.block(passed(T0 + HOUR))
    second = world.chain.block(finished(T0 + 2 * HOUR, "o-1"))
    world.send(first, second)
    before = {table: count(world, table) for table in metadata.tables}
    again = world.send(first, second, first)
    assert (again.records, again.verdicts) == (0, 0)
    assert committed(again).through == 2
    assert {table: count(world, table) for table in metadata.tables} == before


def test_a_block_ahead_asks_for_what_is_missing(world: World) -> None:
    first, second = world.chain.block(alive(T0)), world.chain.block(alive(T0 + 1))
    answer = committed(world.send(second))
    assert (answer.through, answer.is_resend) == (0, True)
    assert committed(world.send(first, second)).through == 2


def test_a_fork_is_refused_and_seen(world: World) -> None:
    world.tell(alive(T0))
    other = world.chain.fork()
    world.tell(alive(T0 + 1))
    answer = refused(world.send(other.block(alive(T0 + 2))))
    assert answer.refusal == Refusal.FORKED
    with reading(world.engine) as connection:
        shown = reads.box(connection, *BOX)
        told = reads.incidents(connection, "acme")
    assert shown is not None
    assert shown.incident == "forked"
    assert told[0].detail["held_head"] == world.chain.previous.hex()
    assert count(world, "records") == 2
    # Until a person has looked, nothing is taken; then the honest chain goes on.
    honest = world.chain.block(alive(T0 + 3))
    assert refused(world.send(honest)).refusal == Refusal.FORKED
    assert resolve_incidents(world.engine, BOX, LATER) == 1
    assert committed(world.send(honest)).through == 3


def test_a_rewritten_block_at_a_known_place_is_a_fork(world: World) -> None:
    first = world.chain.fork()
    world.tell(alive(T0))
    rewritten = first.block(alive(T0 + 1))
    assert refused(world.send(rewritten)).refusal == Refusal.FORKED


def test_a_new_journal_of_the_same_box_begins_anew(world: World) -> None:
    world.tell(alive(T0))
    world.chain = Chain(epoch=b"f" * 16)
    assert committed(world.tell(alive(T0 + 1))).through == 1
    assert world.check().is_chain_verified


@pytest.mark.parametrize("damage", [b"", b"x", b"DFB1" + bytes(200)])
def test_what_is_no_block_is_refused(world: World, damage: bytes) -> None:
    assert refused(world.send(damage)).refusal == Refusal.MALFORMED
    assert committed(world.tell(alive(T0))).through == 1


def test_a_block_of_another_box_is_refused(world: World) -> None:
    other = Chain(box=BoxName("acme", "north", "other"))
    assert refused(world.send(other.block(alive(T0)))).refusal == Refusal.MALFORMED


def test_an_unknown_box_waits_to_be_accepted(world: World) -> None:
    name = BoxName("acme", "north", "new-box")
    chain = Chain(box=name)
    data = chain.block(alive(T0))
    assert refused(world.send(data, box=name), name).refusal == Refusal.UNKNOWN_BOX
    with reading(world.engine) as connection:
        shown = reads.box(connection, *name)
    assert shown is not None
    assert shown.status == "pending"
    nowhere = BoxName("acme", "nowhere", "box")
    assert refused(world.send(data, box=nowhere), nowhere).refusal == Refusal.UNKNOWN_BOX
    assert not add_box(world.engine, name, STREAM, T0)


def test_a_failure_in_the_middle_leaves_nothing(world: World) -> None:
    world.order("o-1")
    data = world.chain.block(passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"))
    with writing(world.engine) as connection:
        connection.execute(text("ALTER TABLE lines RENAME TO lines_away"))
    with pytest.raises(Exception, match="lines"):
        world.send(data)
    assert count(world, "records") == count(world, "blocks") == count(world, "verdicts") == 0
    with writing(world.engine) as connection:
        connection.execute(text("ALTER TABLE lines_away RENAME TO lines"))
    assert world.send(data).records == 2
    assert world.check().is_balanced


def test_missed_needs_a_box_that_could_have_recorded(world: World) -> None:
    world.order("o-1", T0 + HOUR)
    world.tell(passed(T0 + HOUR), alive(T0 + 2 * HOUR))
    assert world.verdicts("o-1")["finish"] is Verdict.OPEN
    # The day is long over, but nothing was heard: still open.
    assert world.view("o-1", LATER).nodes[1].verdict is Verdict.OPEN
    world.tell(alive(T0 + 5 * HOUR))
    assert world.verdicts("o-1") == {"arrive": Verdict.KEPT, "finish": Verdict.MISSED}


def test_a_second_box_that_was_not_heard_keeps_promises_open(world: World) -> None:
    name = BoxName("acme", "north", "second")
    add_box(world.engine, name, STREAM, T0)
    accept_box(world.engine, name, STREAM, T0)
    world.know(name)
    world.order("o-1")
    world.tell(alive(T0 + 9 * HOUR))
    assert world.verdicts("o-1")["finish"] is Verdict.OPEN
    second = Chain(box=name)
    world.send(second.block(finished(T0 + 150 * MINUTE, "o-1"), alive(T0 + 9 * HOUR)), box=name)
    assert world.verdicts("o-1") == {"arrive": Verdict.MISSED, "finish": Verdict.KEPT}


def test_a_clock_from_the_future_proves_no_absence(world: World) -> None:
    world.order("o-1")
    data = world.chain.block(alive(T0 + 1000 * HOUR))
    world.send(data, now_ms=T0 + 2 * HOUR)
    assert world.verdicts("o-1")["finish"] is Verdict.OPEN


def _day(seed: int) -> list[bytes]:
    dice = random.Random(seed)
    facts = []
    for order in range(4):
        at_ms = T0 + HOUR + dice.randrange(-30, 90) * MINUTE
        facts.append(passed(at_ms, f"w-{1 + order % 2}"))
        if dice.random() < 0.8:
            facts.append(finished(at_ms + dice.randrange(60, 200) * MINUTE, f"o-{order}"))
    facts += [alive(T0 + 9 * HOUR)]
    dice.shuffle(facts)
    chain = Chain()
    size = dice.randrange(1, 4)
    return [chain.block(*facts[i : i + size]) for i in range(0, len(facts), size)]


def _outcome(world: World) -> list[object]:
    told: list[object] = []
    for order in range(4):
        for node in world.view(f"o-{order}").nodes:
            proof = node.evidence.record.sequence if node.evidence else None
            told.append((order, node.node, node.verdict, node.score_bp, proof))
    return [*told, *(world.balance(f"commission:w-{i}") for i in (1, 2)), world.balance("pool")]


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), line_seed=st.integers(0, 10**6))
def test_any_line_gives_the_same_verdicts_and_the_same_fen(seed: int, line_seed: int) -> None:
    line = random.Random(line_seed)
    outcomes = []
    for is_disturbed in (False, True):
        engine = open_engine("sqlite://")
        migrate(engine)
        world = World(engine)
        orders = [0, 1, 2, 3]
        if is_disturbed:
            line.shuffle(orders)
        early, late = orders[:2], orders[2:]
        for order in early if is_disturbed else orders:
            world.order(f"o-{order}", worker=f"w-{1 + order % 2}")
        blocks = _day(seed)
        if not is_disturbed:
            world.send(*blocks)
        else:
            _disturb(world, blocks, line)
            for order in late:
                world.order(f"o-{order}", worker=f"w-{1 + order % 2}")
        assert count(world, "records") == _records(blocks)
        check = world.check()
        assert check.is_balanced, check.faults
        assert check.is_chain_verified, check.faults
        outcomes.append(_outcome(world))
        engine.dispose()
    assert outcomes[0] == outcomes[1]


def _records(blocks: list[bytes]) -> int:
    return decode_block(blocks[-1]).columns.last_sequence


def _disturb(world: World, blocks: list[bytes], line: random.Random) -> None:
    """Lose, repeat and reorder until everything is through."""
    through = 0
    while through < _records(blocks):
        batch = [line.choice(blocks) for _ in range(line.randrange(1, 6))]
        through = committed(world.send(*batch)).through


def test_an_imported_claim_proves_no_box_that_was_there(world: World) -> None:
    world.order("o-1")
    world.tell(alive(T0 + 9 * HOUR, evidence=Evidence.MANUAL))
    assert set(world.verdicts("o-1").values()) == {Verdict.OPEN}
    world.tell(alive(T0 + 9 * HOUR))
    assert Verdict.MISSED in world.verdicts("o-1").values()


def test_a_clock_that_ran_ahead_does_not_stand_for_a_silent_box(world: World) -> None:
    world.order("o-1")
    ahead, honest = alive(T0 + 30 * 24 * HOUR), alive(T0 + MINUTE)
    world.send(world.chain.block(ahead, honest), now_ms=T0 + 2 * MINUTE)
    world.send(world.chain.block(alive(T0 + 2 * MINUTE)), now_ms=T0 + 9 * HOUR)
    assert set(world.verdicts("o-1").values()) == {Verdict.OPEN}


def incidents(world: World) -> dict[str, dict[str, object]]:
    with reading(world.engine) as connection:
        return {i.kind: i.detail for i in reads.incidents(connection, "acme")}


@pytest.mark.parametrize("forger", [b"o" * 32, None])
def test_what_its_box_did_not_sign_is_refused_and_seen(world: World, forger: bytes | None) -> None:
    block = world.chain.block(alive(T0))
    unsigned = Arrival(BOX, [block], b"")
    said = unsigned if forger is None else arrival(block, key=make_key(forger))
    answer = refused(ingest_blocks(world.engine, [said], LATER))
    assert answer.refusal == Refusal.UNSIGNED
    assert incidents(world)["unsigned"] == {"error": "records 1 to 1"}
    assert count(world, "records") == count(world, "blocks") == 0
    # The honest box is not held up by it.
    assert committed(world.send(block)).through == 1


def test_a_box_that_never_named_its_key_is_refused(world: World) -> None:
    name = BoxName("acme", "north", "second")
    add_box(world.engine, name, STREAM, T0)
    accept_box(world.engine, name, STREAM, T0)
    answer = refused(world.send(Chain(name).block(alive(T0)), box=name), name)
    assert answer.refusal == Refusal.UNSIGNED


def test_one_signature_covers_all_that_came_with_it(world: World) -> None:
    blocks = [world.chain.block(alive(T0 + i)) for i in range(5)]
    answer = committed(ingest_blocks(world.engine, [arrival(*blocks)], LATER))
    assert (answer.through, answer.head) == (5, world.chain.previous.hex())
    with reading(world.engine) as connection:
        signed = connection.execute(
            text("SELECT first, key_number FROM blocks WHERE signature IS NOT NULL")
        ).all()
    assert [tuple(row) for row in signed] == [(5, 1)]
    assert world.check().is_chain_verified
    again = ingest_blocks(world.engine, [arrival(*blocks[1:]), arrival(*blocks[:2])], LATER)
    assert (committed(again).through, again.records) == (5, 0)


def test_what_is_missing_is_named_exactly(world: World) -> None:
    blocks = [world.chain.block(alive(T0), alive(T0)) for _ in range(4)]
    done = ingest_blocks(world.engine, [arrival(*blocks[3:]), arrival(*blocks[2:3])], LATER)
    answer = committed(done)
    assert (answer.through, answer.is_resend, answer.missing_through) == (0, True, 4)
    assert [one.first for one in done.early] == [7, 5]


def test_two_boxes_that_go_on_with_one_journal_are_seen(world: World) -> None:
    """One card says that it was set back, and yet the journal goes on."""
    world.tell(alive(T0))
    with writing(world.engine) as connection:
        detail = {"epoch": (b"e" * 16).hex(), "box_through": 1}
        fleet.open_incident(connection, BOX, "set_back", detail, LATER)
    assert committed(world.tell(alive(T0 + 1))).through == 2
    assert incidents(world)["cloned"]["held_through"] == 2


def test_a_renewed_journal_of_a_box_that_was_set_back_is_no_clone(world: World) -> None:
    with writing(world.engine) as connection:
        fleet.open_incident(connection, BOX, "set_back", {"epoch": "ab" * 16}, LATER)
    world.tell(alive(T0))
    assert "cloned" not in incidents(world)
