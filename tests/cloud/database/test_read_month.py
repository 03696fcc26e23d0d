from cloud.database.engine import reading
from cloud.database.read_month import read_earnings, read_months, read_orders, stretch_of
from cloud.office.orders import cancel_order
from cloud.settlement.waterfall import PLATFORM, POOL, RETAINED
from tests.cloud.settlement.small_month import plan
from tests.cloud.world import HOUR, MINUTE, PLACE, T0, World, alive, finished, passed

PERIOD = "2027-01"


def served(world: World) -> World:
    world.fund(1_000_000)
    world.order("o-1")
    world.order("o-2", T0 + 4 * HOUR)
    world.order("o-3", T0 + 8 * HOUR, worker="", nodes=[{"key": "finish"}])
    cancel_order(world.engine, PLACE, "o-2", T0)
    world.tell(passed(T0 + HOUR), finished(T0 + HOUR + 90 * MINUTE, "o-1"), alive(T0 + 3 * HOUR))
    return world


def test_a_month_knows_each_order_with_pay_shares_and_task(world: World) -> None:
    served(world)
    with reading(world.engine) as connection:
        months = read_months(connection, stretch_of(connection, PLACE, PERIOD), plan())
    assert sorted(months) == ["o-1", "o-2", "o-3"]
    first = months["o-1"]
    assert sorted(e.node for e in first.earnings) == ["arrive", "finish"]
    assert first.accrued_fen == {"w-1": 500 + 2_501}
    # 199.00 less 60.00 for the supplier and 6 % = 127.06, halved between pool and company.
    assert first.booked_fen == {PLATFORM: 1_194, POOL: 6_353, RETAINED: 6_353}
    assert months["o-2"].booked_fen == {PLATFORM: 0, POOL: 0, RETAINED: 0}
    assert [months[o].is_passed_on for o in sorted(months)] == [True, None, False]


def test_some_orders_are_read_as_among_all(world: World) -> None:
    served(world)
    with reading(world.engine) as connection:
        whole = stretch_of(connection, PLACE, PERIOD)
        some = whole._replace(only=["o-1", "o-3", "o-unknown"])
        all_of_them = read_months(connection, whole, plan())
        assert read_months(connection, some, plan()) == {
            order: all_of_them[order] for order in ("o-1", "o-3")
        }
        assert [order.order_id for order, _ in read_orders(connection, some, plan())] == [
            "o-1",
            "o-3",
        ]
        assert {e.order_id for e in read_earnings(connection, some, plan())} == {"o-1"}


def test_a_month_ends_at_the_companys_midnight(world: World) -> None:
    with reading(world.engine) as connection:
        stretch = stretch_of(connection, PLACE, PERIOD)
    # 2027-02-01 00:00 in China is 16:00 UTC the day before.
    assert stretch.until_ms == 1_801_411_200_000
    assert stretch.only is None
