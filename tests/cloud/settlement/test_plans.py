from typing import Any

import pytest
from pydantic import ValidationError

from agreed.words import language
from cloud.settlement.plans import Plan
from tests.cloud.settlement.small_month import PLAN, WATERFALL, plan, wager

RATE = {"pack": "cleaning", "node": "finish", "rate_fen": 3_000}
POOL = {
    "key": "star",
    "name_zh": "星级奖",
    "name_en": "Star pool",
    "share_bp": 6_000,
    "basis": "score",
    "weights": [["cleaner", 2]],
}


def test_a_plan_is_data() -> None:
    full = plan(wagers=[wager()], rates=[RATE], pools=[POOL])
    assert Plan.model_validate_json(full.model_dump_json()) == full


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"from_period": "2026-3"}, "from_period: write the month"),
        ({"rates": [RATE, RATE]}, "rates: names cleaning/finish twice"),
        ({"pools": [POOL, POOL]}, "pools: names star twice"),
        ({"pools": [POOL, POOL | {"key": "more"}]}, "pools: together they take more"),
        ({"cap_fen": 1, "floor_fen": 2}, "floor_fen: lies above cap_fen"),
        (
            {
                "waterfall": WATERFALL | {"middle_bonus_bp": 0, "retained_bp": 4_000},
                "middle_bonus": {"base_fen": 1, "target_bp": 9_000, "cap_bp": 12_000},
            },
            "middle_bonus: nothing funds it",
        ),
        ({"rates": [RATE | {"rate_fen": 1.5}]}, "rate_fen"),
        ({"expression": "rate * 2"}, "expression"),
    ],
)
def test_a_wrong_plan_names_the_field(change: dict[str, Any], named: str) -> None:
    language.set("en")
    with pytest.raises(ValidationError, match=named):
        Plan.model_validate(PLAN | change)
