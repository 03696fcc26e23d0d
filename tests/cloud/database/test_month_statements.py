"""A month's statement adds up to the ledger, whoever it is for."""

from cloud.database import books, month_statements
from cloud.database.engine import reading, writing
from cloud.database.month_statements import MonthStatement, month_statement
from cloud.office.settling import Settling
from cloud.settlement.periods import after
from cloud.settlement.waterfall import BANK, Move, commission
from tests.cloud.office.test_settling import LIN, MONTH, NOW, through, work
from tests.cloud.world import HOUR, PLACE, T0, World, alive, passed


def read(world: World, account: str, period: str = MONTH) -> MonthStatement:
    with reading(world.engine) as connection:
        found = month_statement(connection, PLACE, account, period)
    assert found.opening_fen + found.lines_fen + found.adjustments_fen == found.payable_fen
    assert found.payable_fen - found.paid_fen == found.closing_fen
    return found


def test_a_worker_a_supplier_and_the_pool(world: World) -> None:
    work(world)
    worker = read(world, "commission:w-1")
    assert (worker.name, worker.payable_fen, worker.paid_fen) == ("W1", 3_001, 0)
    assert [m.line is not None for m in worker.moved] == [True, True]
    supplier = read(world, "supplier:clean-co")
    assert (supplier.lines_fen, supplier.emptiness) == (12_000, None)
    pool = read(world, "pool")
    assert pool.closing_fen == world.balance("pool")
    assert pool.adjustments_fen == -3_501
    through(Settling(world.engine, PLACE))
    paid = read(world, "commission:w-1")
    assert (paid.paid_fen, paid.closing_fen, paid.status) == (3_001, 0, "paid")
    following = read(world, "commission:w-1", after(MONTH))
    assert (following.opening_fen, following.emptiness) == (0, "no_plan")


def test_what_is_not_paid_out_opens_the_next_month(world: World) -> None:
    work(world)
    with writing(world.engine) as connection:
        out = Move("payout/x", "payout", commission("w-1"), BANK, 1_000, T0, "", {})
        books.post(connection, PLACE, [out], T0, period=MONTH)
    assert read(world, "commission:w-1").closing_fen == 2_001
    assert read(world, "commission:w-1", after(MONTH)).opening_fen == 2_001


def test_an_empty_statement_says_why(world: World) -> None:
    assert read(world, "commission:w-1").emptiness == "no_plan"
    world.order("o-1", income_fen=0)
    world.tell(passed(T0 + HOUR), alive(T0 + 2 * HOUR))
    waits = read(world, "commission:w-1")
    assert (waits.emptiness, [line.status for line in waits.waiting]) == ("pool_short", ["held"])
    world.order("o-2", worker="w-2")
    world.tell(alive(T0 + 30 * HOUR))
    assert read(world, "commission:w-2").emptiness == "all_missed"


def test_everybody_has_a_statement(world: World) -> None:
    work(world)
    with reading(world.engine) as connection:
        found = month_statements.payees(connection, PLACE, MONTH)
        assert month_statements.disputes(connection, PLACE, None, None) == []
    assert found == ["commission:w-1", "commission:w-2", "pool", "supplier:clean-co"]
    assert LIN.user_id == "lin"
    assert NOW > T0
