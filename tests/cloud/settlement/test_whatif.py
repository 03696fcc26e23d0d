from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.settlement.facts import Facts, Wage
from cloud.settlement.past import to_past
from cloud.settlement.period import settle_period
from cloud.settlement.plans import Plan
from cloud.settlement.results import Caution
from cloud.settlement.whatif import compare, slope_bp, try_plan
from tests.cloud.settlement.histories import months, plans
from tests.cloud.settlement.small_month import earning, facts, plan

OF_CREWS = {Caution.ROLE_UNFILLED, Caution.ROLE_UNKNOWN}


@settings(max_examples=25)
@given(plans(), st.lists(months(), min_size=1, max_size=3))
def test_every_line_is_that_of_a_settled_period(some: Plan, stretch: list[Facts]) -> None:
    trial = try_plan(some, to_past(stretch))
    for month, tried in zip(stretch, trial.results, strict=True):
        settled = settle_period(some, month)
        assert tried.lines == settled.lines
        assert tried.unpaid == settled.unpaid
        assert tried.new_profit_fen == settled.new_profit_fen
        assert list(tried.warnings) == [w for w in settled.warnings if w.caution not in OF_CREWS]


def stretch(*scores: int) -> Facts:
    worked = [
        earning(f"o-{i}", f"w-{i}", score_bp=bp, rate_fen=10_000) for i, bp in enumerate(scores)
    ]
    wages = tuple(Wage(f"w-{i}", 5_000, 0, 0) for i in range(len(scores)))
    return facts(*worked, people=(), wages=wages)


def test_pay_by_score_has_slope_one_and_pay_by_heads_none() -> None:
    past = to_past([stretch(10_000, 8_000, 4_000)])
    fair = try_plan(plan(), past).sensitivity[0]
    assert (fair.team, fair.people, fair.slope_bp, fair.is_flat) == ("east", 3, 10_000, False)
    # A floor above every piece pays good and bad work alike.
    alike = try_plan(plan(floor_fen=10_000, cap_fen=10_000), past).sensitivity[0]
    assert (alike.slope_bp, alike.is_flat) == (0, True)
    same = try_plan(plan(), to_past([stretch(9_000, 9_000)])).sensitivity[0]
    assert (same.slope_bp, same.is_flat) == (None, False)


def test_a_trial_says_what_the_company_keeps_and_how_profit_stands_to_wages() -> None:
    trial = try_plan(plan(), to_past([stretch(10_000, 5_000)]))
    assert trial.new_profit_fen == 20_000
    assert trial.company_fen == 6_000
    assert (trial.wages_fen, trial.ratio_bp) == (10_000, 20_000)
    assert trial.paid_fen["w-1"] == 5_000
    assert try_plan(plan(), to_past([facts()])).ratio_bp is None


def test_losers_come_first() -> None:
    past = to_past([stretch(10_000, 5_000)])
    before, after = try_plan(plan(), past), try_plan(plan(cap_fen=6_000), past)
    changes = [(c.worker, c.gain_fen) for c in compare(before, after) if c.gain_fen]
    assert changes == [("w-0", -4_000)]


def test_a_slope_needs_different_scores() -> None:
    assert slope_bp([], []) is None
    assert slope_bp([(90, 1), (100, 1)], [1, 1]) == 0
