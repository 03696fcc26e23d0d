"""Previews are bounded and go away."""

import pytest

from agreed import limits
from agreed.wire import decode_block
from cloud.database import previews
from cloud.database.engine import writing
from tests.cloud.world import BOX, LATER, T0, World, passed


def test_rows_are_what_was_seen(world: World) -> None:
    block = decode_block(world.chain.block(passed(T0, reference="o-1", detail="x")))
    with writing(world.engine) as connection:
        assert previews.add_previews(connection, BOX, [block], 0, LATER) == 1
        [row] = previews.last_previews(connection, BOX, 10)
        assert (row.epoch, row.sequence, row.seen_at_ms) == ((b"e" * 16).hex(), 1, LATER)
        assert (row.wall_ms, row.subject, row.reference, row.detail) == (T0, "w-1", "o-1", "x")
        previews.settle_previews(connection, BOX, b"f" * 16, 9)
        assert previews.count_previews(connection, BOX) == 1
        previews.settle_previews(connection, BOX, b"e" * 16, 1)
        assert previews.count_previews(connection, BOX) == 0


@pytest.mark.parametrize("through", [0, 3])
def test_only_the_newest_are_kept_and_only_what_is_not_committed(
    small_world: World, through: int
) -> None:
    blocks = [
        decode_block(small_world.chain.block(*[passed(T0 + i)] * (limits.LIVE_RECORDS_MAX // 2)))
        for i in range(3)
    ]
    with writing(small_world.engine) as connection:
        added = previews.add_previews(connection, BOX, blocks, through, LATER)
        assert added == 3 * (limits.LIVE_RECORDS_MAX // 2) - through
        assert previews.count_previews(connection, BOX) == limits.LIVE_RECORDS_MAX
