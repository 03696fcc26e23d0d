import pytest
from pydantic import BaseModel, ValidationError

from agreed.words import language
from cloud.settlement.terms import (
    BonusPool,
    Quality,
    Recovery,
    Split,
    Waterfall,
    check_unique,
)
from tests.cloud.settlement.small_month import WATERFALL

SPLIT = {"pack": "cleaning", "node": "finish"}


def points(*pairs: tuple[int, int]) -> dict[str, object]:
    return {"points": [{"score_bp": s, "factor_bp": f} for s, f in pairs]}


def shares(*pairs: tuple[str, int]) -> dict[str, object]:
    return SPLIT | {"shares": [{"role": r, "share_bp": bp} for r, bp in pairs]}


@pytest.mark.parametrize(
    ("kind", "content", "named"),
    [
        (Waterfall, WATERFALL | {"retained_bp": 2_999}, "retained_bp: the five shares sum to 9999"),
        (Waterfall, WATERFALL | {"tax_bp": 4_000, "platform_bp": 7_000}, "tax_bp"),
        (Waterfall, WATERFALL | {"front_line_bp": 0}, "front_line_bp"),
        (Waterfall, WATERFALL | {"formula": "income * 2"}, "formula"),
        (Split, shares(("lead", 6_000), ("mate", 3_999)), "shares: sum to 9999"),
        (Split, shares(("lead", 5_000), ("lead", 5_000)), "shares: names lead twice"),
        (Quality, points((100, 0), (10_000, 10_000)), "points.0.score_bp"),
        (Quality, points((0, 0), (0, 10_000)), "points.1.score_bp"),
        (Quality, points((0, 500), (10_000, 400)), "points.1.factor_bp"),
        (Recovery, {"cap_bp": 2_001}, "cap_bp: the law allows 2000"),
        (
            BonusPool,
            {
                "key": "star",
                "name_zh": "奖",
                "name_en": "Star",
                "share_bp": 1,
                "basis": "heads",
                "weights": [["cleaner", 1], ["cleaner", 2]],
            },
            "weights: names cleaner twice",
        ),
    ],
)
def test_a_wrong_rule_names_its_field(
    kind: type[BaseModel], content: dict[str, object], named: str
) -> None:
    language.set("en")
    with pytest.raises(ValidationError, match=named):
        kind.model_validate(content)


def test_keys_are_named_once() -> None:
    check_unique("pools", ["a", "b"])
