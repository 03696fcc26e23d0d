from cloud.database.engine import reading, writing
from cloud.database.plan_books import add_plan
from cloud.database.read_wagers import signed_wagers, stakes_of
from cloud.office.money import Fund, FundsRequest, fund_account
from cloud.settlement.periods import after, period_of
from cloud.settlement.releasing import Stakes
from tests.cloud.settlement.small_month import plan, signed, wager
from tests.cloud.world import PLACE, T0, World

MONTH = period_of(T0, 480)


def test_stakes_are_read_of_now_and_of_a_month(world: World) -> None:
    targets = [{"period": MONTH, "target_fen": 5}]
    terms = {k: v for k, v in wager().items() if k != "signatures"} | {"targets": targets}
    held = plan(from_period=MONTH, wagers=[signed(terms)])
    with writing(world.engine) as connection:
        add_plan(connection, "acme", held, "lin", T0)
        add_plan(connection, "acme", plan(from_period=after(MONTH)), "lin", T0)
    request = FundsRequest(
        key="k", amount_fen=70, into=Fund.SENIOR_STAKE, wager="spring", period=MONTH
    )
    fund_account(world.engine, PLACE, request, T0)
    with reading(world.engine) as connection:
        assert signed_wagers(connection, PLACE) == {"spring": held.wagers[0]}
        assert stakes_of(connection, PLACE) == {"spring": Stakes(0, 70)}
        assert stakes_of(connection, PLACE, MONTH) == {"spring": Stakes(0, 70)}
        assert stakes_of(connection, PLACE, after(MONTH, -1)) == {}
