from cloud.settlement.period import settle_period
from cloud.settlement.results import Rule
from cloud.settlement.waterfall import POOL, commission
from tests.cloud.settlement.small_month import earning, facts, plan


def test_lines_have_one_key_each_and_sum_to_the_totals() -> None:
    result = settle_period(plan(), facts(earning("o-1", "w-1"), earning("o-2", "w-2")))
    keys = [line.key for line in result.lines]
    assert len(set(keys)) == len(keys)
    assert keys == sorted(keys)
    totals = result.totals_fen()
    assert totals[commission("w-1")] == totals[commission("w-2")] == 2_500
    assert totals[POOL] == 9_000  # 45 % of 2 × (20,000 − 8,000 − 2,000)


def test_rules_apply_in_their_order() -> None:
    assert list(Rule)[:6] == [
        Rule.WATERFALL,
        Rule.PIECE,
        Rule.TIER,
        Rule.ACCELERATOR,
        Rule.CAP,
        Rule.FLOOR,
    ]


def test_a_piece_writes_its_formula() -> None:
    late = earning("o-1", "w-1", score_bp=6_667, rate_fen=2_501)
    piece = settle_period(plan(), facts(late)).pieces[0]
    assert piece.formula == "1 × 2501 fen × 6667 bp ÷ 10000 = 1667 fen"
