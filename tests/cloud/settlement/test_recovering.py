"""One rule of what a month repays: in runs and in trials alike."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.settlement.deductions import recovery_lines
from cloud.settlement.facts import Receivable, Wage
from cloud.settlement.recovering import LEGAL_CAP_BP, Pay, deduction
from cloud.settlement.running import DEDUCTION, Extra, Month, RunLine, run_lines
from cloud.settlement.waterfall import commission
from tests.cloud.settlement.small_month import plan

FEN = st.integers(0, 10**9)


def test_a_deduction_keeps_to_a_fifth_and_above_the_minimum() -> None:
    assert deduction(10_000, Pay(5_000))[0] == 1_000
    assert deduction(400, Pay(5_000))[0] == 400
    assert deduction(10_000, Pay(5_003))[0] == 1_000  # rounded down
    assert deduction(10_000, Pay(5_000, 200_000, 204_600))[0] == 400
    assert deduction(10_000, Pay(5_000, 200_000, 205_000))[0] == 0
    assert deduction(10_000, Pay(5_000, 200_000, 200_000, withheld_fen=4_700))[0] == 300
    assert deduction(10_000, Pay(5_000, kept_fen=4_900))[0] == 100
    assert deduction(10_000, Pay(0, 500_000))[0] == 0  # base wage is never touched
    assert deduction(10_000, Pay(-50, 500_000))[0] == 0


def test_a_plan_may_deduct_less_than_the_law_allows_and_never_more() -> None:
    assert deduction(10_000, Pay(5_000), 1_000)[0] == 500
    fen, formula = deduction(10_000, Pay(5_000), 9_000)
    assert fen == 1_000
    assert "× 2000 bp" in formula


@given(FEN, FEN, FEN, FEN, FEN, st.integers(0, LEGAL_CAP_BP))
def test_no_deduction_breaks_its_bounds(
    owed: int, earned: int, base: int, least: int, withheld: int, cap_bp: int
) -> None:
    fen, formula = deduction(owed, Pay(earned, base, least, withheld_fen=withheld), cap_bp)
    assert 0 <= fen <= min(owed, earned)
    assert fen * 10_000 <= earned * cap_bp
    assert fen == 0 or base + earned - withheld - fen >= least
    assert formula.endswith(f" = {fen} fen")


@given(FEN, st.integers(0, 10**6), FEN, FEN, st.integers(0, 10**6))
def test_a_trial_deducts_what_a_run_deducts(
    owed: int, earned: int, base: int, least: int, kept: int
) -> None:
    owes = Receivable("w-1", "claims", "clawback", 0, owed)
    lines, _unpaid, _warned = recovery_lines(
        plan(), [owes], {"w-1": Wage("w-1", base, 0, least)}, {"w-1": earned}, {"w-1": kept}
    )
    drawn = RunLine("commission:w-1", "draw:cleaner", 0, "", {"guaranteed_fen": kept})
    month = Month(commission("w-1"), 0, {"fulfilment": earned}, owed, base)
    posted = run_lines([month], [Extra(drawn)], least)
    run_fen = sum(line.amount_fen for line in posted if line.rule == DEDUCTION)
    assert sum(line.amount_fen for line in lines) == run_fen
