from hypothesis import given
from hypothesis import strategies as st

from cloud.settlement.profit import profit_warnings, share, take, waterfall_lines
from cloud.settlement.results import Caution, Nothing, Warned
from cloud.settlement.terms import Waterfall
from cloud.settlement.waterfall import RETAINED
from tests.cloud.settlement.small_month import WATERFALL, order, plan

SHARES = Waterfall.model_validate(WATERFALL)


def test_income_runs_down_to_new_profit() -> None:
    taken = take(SHARES, [order("o-1"), order("o-2", refund_fen=5_000)])
    assert (taken.income_fen, taken.cost_fen, taken.platform_fen) == (35_000, 16_000, 4_000)
    assert taken.profit_fen == 15_000
    taxed = Waterfall.model_validate(WATERFALL | {"platform_bp": 1_000, "tax_bp": 333})
    taken = take(taxed, [order("o-1", income_fen=19_999)])
    assert (taken.platform_fen, taken.tax_fen) == (2_000, 666)


@given(st.integers(-(10**12), 10**12))
def test_the_five_shares_are_the_profit(profit_fen: int) -> None:
    shares = share(SHARES, profit_fen)
    parts = [
        shares.retained,
        shares.senior_wager,
        shares.middle_bonus,
        shares.front_line,
        shares.care_fund,
    ]
    assert sum(parts) == profit_fen
    assert min(parts[1:]) >= 0  # a loss is the company's alone


def test_income_that_the_plan_does_not_allow_in_is_not_shared() -> None:
    only = plan(waterfall=WATERFALL | {"income_from": ["cleaning"]})
    taken = take(only.waterfall, [order("o-1"), order("o-2", pack="billboards")])
    assert (taken.profit_fen, taken.unshared_fen) == (10_000, 10_000)
    assert profit_warnings(taken) == [Warned(Caution.INCOME_REFUSED, "billboards")]
    lines = waterfall_lines(only, taken, share(only.waterfall, taken.profit_fen))
    retained = {line.subject: line.amount_fen for line in lines if line.payee == RETAINED}
    assert retained == {"unshared": 10_000, "retained": 3_000}


def test_a_loss_is_named_and_shares_say_why_they_are_zero() -> None:
    taken = take(SHARES, [order("o-1", refund_fen=20_000)])
    assert taken.profit_fen == -10_000
    assert profit_warnings(taken) == [Warned(Caution.LOSS, "", 10_000)]
    lines = waterfall_lines(plan(), taken, share(SHARES, taken.profit_fen))
    why = {line.subject: (line.amount_fen, line.nothing) for line in lines}
    assert why["retained"] == (-10_000, None)
    assert why["front_line"] == (0, Nothing.NO_PROFIT)
    assert next(line for line in lines if not line.subject).formula == (
        "0 − 8000 − 2000 − 0 = -10000 fen"
    )
