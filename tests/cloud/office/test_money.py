import pytest

from cloud.database.fleet import Place
from cloud.office.money import FundingRequest, fund_pool
from cloud.office.refusals import UnknownError
from tests.cloud.world import HOUR, T0, World, passed


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
