import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from agreed.words import language
from cloud.settlement.terms import (
    LEGAL_CAP_BP,
    BonusPool,
    Quality,
    Recovery,
    Split,
    Waterfall,
    check_unique,
    deductible_fen,
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


def test_a_deduction_leaves_the_minimum_wage_and_four_fifths_of_the_month() -> None:
    assert deductible_fen(100_000, 500_000, 120_000, LEGAL_CAP_BP) == 100_000
    assert deductible_fen(100_000, 400_000, 120_000, LEGAL_CAP_BP) == 80_000
    assert deductible_fen(100_000, 400_000, 30_000, LEGAL_CAP_BP) == 30_000
    assert deductible_fen(100_000, 400_000, -1, LEGAL_CAP_BP) == 0
    assert deductible_fen(100_000, 4, 99_999, LEGAL_CAP_BP) == 0  # rounded down


@given(
    st.integers(0, 10**9), st.integers(0, 10**9), st.integers(-(10**9), 10**9), st.integers(0, 2000)
)
def test_a_deduction_is_never_more_than_any_bound(
    balance: int, gross: int, room: int, cap_bp: int
) -> None:
    fen = deductible_fen(balance, gross, room, cap_bp)
    assert 0 <= fen <= balance
    assert fen * 10_000 <= gross * cap_bp
    assert fen <= max(0, room)
