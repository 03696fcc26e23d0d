"""What a month holds, read from the books of either engine."""

from cloud.database import books, run_books
from cloud.database.engine import reading, writing
from cloud.settlement.claims import Claim, fenced, raised
from cloud.settlement.periods import after, period_of
from cloud.settlement.running import Month
from cloud.settlement.waterfall import (
    BANK,
    COMPANY,
    POOL,
    WAGE_FUND,
    Account,
    Move,
    commission,
    wage,
)
from tests.cloud.world import PLACE, T0, World

MAY = period_of(T0, 480)
DAY = 24 * 3_600_000


def post(world: World, *moves: tuple[str, Account, Account, int, int]) -> None:
    with writing(world.engine) as connection:
        rows = [
            Move(
                f"{kind}/{debit.name}/{credit.name}/{at}/{fen}",
                kind,
                debit,
                credit,
                fen,
                at,
                "",
                {},
            )
            for kind, debit, credit, fen, at in moves
        ]
        books.post(connection, PLACE, rows, T0)


def test_a_month_knows_its_opening_its_moves_and_its_debts(world: World) -> None:
    w1, before, later = commission("w-1"), T0 - 40 * DAY, T0 + 40 * DAY
    post(
        world,
        ("funding", COMPANY, POOL, 9_000, before),
        ("commission", POOL, w1, 700, before),
        ("commission", POOL, w1, 400, T0),
        ("commission_reversal", w1, POOL, 150, T0),
        ("adjustment", POOL, w1, 20, T0),
        ("commission", POOL, w1, 1_000, later),
        ("wage", COMPANY, WAGE_FUND, 5_000, T0),
        ("wage", WAGE_FUND, wage("w-1"), 3_000, T0),
        ("wage", WAGE_FUND, wage("w-1"), 1_000, later),
    )
    with writing(world.engine) as connection:
        claims = [Claim("o", "n", 1, "w-1", 60, T0), Claim("o", "n", 2, "w-1", 5, later)]
        books.post(connection, PLACE, raised(claims), T0)
        books.post(connection, PLACE, fenced(claims, {}), T0)
        [month] = run_books.months(connection, PLACE, MAY)
    assert month == Month(w1, 700, {"fulfilment": 310, "adjustment": 20}, 60, 3_000)


def test_a_payout_belongs_to_the_month_it_pays(world: World) -> None:
    w1 = commission("w-1")
    post(world, ("funding", COMPANY, POOL, 900, T0), ("commission", POOL, w1, 300, T0))
    with writing(world.engine) as connection:
        out = Move("payout/x", "payout", w1, BANK, 200, T0 + 40 * DAY, "", {})
        books.post(connection, PLACE, [out], T0, period=MAY)
        assert run_books.months(connection, PLACE, MAY)[0].opening_fen == 0
        assert run_books.months(connection, PLACE, after(MAY))[0].opening_fen == 100


def test_a_forgotten_month_is_found(world: World) -> None:
    post(
        world,
        ("funding", COMPANY, POOL, 900, T0 - 100 * DAY),
        ("commission", POOL, commission("w-1"), 300, T0),
    )
    with reading(world.engine) as connection:
        assert run_books.unsettled_before(connection, PLACE, MAY, "") is None
        assert run_books.unsettled_before(connection, PLACE, after(MAY), "") == MAY
        assert run_books.unsettled_before(connection, PLACE, after(MAY), MAY) is None
        assert run_books.held_fen(connection, PLACE, MAY) == 0
        assert run_books.minimum_wage_fen(connection, "acme") == 0
        assert run_books.covered_until_ms(connection, PLACE) == 0
        assert run_books.list_runs(connection, "acme", None) == []
