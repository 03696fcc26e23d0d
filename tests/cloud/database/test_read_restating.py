"""Which closed months are settled again; the whole way is in office/test_refunding."""

from cloud.database import read_restating
from cloud.database.engine import reading, writing
from cloud.database.plan_books import add_plan
from cloud.office.refunding import RefundRequest, refund_order
from cloud.office.settling import Settling
from cloud.settlement.periods import after
from cloud.settlement.restating import Causes
from tests.cloud.office.test_settling import MONTH, NOW, through, work
from tests.cloud.settlement.small_month import plan
from tests.cloud.world import PLACE, T0, World


def test_a_closed_month_is_looked_at_again_once_something_changed(world: World) -> None:
    work(world)
    with writing(world.engine) as connection:
        add_plan(connection, "acme", plan(from_period=MONTH), "lin", T0)
    through(Settling(world.engine, PLACE))
    following = after(MONTH)
    with reading(world.engine) as connection:
        [(month, followed)] = read_restating.settled_months(connection, PLACE, following)
        assert (month, followed) == (MONTH, plan(from_period=MONTH))
        assert read_restating.settled_months(connection, PLACE, MONTH) == []
        assert read_restating.causes(connection, PLACE, MONTH) == Causes()
        assert ("commission:w-1", "piece") in read_restating.posted_fen(connection, PLACE, MONTH)
    world.fund(9_000, key="more")
    request = RefundRequest(key="k", amount_fen=1, cause="why")
    refund_order(world.engine, PLACE, "o-1", request, NOW)
    with reading(world.engine) as connection:
        assert read_restating.causes(connection, PLACE, MONTH) == Causes(refunded=("o-1",))
        assert read_restating.causes(connection, PLACE, following) == Causes()


def test_without_a_run_there_is_nothing_to_restate(small_world: World) -> None:
    with reading(small_world.engine) as connection:
        assert read_restating.settled_months(connection, PLACE, MONTH) == []
        assert read_restating.posted_fen(connection, PLACE, MONTH) == {}
