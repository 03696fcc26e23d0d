"""A line is disputed in time, decided by a second person, and posted in the open month."""

import pytest

from agreed.words import language
from cloud.database.engine import reading
from cloud.database.month_statements import DisputeView, month_statement
from cloud.office.disputing import (
    DISPUTE_DAYS,
    DecisionRequest,
    DisputeRequest,
    decide_dispute,
    open_dispute,
)
from cloud.office.refusals import ConflictError, ForbiddenError, InvalidError, UnknownError
from cloud.office.settling import Settling
from cloud.settlement.periods import after
from tests.cloud.office.test_settling import LIN, MONTH, NOW, WANG, through, work
from tests.cloud.world import HOUR, PLACE, World

DAY = 24 * HOUR


@pytest.fixture(autouse=True)
def _english() -> None:
    language.set("en")


def dispute(world: World, now_ms: int = NOW, **more: str) -> DisputeView:
    fields = {"worker": "w-1", "period": MONTH, "line": "o-1/arrive/1", "claim": "I was early"}
    request = DisputeRequest.model_validate(fields | more)
    return open_dispute(world.engine, PLACE, request, LIN, now_ms)


def decide(world: World, number: int, fen: int, who: object = WANG) -> DisputeView:
    request = DecisionRequest(amount_fen=fen, decision="seen on the film")
    return decide_dispute(world.engine, PLACE, number, request, who, NOW)  # type: ignore[arg-type]


def test_what_is_granted_is_posted_in_the_open_month(world: World) -> None:
    work(world)
    through(Settling(world.engine, PLACE))
    opened = dispute(world)
    assert (opened.dispute, opened.status) == (1, "open")
    with pytest.raises(ConflictError, match="disputed already"):
        dispute(world)
    granted = decide(world, 1, 250)
    assert (granted.status, granted.decided_by) == ("granted", "wang")
    assert world.balance("commission:w-1") == 250
    with reading(world.engine) as connection:
        old = month_statement(connection, PLACE, "commission:w-1", MONTH)
        new = month_statement(connection, PLACE, "commission:w-1", after(MONTH))
    assert [d.status for d in old.disputes] == ["granted"]
    assert (old.closing_fen, new.adjustments_fen) == (0, 250)
    with pytest.raises(ConflictError, match="decided already"):
        decide(world, 1, 0)
    assert world.check().faults == []


def test_a_refusal_moves_nothing(world: World) -> None:
    work(world)
    dispute(world)
    assert decide(world, 1, 0).status == "refused"
    assert world.balance("commission:w-1") == 3_001
    assert dispute(world).dispute == 2


def test_not_by_the_same_person_nor_beyond_the_pool(world: World) -> None:
    work(world)
    dispute(world)
    with pytest.raises(ForbiddenError):
        decide(world, 1, 5, LIN)
    both = type(LIN)("lin", "Lin", LIN.duties | WANG.duties)
    with pytest.raises(ConflictError, match="second person"):
        decide(world, 1, 5, both)
    with pytest.raises(ConflictError, match="fund it first"):
        decide(world, 1, 10**9)
    with pytest.raises(UnknownError, match="no dispute 7"):
        decide(world, 7, 5)


def test_only_what_stands_there_and_only_in_time(world: World) -> None:
    work(world)
    with pytest.raises(UnknownError, match="has no line o-9"):
        dispute(world, line="o-9/arrive/1")
    with pytest.raises(InvalidError):
        dispute(world, period="x")
    through(Settling(world.engine, PLACE))
    assert dispute(world, NOW + DISPUTE_DAYS * DAY, line="rule:payable").line == "rule:payable"
    with pytest.raises(ConflictError, match="more than 30 days"):
        dispute(world, NOW + DISPUTE_DAYS * DAY + 1)
