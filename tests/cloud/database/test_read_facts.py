from sqlalchemy import update

from agreed.promises import Verdict
from cloud.database import books, schema
from cloud.database.engine import reading, writing
from cloud.database.read_facts import read_facts
from cloud.office.orders import cancel_order
from cloud.office.refunding import RefundRequest, refund_order
from cloud.settlement.facts import Facts, OrderFact, Receivable, Wage, WagerFact
from cloud.settlement.period import settle_period
from cloud.settlement.plans import Plan
from cloud.settlement.waterfall import (
    COMPANY,
    RETAINED,
    WAGE_FUND,
    Move,
    commission,
    escrow,
    receivable,
    wage,
)
from tests.cloud.settlement.small_month import plan, wager
from tests.cloud.world import HOUR, LATER, MINUTE, PLACE, T0, World, alive, finished, passed

PERIOD = "2027-01"
STAFF = [
    {"worker": "w-1", "role": "cleaner", "team": "east"},
    {"worker": "w-1", "role": "guard", "team": "west"},
]
TEAM = [{"team": "east", "leader": "w-2", "manager": "m-1"}]


def read(world: World, period: str = PERIOD, of: Plan | None = None) -> Facts:
    with reading(world.engine) as connection:
        return read_facts(connection, PLACE, period, of or plan(staff=STAFF, teams=TEAM))


def served(world: World) -> World:
    """One order served on time, one late, one cancelled, one for nobody yet."""
    world.fund(1_000_000)
    world.order("o-1")
    world.order("o-2", T0 + 4 * HOUR)
    world.order("o-3", T0 + 8 * HOUR)
    world.order("o-4", T0 + 12 * HOUR, worker="", nodes=[{"key": "finish"}])
    cancel_order(world.engine, PLACE, "o-3", T0)
    world.tell(
        passed(T0 + HOUR),
        finished(T0 + HOUR + 90 * MINUTE, "o-1"),
        passed(T0 + 4 * HOUR),
        finished(T0 + 4 * HOUR + 90 * MINUTE + 50 * MINUTE, "o-2"),
        alive(T0 + 7 * HOUR),
    )
    return world


def test_verdicts_become_earnings_and_orders_what_they_brought(world: World) -> None:
    facts = read(served(world))
    nodes = {(e.order_id, e.node): e for e in facts.earnings}
    assert sorted(nodes) == [(o, n) for o in ("o-1", "o-2") for n in ("arrive", "finish")]
    late = nodes["o-2", "finish"]
    assert (late.verdict, late.score_bp, late.rate_fen) == (Verdict.LATE, 6_667, 2_501)
    assert (late.role, late.team, late.pack, late.pack_version) == (
        "cleaner",
        "east",
        "cleaning",
        1,
    )
    assert late.proof.startswith("gate-box/")
    assert facts.orders == (
        OrderFact("o-1", "cleaning", "east", 19_900, 6_000, 1_194, is_on_time=True),
        OrderFact("o-2", "cleaning", "east", 19_900, 6_000, 1_194, is_on_time=False),
        OrderFact("o-3", "cleaning", "east", 19_900, 0, 0, refund_fen=19_900),
        OrderFact("o-4", "cleaning", "east", 19_900, 6_000, 1_194),
    )
    [team] = facts.teams
    assert (team.tasks_received, team.tasks_passed) == (3, 2)  # nobody claimed the fourth


def test_without_rules_of_its_own_a_plan_pays_what_the_books_paid(small_world: World) -> None:
    facts = read(served(small_world), of=plan())
    totals = settle_period(plan(), facts).totals_fen()
    assert totals[commission("w-1")] == small_world.balance("commission:w-1")


def test_a_month_ends_at_the_companys_midnight(small_world: World) -> None:
    # 2027-02-01 00:00 in China is 16:00 UTC the day before.
    midnight_ms = 1_801_411_200_000
    small_world.fund(1_000_000)
    small_world.order("o-1", midnight_ms - 1)
    small_world.order("o-2", midnight_ms, worker="w-2")
    small_world.tell(
        passed(midnight_ms - 1), passed(midnight_ms, "w-2"), alive(midnight_ms + 5 * HOUR)
    )
    small_world.send(small_world.chain.block(alive(midnight_ms + 6 * HOUR)), now_ms=LATER * 2)
    january, february = read(small_world), read(small_world, "2027-02")
    assert [o.order_id for o in january.orders] == ["o-1"]
    assert [o.order_id for o in february.orders] == ["o-2"]
    assert [e.order_id for e in january.earnings if e.node == "arrive"] == ["o-1"]
    assert "o-2" in {e.order_id for e in february.earnings if e.node == "arrive"}


def test_balances_are_those_before_the_month(small_world: World) -> None:
    moves = [
        Move("w", "wage", COMPANY, WAGE_FUND, 300_000, T0, "", {}),
        Move("p", "wage", WAGE_FUND, wage("w-1"), 280_000, T0, "", {}),
        Move("s", "stake", COMPANY, escrow("spring", "company"), 30_000, T0, "", {}),
        Move("t", "stake", COMPANY, escrow("spring", "senior"), 20_000, T0, "", {}),
        Move("c", "claim", receivable("w-1"), commission("w-1"), 700, T0, "", {}),
        Move("x", "settlement", escrow("spring", "company"), commission("s-1"), 4_000, T0, "", {}),
        Move("y", "settlement", escrow("spring", "senior"), RETAINED, 1_000, T0, "", {}),
    ]
    with writing(small_world.engine) as connection:
        books.post(connection, PLACE, moves, T0)
        companies = schema.companies
        connection.execute(update(companies).values(minimum_wage_fen=220_000))
    small_world.fund(5_000)
    targets = [{"period": "2027-01", "target_fen": 1}, {"period": "2027-02", "target_fen": 1}]
    wagered = plan(wagers=[wager(targets=targets)])
    january = read(small_world, of=wagered)
    assert january.wages == (Wage("w-1", 280_000, 0, 220_000),)
    assert january.receivables == (Receivable("w-1", "claims", "clawback", 0, 700),)
    assert january.wagers == (WagerFact("spring", 30_000, 20_000, 0, 0),)
    assert january.pool_fen == 0
    small_world.order("o-1")
    february = read(small_world, "2027-02", wagered)
    assert (february.pool_fen, february.retained_fen) == (11_353, 1_000 + 6_353)
    assert february.wagers == (WagerFact("spring", 26_000, 19_000, 12_706, 3_000),)


def test_a_wager_counts_its_earlier_months_by_what_is_known_now(small_world: World) -> None:
    targets = [{"period": "2027-01", "target_fen": 1}, {"period": "2027-02", "target_fen": 1}]
    wagered = plan(wagers=[wager(targets=targets)])
    small_world.order("o-1")
    [before] = read(small_world, "2027-02", wagered).wagers
    request = RefundRequest(key="late", cause="leaked again")
    refund_order(small_world.engine, PLACE, "o-1", request, LATER)
    [after] = read(small_world, "2027-02", wagered).wagers
    assert (before.actual_fen, after.actual_fen) == (12_706, 0)
