"""What is kept of times is read back, of its boot only."""

import pytest

from agreed.anchors import Anchor, AnchorSource
from agreed.records import ClockState
from agreed.wire import Block, decode_block
from cloud.database.engine import writing
from cloud.database.times import (
    Boot,
    Time,
    TimeChange,
    add_anchors,
    anchors_of_boot,
    blocks_of_boot,
    change_times,
    times_of_block,
)
from tests.cloud.world import BOX, HOUR, T0, World, alive

EPOCH = b"e" * 16
BOOT = Boot(BOX, b"b" * 16)


@pytest.fixture
def block(world: World) -> Block:
    """One stored block: an hour of a boot."""
    data = world.chain.block(alive(T0), alive(T0 + HOUR))
    world.send(data)
    return decode_block(data)


def test_anchors_are_of_their_boot_and_in_the_order_of_its_clock(world: World) -> None:
    one, two = (Anchor(AnchorSource.KERNEL, at, 1, 2) for at in (9, 4))
    with writing(world.engine) as connection:
        add_anchors(connection, BOOT, EPOCH, {1: one, 2: two})
        add_anchors(connection, Boot(BOX, b"c" * 16), EPOCH, {3: one})
        assert list(anchors_of_boot(connection, BOOT).items()) == [
            ((EPOCH, 2), two),
            ((EPOCH, 1), one),
        ]


def test_blocks_are_found_by_the_part_of_the_boot_they_tell_of(world: World, block: Block) -> None:
    hour_ns = HOUR * 10**6
    with writing(world.engine) as connection:
        for span, is_found in (
            ((0, 0), True),
            ((hour_ns // 2, hour_ns // 2), True),
            ((hour_ns + 1, 2 * hour_ns), False),
        ):
            found = [b.hash for b in blocks_of_boot(connection, BOOT, *span)]
            assert found == [block.hash] * is_found


def test_times_are_put_in_force_replaced_and_withdrawn(world: World, block: Block) -> None:
    one, two = Time(T0, 5, ClockState.HOLDING), Time(T0 + 1, 4, ClockState.HOLDING)
    with writing(world.engine) as connection:
        for was, now in ((None, one), (one, two), (two, None)):
            change_times(connection, BOX, EPOCH, [TimeChange(1, "", was, now)])
            assert times_of_block(connection, BOX, block) == ({} if now is None else {1: now})
