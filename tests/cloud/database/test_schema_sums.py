"""The store itself marks what a kept sum no longer holds."""

import pytest
from sqlalchemy import insert, select, text

from cloud.database import schema
from cloud.database.engine import writing
from tests.cloud.world import HOUR, PLACE, T0, World, alive, finished, passed

MONTH = {**PLACE._asdict(), "period": "2027-01", "made_by": "p"}


def keep(world: World, from_ms: int, until_ms: int) -> None:
    row = MONTH | {"from_ms": from_ms, "until_ms": until_ms, "content": []}
    with writing(world.engine) as connection:
        connection.execute(insert(schema.month_sums), row)


def settle_marks(world: World) -> None:
    with writing(world.engine) as connection:
        connection.execute(text("UPDATE order_sums SET is_stale = false"))


def marked(world: World) -> list[str]:
    with writing(world.engine) as connection:
        table = schema.order_sums
        query = select(table.c.order_id).where(table.c.is_stale.is_(True))
        return sorted(connection.execute(query).scalars())


def test_new_orders_and_deeds_are_marked_in_their_time_alone(world: World) -> None:
    world.fund(1_000_000)
    world.order("o-before", T0)
    keep(world, T0 + HOUR, T0 + 2 * HOUR)
    world.order("o-first", T0 + HOUR, worker="w-2")
    world.order("o-after", T0 + 2 * HOUR, worker="w-2")
    assert marked(world) == ["o-first"]
    settle_marks(world)
    # Its first node is done within the time although it was booked before.
    world.tell(passed(T0 + HOUR), alive(T0 + HOUR))
    assert marked(world) == ["o-before"]


def test_a_verdict_marks_an_order_whenever_the_deed_was(world: World) -> None:
    world.fund(1_000_000)
    keep(world, T0, T0 + HOUR)
    world.order("o-1", T0)
    settle_marks(world)
    world.tell(finished(T0 + 95 * 60_000, "o-1"), alive(T0 + 2 * HOUR))
    assert marked(world) == ["o-1"]


@pytest.mark.parametrize("status", ["cancelled", "done"])
def test_an_order_that_ends_is_marked(world: World, status: str) -> None:
    keep(world, T0, T0 + HOUR)
    world.order("o-1", T0)
    settle_marks(world)
    with writing(world.engine) as connection:
        connection.execute(schema.orders.update().values(status=status))
    assert marked(world) == ["o-1"]


def test_without_a_sum_nothing_is_written(world: World) -> None:
    world.fund(1_000_000)
    world.order("o-1", T0)
    world.tell(passed(T0), finished(T0 + 95 * 60_000, "o-1"))
    with writing(world.engine) as connection:
        assert not connection.execute(select(schema.order_sums)).all()
