"""What happens now is seen before its turn, and counts for nothing until then."""

from agreed.promises import Verdict
from cloud import reads
from cloud.database.engine import reading
from cloud.database.fleet import BoxName
from cloud.ingest.checking import Arrival
from cloud.ingest.preview import take_previews
from edge.key import make_key
from tests.cloud.world import BOX, HOUR, LATER, T0, World, alive, arrival, passed


def seen(world: World) -> list[int]:
    with reading(world.engine) as connection:
        return [row.sequence for row in reads.last_previews(connection, BOX, 100)]


def test_a_record_is_shown_at_once_and_judged_in_its_turn(world: World) -> None:
    world.order("o-1")
    backlog = world.chain.block(alive(T0))
    now = world.chain.block(passed(T0 + HOUR))
    assert take_previews(world.engine, [arrival(now)], LATER) == 1
    assert seen(world) == [2]
    assert world.verdicts("o-1")["arrive"] is Verdict.OPEN
    world.send(backlog)
    assert seen(world) == [2]
    world.send(now)
    assert seen(world) == []
    assert world.verdicts("o-1")["arrive"] is Verdict.KEPT
    # Late, repeated or overtaken: what is committed is not shown again.
    assert take_previews(world.engine, [arrival(now)], LATER) == 0
    assert seen(world) == []


def test_what_was_shown_is_not_shown_twice(world: World) -> None:
    first, second = world.chain.block(alive(T0)), world.chain.block(alive(T0), alive(T0))
    assert take_previews(world.engine, [arrival(first, second)], LATER) == 3
    assert take_previews(world.engine, [arrival(second)], LATER) == 0
    with reading(world.engine) as connection:
        assert reads.count_previews(connection, BOX) == 3


def test_nothing_is_shown_that_its_box_did_not_sign(world: World) -> None:
    block = world.chain.block(alive(T0))
    stranger = BoxName("acme", "north", "stranger")
    nowhere = BoxName("acme", "nowhere", "box")
    refused = [
        arrival(block, key=make_key(b"o" * 32)),
        Arrival(BOX, [b"damage"], bytes(64)),
        arrival(world.chain.fork().block(alive(T0)), box=stranger),
        Arrival(nowhere, [block], bytes(64)),
    ]
    assert take_previews(world.engine, refused, LATER) == 0
    assert seen(world) == []


def test_nothing_is_shown_of_a_box_that_waits_or_a_journal_that_is_refused(world: World) -> None:
    fork = world.chain.fork()
    world.tell(alive(T0))
    world.send(fork.block(alive(T0 + 1)))
    assert take_previews(world.engine, [arrival(world.chain.block(alive(T0 + 2)))], LATER) == 0
