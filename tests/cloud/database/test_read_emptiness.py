"""Every reason for an empty statement, from the books."""

from cloud.database.engine import reading, writing
from cloud.database.month_statements import month_statement
from cloud.database.plan_books import add_plan
from cloud.office.money import FundingRequest, fund_pool
from tests.cloud.office.test_settling import MONTH
from tests.cloud.settlement.small_month import plan
from tests.cloud.world import HOUR, PLACE, T0, World, alive, passed


def why(world: World, account: str = "commission:w-1") -> str | None:
    with reading(world.engine) as connection:
        return month_statement(connection, PLACE, account, MONTH).emptiness


def test_without_orders_it_depends_on_the_plan(world: World) -> None:
    assert why(world) == "no_plan"
    with writing(world.engine) as connection:
        add_plan(connection, "acme", plan(from_period=MONTH), "lin", T0)
    assert why(world) == "no_promises"
    assert (why(world, "supplier:clean-co"), why(world, "pool")) == ("no_account", "no_account")


def test_open_then_missed(world: World) -> None:
    world.order("o-1")
    assert why(world) == "all_open"
    world.tell(alive(T0 + 30 * HOUR))
    assert why(world) == "all_missed"


def test_an_unfunded_pool_and_then_a_funded_one(world: World) -> None:
    world.order("o-1", income_fen=0)
    world.tell(passed(T0 + HOUR), alive(T0 + 2 * HOUR))
    assert why(world) == "pool_short"
    fund_pool(world.engine, PLACE, FundingRequest(key="k", amount_fen=500), T0)
    assert why(world) is None


def test_steps_without_a_rate_or_after_the_hard_limit(world: World) -> None:
    world.order("o-1", nodes=[{"key": "arrive"}])
    world.tell(passed(T0 + HOUR + HOUR - 60_000), alive(T0 + 30 * HOUR))
    assert why(world) is None
    world.order("o-2", worker="w-2", nodes=[{"key": "arrive"}])
    world.tell(passed(T0 + 2 * HOUR, worker="w-2"), alive(T0 + 31 * HOUR))
    assert why(world, "commission:w-2") in {"nothing_pays", "all_missed"}
