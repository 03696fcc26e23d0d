import pytest
from hypothesis import given, settings

from agreed.words import language
from cloud.settlement.plans import Plan
from cloud.settlement.prose import percent, prose
from tests.cloud.settlement.histories import plans
from tests.cloud.settlement.small_month import WATERFALL, plan, wager


def test_percent_has_no_needless_zeros() -> None:
    assert [percent(bp) for bp in (0, 5, 50, 1_250, 10_000)] == [
        "0 %",
        "0.05 %",
        "0.5 %",
        "12.5 %",
        "100 %",
    ]


def test_a_plan_reads_as_sentences_with_its_numbers() -> None:
    language.set("en")
    said = prose(plan(cap_fen=400_000, wagers=[wager()], site="north"))
    text = " ".join(said)
    assert "holds at site north from 2026-03 on" in text
    assert "the company keeps 30 %" in text
    assert "the front line 45 %" in text
    assert "reconstructed" in text
    assert "Pay by pieces is capped at 4,000.00 yuan a month." in said
    assert "at most 20 % of its commission" in text
    assert "Beyond 50.00 yuan of difference 50 % of it moves" in text
    assert "Signed by boss (company), s-1 (senior manager)." in said


def test_the_clerk_reads_it_in_chinese() -> None:
    text = "".join(prose(plan(floor_fen=10_000)))
    assert "公司留存 30 %" in text
    assert "重构" in text
    assert "保底" in text


@pytest.mark.parametrize("spoken", ["zh", "en"])
@settings(max_examples=10)
@given(plans())
def test_every_plan_can_be_said_in_whole_sentences(spoken: str, some: Plan) -> None:
    language.set(spoken)
    sentences = prose(some)
    assert all(s.rstrip(")）")[-1] == (".。"[spoken == "zh"]) for s in sentences)
    assert not any("{" in s for s in sentences)


def test_what_a_plan_leaves_out_is_not_said() -> None:
    language.set("en")
    bare = prose(plan(waterfall=WATERFALL | {"income_from": ["cleaning"], "platform_bp": 600}))
    text = " ".join(bare)
    assert "capped" not in text
    assert "Only income from these packs is shared: cleaning." in text
    assert "6 % goes to the platform" in text
