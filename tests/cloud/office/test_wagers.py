"""Stakes of a wager: won, lost, over, withdrawn; given back by a run, or at once."""

import pytest
from sqlalchemy import Engine

from agreed.words import language
from cloud.database.engine import reading
from cloud.database.month_statements import MonthStatement, month_statement
from cloud.office.money import Fund
from cloud.office.plans import publish_plan
from cloud.office.refunding import RefundRequest, refund_order
from cloud.office.refusals import ConflictError, UnknownError
from cloud.office.run_words import why
from cloud.office.settling import Run, Settling
from cloud.office.wagers import Released, release_wager
from tests.cloud.office.test_planned import AFTER, NOW, stake, staked, the_plan, worked
from tests.cloud.office.test_settling import LIN, through
from tests.cloud.world import PLACE, World

ESCROWS = ("escrow:spring:company", "escrow:spring:senior")


@pytest.fixture(autouse=True)
def _english() -> None:
    language.set("en")


def escrows(world: World) -> list[int]:
    return [world.balance(account) for account in ESCROWS]


def back(run: Run) -> dict[str, int]:
    return {x.payee: x.amount_fen for x in run.lines if x.rule == "release:spring"}


def of_senior(world: World, period: str = "2026-03") -> MonthStatement:
    with reading(world.engine) as connection:
        return month_statement(connection, PLACE, "commission:s-1", period)


def test_a_won_wager_pays_and_both_get_the_rest_back(store: Engine) -> None:
    world = worked(store)
    before_fen = world.balance("bank")
    desk = staked(world)
    with pytest.raises(ConflictError, match="still counts 2026-03"):
        release_wager(world.engine, PLACE, "spring", AFTER)
    run = through(desk, "2026-03", AFTER)
    assert back(run) == {"bank": 40_000, "retained": 10_000}
    assert escrows(world) == [0, 0]
    paid = sum(line.amount_fen for line in run.lines if line.rule == "payable")
    assert world.balance("bank") == before_fen - 40_000 + 40_000 + paid
    assert why(next(x for x in run.lines if x.payee == "bank")) == "the wager is over"
    shown = of_senior(world)
    assert shown.payable_fen == 50_000  # the stake is no pay
    [held] = shown.stakes
    assert (held.opening_fen, held.closing_fen) == (0, 0)
    assert [(m.kind, m.amount_fen, m.other) for m in held.moved] == [
        ("stake", 40_000, "bank"),
        ("settlement", -40_000, "bank"),
    ]
    assert of_senior(world, "2026-04").stakes == []
    assert release_wager(world.engine, PLACE, "spring", AFTER) == Released("spring", "s-1", 0, 0)
    assert world.check().faults == []


def test_a_lost_wager_takes_the_stake_and_gives_back_what_is_left(sqlite_store: Engine) -> None:
    world = worked(sqlite_store)
    for number in (1, 2, 3):
        refund = RefundRequest(key=f"k{number}", cause="leaked")
        refund_order(world.engine, PLACE, f"o-{number}", refund, AFTER)
    run = through(staked(world), "2026-03", AFTER)
    # 8,200 + 6,000 of 16,000 yuan: (1,800 − 200) × 50 % = 800 yuan, at most the stake of 400.
    [wager] = [x for x in run.lines if x.rule == "wager:spring"]
    assert (wager.payee, wager.amount_fen) == ("retained", 40_000)
    assert back(run) == {"retained": 60_000}
    assert escrows(world) == [0, 0]
    assert [(m.amount_fen, m.other) for m in of_senior(world).stakes[0].moved] == [
        (40_000, "bank"),
        (-40_000, "retained"),
    ]
    assert world.check().faults == []


def test_a_withdrawn_wager_gives_both_stakes_back_with_the_run(sqlite_store: Engine) -> None:
    world = worked(sqlite_store)
    desk = staked(world)
    publish_plan(world.engine, "acme", the_plan().model_copy(update={"wagers": ()}), "boss", NOW)
    run = through(desk, "2026-03", AFTER)
    assert back(run) == {"bank": 40_000, "retained": 60_000}
    assert not [x for x in run.lines if x.rule == "wager:spring"]
    assert "does not hold" in why(next(x for x in run.lines if x.payee == "bank"))
    assert escrows(world) == [0, 0]


def test_a_withdrawn_wager_is_released_at_once_by_hand(sqlite_store: Engine) -> None:
    world = worked(sqlite_store)
    stake(world, Fund.SENIOR_STAKE, 40_000)
    publish_plan(world.engine, "acme", the_plan().model_copy(update={"wagers": ()}), "boss", NOW)
    found = release_wager(world.engine, PLACE, "spring", AFTER)
    assert found == Released("spring", "s-1", 40_000, 0)
    assert escrows(world) == [0, 0]
    run = Settling(world.engine, PLACE).preview("2026-03", LIN, AFTER)
    assert world.check().faults == []
    assert back(run) == {}
    with pytest.raises(UnknownError, match="No plan ever held a wager autumn"):
        release_wager(world.engine, PLACE, "autumn", AFTER)
