from dataclasses import replace

import pytest

from agreed.promises import Verdict
from cloud.dashboards import explaining
from cloud.database.views import Counts, LineView
from cloud.settlement.reasons import Reason

REASON = Reason(
    order_id="R1",
    node="finish",
    pack="repair",
    pack_version=2,
    name_zh="验收",
    name_en="Accepted",
    revision=1,
    verdict="late",
    promised_at_ms=0,
    tolerance_ms=600_000,
    hard_ms=3_600_000,
    actual_at_ms=692_700,
    bound_ms=400,
    deviation_ms=692_700,
    score_bp=9_691,
    rate_fen=1_995,
    amount_fen=1_933,
    formula="",
    covered_until_ms=0,
    evidence=None,
)
LINE = LineView(
    site="a",
    worker="w",
    order_id="R1",
    node="finish",
    revision=1,
    kind="pay",
    status="posted",
    verdict=Verdict.LATE,
    amount_fen=1_933,
    transfer=3,
    at_ms=0,
    recorded_at_ms=0,
    reason=REASON,
    period="2026-03",
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "(3,600 - 692.7) ÷ (3,600 - 600) = 96.91%"),
        ({"score_bp": 0}, "0%: proven, but after the hard limit"),
        ({"verdict": "missed", "score_bp": 0}, "0%: not done before the hard limit"),
        ({"verdict": "undecidable", "score_bp": 10_000}, "100%: the clock cannot decide"),
        ({"verdict": "kept", "score_bp": 10_000}, "100%: within the tolerance"),
        ({"verdict": "kept", "score_bp": 10_500}, "105%: in time, and credit"),
    ],
)
def test_a_score_is_derived_from_the_promise(change: dict[str, object], words: str) -> None:
    assert explaining.score_words(REASON.model_copy(update=change)).startswith(words)


def test_an_amount_is_derived_and_its_rounding_said() -> None:
    assert explaining.pay_words(LINE) == (
        "19.95 × 96.91% = 19.333545 → 19.33, rounded to whole fen, half to even"
    )
    whole = replace(LINE, amount_fen=1_995, reason=REASON.model_copy(update={"score_bp": 10_000}))
    assert explaining.pay_words(whole) == "19.95 × 100% = 19.95"


def test_a_reversal_ends_in_what_it_takes_back() -> None:
    back = replace(LINE, kind="reversal", amount_fen=-1_933)
    assert explaining.pay_words(back).endswith("→ taken back: -19.33")
    assert explaining.line_word(back) == "taken back"


@pytest.mark.parametrize("status", ["posted", "held", "nothing", "withdrawn"])
def test_every_status_has_a_word(status: str) -> None:
    assert explaining.line_word(replace(LINE, status=status)) != status or status in {
        "posted",
        "withdrawn",
    }


def test_sums_leave_out_what_is_not_in_the_books() -> None:
    assert explaining.posted([LINE, replace(LINE, status="held")]) == 1_933
    assert explaining.totals(Counts(1, 2, 3, 4, 5)) == 15
