"""Everything on a run has a word."""

import pytest

from agreed.words import language
from cloud.office.run_words import (
    empty_word,
    nothing_word,
    over_word,
    rounding_word,
    rule_word,
    stake_word,
    status_word,
    step_word,
    why,
)
from cloud.settlement.releasing import Over
from cloud.settlement.results import Nothing, Rounding
from cloud.settlement.running import RunLine


@pytest.fixture(autouse=True)
def _english() -> None:
    language.set("en")


def test_every_status_has_a_word() -> None:
    steps = {step_word(s) for s in ("previewed", "reviewed", "approved", "posted", "paid")}
    assert len(steps) == 5
    for status in ("previewed", "reviewed", "approved", "posted", "paid", "discarded"):
        assert status_word(status)
    assert rule_word("deduction") == "deduction"
    assert rule_word("override") == "override"
    assert rule_word("restated:2026-03/pool:star") == "2026-03 restated: bonus pool · star"


def test_every_reason_has_a_word() -> None:
    codes = ("no_account", "pool_short", "too_old", "all_missed", "nothing_pays", "all_open")
    assert len({empty_word(c) for c in (*codes, "no_promises", "no_plan", "nothing_moved")}) == 9
    apart = {Nothing.OUT_OF_TERM, Nothing.PROTECTED}  # no line of a run says these
    assert all(" " in nothing_word(n) for n in set(Nothing) - apart)
    assert len({rounding_word(rounding) for rounding in Rounding}) == len(Rounding)
    assert all(" " in over_word(over) for over in Over)
    assert {stake_word(1, "bank"), stake_word(-1, "bank"), stake_word(-1, "retained")} == {
        "put in",
        "given back",
        "lost to the company",
    }


def test_a_line_says_its_cause_its_rounding_and_what_is_carried_forward() -> None:
    inputs = {"refunded": ["o-1", "o-2"], "refunded_count": 5, "rounding": "exact"}
    line = RunLine("commission:w-1", "piece", 1, "", inputs | {"carried_forward_fen": 150})
    assert why(line) == "exact · refunded: o-1, o-2 +3 · 1.50 yuan are carried forward"
