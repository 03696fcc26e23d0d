from cloud.settlement.deductions import draw_lines, guarantees, recovery_lines
from cloud.settlement.facts import Receivable, Wage
from cloud.settlement.results import Carried, Caution, Line, Nothing, Unpaid, Warned
from cloud.settlement.waterfall import RETAINED, receivable
from tests.cloud.settlement.small_month import plan

DRAWS = [
    {"role": "cleaner", "guaranteed_fen": 50_000, "is_recoverable": True},
    {"role": "trainee", "guaranteed_fen": 40_000, "is_recoverable": False},
]
ROLES = {"w-1": {"cleaner", "trainee"}, "w-2": {"trainee"}, "w-3": {"guard"}}
WAGE = Wage("w-1", 300_000, 40_000, 220_000)
OLD = Receivable("w-1", "draw/2026-01", "draw", 1, 15_000)
NEW = Receivable("w-1", "clawback/o-7", "clawback", 2, 60_000)


def test_two_roles_give_one_draw() -> None:
    found = guarantees(plan(draws=DRAWS), ROLES)
    assert [(g.worker, g.draw.role) for g in found] == [("w-1", "cleaner"), ("w-2", "trainee")]


def test_what_earnings_lack_is_advanced_or_given() -> None:
    found = guarantees(plan(draws=DRAWS), ROLES)
    lines, unpaid = draw_lines(found, {"w-1": 20_000, "w-2": 41_000}, 100_000)
    assert unpaid == []
    assert [(line.source, line.amount_fen) for line in lines] == [
        (receivable("w-1"), 30_000),
        (RETAINED, 0),
    ]
    assert lines[1].nothing is Nothing.ON_TARGET


def test_advances_reach_as_far_as_the_companys_profit() -> None:
    lines, unpaid = draw_lines(guarantees(plan(draws=DRAWS), ROLES), {}, 45_000)
    assert [line.amount_fen for line in lines] == [25_000, 20_000]
    assert [u.amount_fen for u in unpaid] == [25_000, 20_000]
    lines, _ = draw_lines(guarantees(plan(draws=DRAWS), ROLES), {}, -5)
    assert {line.nothing for line in lines} == {Nothing.NOT_FUNDED}


def recovered(
    wage: Wage | None, earned_fen: int, kept_fen: int = 0
) -> tuple[list[Line], list[Unpaid], list[Warned]]:
    wages = {wage.worker: wage} if wage else {}
    return recovery_lines(plan(), [NEW, OLD], wages, {"w-1": earned_fen}, {"w-1": kept_fen})


def test_the_oldest_is_deducted_first_and_the_rest_is_carried_forward() -> None:
    lines, unpaid, warnings = recovered(WAGE, 200_000)
    # 200,000 × 20 % = 40,000; 500,000 − 40,000 − 220,000 = 240,000
    assert [(line.subject, line.amount_fen) for line in lines] == [
        ("draw/2026-01", -15_000),
        ("clawback/o-7", -25_000),
    ]
    assert [(u.subject, u.amount_fen, u.why) for u in unpaid] == [
        ("clawback/o-7", 35_000, Carried.LEGAL_CAP)
    ]
    assert warnings == []


def test_base_pay_and_the_minimum_wage_are_never_touched() -> None:
    assert sum(line.amount_fen for line in recovered(WAGE, 0)[0]) == 0
    assert recovered(WAGE, 0)[0][0].nothing is Nothing.PROTECTED
    poor = Wage("w-1", 215_000, 40_000, 220_000)
    assert sum(line.amount_fen for line in recovered(poor, 50_000)[0]) == -5_000
    assert sum(line.amount_fen for line in recovered(WAGE, 60_000)[0]) == -12_000
    assert sum(line.amount_fen for line in recovered(WAGE, 60_000, 50_000)[0]) == -10_000


def test_nobody_is_deducted_from_whose_wage_is_unknown() -> None:
    lines, unpaid, warnings = recovered(None, 60_000)
    assert [line.amount_fen for line in lines] == [0, 0]
    assert sum(u.amount_fen for u in unpaid) == 75_000
    assert warnings == [Warned(Caution.NO_WAGE, "w-1")]
