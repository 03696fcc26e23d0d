import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agreed.words import language
from cloud.settlement.wagers import Wager, due_fen, payoff_fen
from tests.cloud.settlement.small_month import TARGETS, wager

TERMS = Wager.model_validate(wager())


@pytest.mark.parametrize(
    ("actual_fen", "payoff"),
    [
        (105_000, 0),  # inside the dead band, both ends
        (95_000, 0),
        (105_002, 1),
        (125_000, 10_000),
        (500_000, 30_000),  # the collar
        (75_000, -10_000),
        (-900_000, -20_000),
    ],
)
def test_only_what_lies_beyond_the_dead_band_moves_within_the_collar(
    actual_fen: int, payoff: int
) -> None:
    assert payoff_fen(TERMS, "2026-03", actual_fen) == payoff


def test_periods_count_together() -> None:
    # 125,000 in March paid 10,000. With 65,000 in April: 190,000 against 200,000.
    assert payoff_fen(TERMS, "2026-04", 190_000) == -2_500
    assert due_fen(TERMS, -2_500, 10_000) == 0
    gives_back = Wager.model_validate(wager(gives_back=True))
    assert due_fen(gives_back, -2_500, 10_000) == -12_500


def test_a_compensation_is_in_proportion_and_counts_nothing_twice() -> None:
    terms = Wager.model_validate(wager(mode="compensation", up_fen=0))
    march = payoff_fen(terms, "2026-03", 60_000)  # short by 40,000 of 200,000
    assert march == -4_000
    april = payoff_fen(terms, "2026-04", 140_000)  # short by 60,000 together
    assert due_fen(terms, april, march) == -2_000
    assert payoff_fen(terms, "2026-04", -(10**9)) == -20_000
    assert payoff_fen(terms, "2026-04", 10**9) == 0


@given(st.lists(st.integers(-300_000, 300_000), min_size=2, max_size=2), st.booleans())
def test_what_is_paid_adds_up_to_the_last_payoff_or_stays(actual: list[int], back: bool) -> None:
    terms = Wager.model_validate(wager(gives_back=back))
    paid = total = 0
    for target, fen in zip(TARGETS, actual, strict=True):
        total += fen
        payoff = payoff_fen(terms, str(target["period"]), total)
        before, paid = paid, paid + due_fen(terms, payoff, paid)
        assert -20_000 <= paid <= 30_000
        assert back is False or paid == payoff
        assert back or before * (paid - before) >= 0  # never against what was paid


def test_escrows_hold_what_may_still_be_paid() -> None:
    assert TERMS.stakes_fen(0) == (30_000, 20_000)
    assert TERMS.stakes_fen(10_000) == (20_000, 20_000)
    assert TERMS.stakes_fen(-5_000) == (30_000, 15_000)
    assert TERMS.promised_fen("2026-05") is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"signatures": []}, "signatures: company has not signed"),
        ({"up_fen": 40_000}, "signatures: company signed other terms"),
        ({"targets": TARGETS[::-1]}, "targets: name each month once"),
        ({"targets": [{"period": "2026-13", "target_fen": 1}]}, "period: write the month"),
        ({"mode": "compensation"}, "up_fen: a compensation"),
    ],
)
def test_a_wager_is_signed_as_it_stands(change: dict[str, object], named: str) -> None:
    language.set("en")
    with pytest.raises(ValidationError, match=named):
        Wager.model_validate(wager() | change)


def test_signing_says_what_was_signed() -> None:
    assert Wager.model_validate(wager()).terms_hash() == TERMS.terms_hash()
    assert Wager.model_validate(wager(up_fen=1)).terms_hash() != TERMS.terms_hash()
