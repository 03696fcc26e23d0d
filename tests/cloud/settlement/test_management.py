from cloud.settlement.facts import Team, WagerFact
from cloud.settlement.management import bonus_lines, fund_bonuses, punctuality, wager_lines
from cloud.settlement.results import Carried, Caution, Nothing, Unpaid, Warned
from cloud.settlement.wagers import Measure
from cloud.settlement.waterfall import RETAINED, commission, escrow
from tests.cloud.settlement.small_month import order, plan, wager

BONUS = {"base_fen": 30_000, "target_bp": 9_000, "cap_bp": 11_000}
EAST = Team("east", manager="m-1", tasks_received=40, tasks_passed=36)
WEST = Team("west", manager="m-2", tasks_received=10, tasks_passed=10)
FUNDED = WagerFact("spring", 30_000, 20_000, 0, 0)


def test_orders_of_vulnerable_residents_do_not_touch_a_teams_figure() -> None:
    orders = [
        order("o-1"),
        order("o-2", is_on_time=False),
        order("o-3", is_on_time=False, segment="vulnerable"),
        order("o-4", is_on_time=None),
    ]
    assert punctuality(orders, frozenset({"vulnerable"})) == {"east": (1, 2)}
    assert punctuality(orders, frozenset()) == {"east": (1, 3)}


def test_a_bonus_is_base_times_punctuality_times_what_was_passed_on() -> None:
    lines = bonus_lines(plan(middle_bonus=BONUS), [WEST, EAST], {"east": (17, 20), "west": (5, 5)})
    assert [line.amount_fen for line in lines] == [25_500, 33_000]  # 8,500 ÷ 9,000; capped at 1.1
    assert lines[0].formula == (
        "30000 fen × min(11000 bp, 17 ÷ 20 ÷ 9000 bp) × 36 ÷ 40 = 25500 fen"
    )
    assert bonus_lines(plan(), [EAST], {}) == []


def test_no_bonus_says_why() -> None:
    lines = bonus_lines(
        plan(middle_bonus=BONUS),
        [EAST, WEST, Team("south", manager="m-3", tasks_received=3)],
        {"east": (0, 4), "south": (3, 3)},
    )
    assert {line.subject: line.nothing for line in lines} == {
        "east": Nothing.NO_SCORE,
        "south": Nothing.NOT_PASSED_ON,
        "west": Nothing.NO_ORDERS,
    }


def test_a_short_pool_is_shared_exactly_and_the_rest_waits() -> None:
    lines = bonus_lines(plan(middle_bonus=BONUS), [WEST, EAST], {"east": (17, 20), "west": (5, 5)})
    assert fund_bonuses(lines, 58_500) == ([], [])
    cuts, unpaid = fund_bonuses(lines, 50_000)
    assert sum(line.amount_fen for line in [*lines, *cuts]) == 50_000
    assert unpaid == [
        Unpaid(commission("m-1"), lines[0].rule, "east", 3_705, Carried.BONUS_SHORT),
        Unpaid(commission("m-2"), lines[0].rule, "west", 4_795, Carried.BONUS_SHORT),
    ]
    cuts, _ = fund_bonuses(lines, -1)
    assert sum(line.amount_fen for line in [*lines, *cuts]) == 0


def settled(fact: WagerFact, profit_fen: int, period: str = "2026-03") -> tuple[int, object]:
    measured = {Measure.NEW_PROFIT: profit_fen, Measure.INCOME: 0}
    lines, _ = wager_lines(plan(wagers=[wager()]), period, {fact.wager: fact}, measured)
    return lines[0].amount_fen, lines[0].nothing


def test_a_wager_is_paid_from_its_escrows() -> None:
    measured = {Measure.NEW_PROFIT: 125_000, Measure.INCOME: 0}
    known = {"spring": FUNDED}
    [won], warnings = wager_lines(plan(wagers=[wager()]), "2026-03", known, measured)
    assert warnings == []
    assert (won.source, won.payee) == (escrow("spring", "company"), commission("s-1"))
    assert won.amount_fen == 10_000
    measured[Measure.NEW_PROFIT] = 75_000
    [lost], _ = wager_lines(plan(wagers=[wager()]), "2026-03", known, measured)
    assert (lost.source, lost.payee) == (escrow("spring", "senior"), RETAINED)
    assert lost.amount_fen == 10_000


def test_a_wager_without_its_stakes_pays_nothing_and_is_named() -> None:
    measured = {Measure.NEW_PROFIT: 125_000, Measure.INCOME: 0}
    short = WagerFact("spring", 29_000, 20_000, 0, 0)
    for known in ({"spring": short}, {}):
        [line], warnings = wager_lines(plan(wagers=[wager()]), "2026-03", known, measured)
        assert (line.amount_fen, line.nothing) == (0, Nothing.NOT_FUNDED)
        assert warnings == [Warned(Caution.WAGER_UNFUNDED, "spring", 1_000 if known else 50_000)]


def test_a_wager_that_moves_nothing_says_why() -> None:
    assert settled(FUNDED, 104_000) == (0, Nothing.IN_DEAD_BAND)
    paid = WagerFact("spring", 20_000, 20_000, 125_000, 10_000)
    assert settled(paid, 65_000, "2026-04") == (0, Nothing.ALREADY_PAID)
    assert wager_lines(plan(wagers=[wager()]), "2026-05", {}, {}) == ([], [])
