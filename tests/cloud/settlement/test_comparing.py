from hypothesis import given, settings

from agreed.words import language
from cloud.settlement.comparing import Difference, differences, in_words
from cloud.settlement.plans import Plan
from tests.cloud.settlement.histories import plans
from tests.cloud.settlement.small_month import WATERFALL, plan, wager

RATES = [
    {"pack": "cleaning", "node": n, "rate_fen": f} for n, f in (("arrive", 500), ("finish", 900))
]


def test_only_what_changed_is_named_and_lists_go_by_key() -> None:
    before = plan(rates=RATES, cap_fen=400_000)
    after = plan(
        rates=[RATES[1] | {"rate_fen": 1_000}, RATES[0]],
        waterfall=WATERFALL | {"retained_bp": 2_500, "front_line_bp": 5_000},
    )
    assert differences(before, after) == [
        Difference("waterfall.retained_bp", 3_000, 2_500),
        Difference("waterfall.front_line_bp", 4_500, 5_000),
        Difference("rates[cleaning/finish].rate_fen", 900, 1_000),
        Difference("cap_fen", 400_000, None),
    ]


def test_differences_are_said_with_units() -> None:
    language.set("en")
    assert in_words(Difference("rates[a/b].rate_fen", 900, 1_000)) == (
        "rates[a/b].rate_fen: from 9.00 yuan to 10.00 yuan."
    )
    assert in_words(Difference("cap_fen", 400_000, None)) == (
        "cap_fen: no longer, was 4,000.00 yuan."
    )
    assert in_words(Difference("wagers[x].gives_back", None, True)) == (
        "wagers[x].gives_back: new, yes."
    )
    assert in_words(Difference("waterfall.tax_bp", 0, 300)) == "waterfall.tax_bp: from 0 % to 3 %."


def test_a_new_wager_is_named_with_all_its_fields() -> None:
    found = differences(plan(), plan(wagers=[wager()]))
    assert Difference("wagers[spring].targets[2026-04].target_fen", None, 100_000) in found
    assert all(difference.before is None for difference in found)


@settings(max_examples=15)
@given(plans(), plans())
def test_there_is_no_difference_exactly_when_the_plans_are_equal(one: Plan, other: Plan) -> None:
    assert (differences(one, other) == []) == (one == other)
