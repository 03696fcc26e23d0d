import pytest

from agreed.words import language
from cloud.database.books import close_month
from cloud.database.engine import writing
from cloud.database.fleet import Place
from cloud.office.money import Fund, FundingRequest, FundsRequest, fund_account, fund_pool
from cloud.office.plans import publish_plan
from cloud.office.refusals import ConflictError, InvalidError, UnknownError
from tests.cloud.settlement.small_month import plan, wager
from tests.cloud.world import HOUR, PLACE, T0, World, passed


@pytest.fixture(autouse=True)
def _english() -> None:
    language.set("en")


def test_funding_happens_once_per_key(world: World) -> None:
    assert world.fund(1_000) == 1_000
    assert world.fund(1_000) == 1_000
    assert world.fund(5, key="second") == 1_005
    assert world.balance("company") == -1_005


def test_what_waited_is_paid_as_soon_as_it_can(world: World) -> None:
    world.order("o-1", income_fen=0)
    world.tell(passed(T0 + HOUR))
    held = world.statement()
    assert (held.earned_fen, held.held_fen) == (0, 500)
    assert held.lines[0].reason.hold == "pool_short"
    assert world.fund(499) == 499
    assert world.fund(1, key="last fen") == 0
    paid = world.statement()
    assert (paid.earned_fen, paid.held_fen, paid.balance_fen) == (500, 0, 500)
    assert paid.lines[0].status == "posted"


def test_an_unknown_site_is_named(world: World) -> None:
    with pytest.raises(UnknownError):
        fund_pool(world.engine, Place("acme", "south"), FundingRequest(key="k", amount_fen=1), T0)


def request(into: Fund, **more: object) -> FundsRequest:
    values = {"key": into.value, "amount_fen": 700, "into": into}
    return FundsRequest.model_validate(values | more)


@pytest.mark.parametrize("into", [Fund.POOL, Fund.RETAINED, Fund.BONUS, Fund.CARE])
def test_every_fund_is_filled_once_per_key(small_world: World, into: Fund) -> None:
    for _ in range(2):
        held = fund_account(small_world.engine, PLACE, request(into), T0)
        assert (held.account, held.held_fen) == (into.value, 700)
    assert small_world.balance("company") == -700


def test_stakes_need_a_signed_wager_and_an_open_month(small_world: World) -> None:
    month = {"period": "2026-03", "wager": "spring"}
    engine = small_world.engine
    with pytest.raises(UnknownError, match="no wager spring"):
        fund_account(engine, PLACE, request(Fund.SENIOR_STAKE, **month), T0)
    with pytest.raises(InvalidError, match="no month"):
        fund_account(engine, PLACE, request(Fund.BONUS, period="March"), T0)
    publish_plan(engine, "acme", plan(wagers=[wager(key="spring")]), "boss", T0)
    held = fund_account(engine, PLACE, request(Fund.SENIOR_STAKE, **month), T0)
    assert (held.account, held.held_fen) == ("escrow:spring:senior", 700)
    with pytest.raises(ConflictError, match="wager is to pay"):
        fund_account(engine, PLACE, request(Fund.COMPANY_STAKE, is_from_share=True, **month), T0)
    fund_account(engine, PLACE, request(Fund.COMPANY_STAKE, **month), T0)
    assert small_world.balance("escrow:spring:company") == 700
    with writing(engine) as connection:
        close_month(connection, PLACE, "2026-03")
    with pytest.raises(ConflictError, match="closed"):
        fund_account(engine, PLACE, request(Fund.COMPANY_STAKE, key="late", **month), T0)
