"""Money: shares add up to the fen, and nobody's share depends on the order of a list."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.limits import AMOUNT_FEN_MAX
from agreed.money import MoneyError, scaled, split, yuan

pools = st.integers(-AMOUNT_FEN_MAX, AMOUNT_FEN_MAX)
weight_maps = st.dictionaries(st.text(max_size=8), st.integers(0, 10**9), min_size=1).filter(
    lambda weights: sum(weights.values()) > 0
)


@given(pools, weight_maps)
def test_shares_sum_to_the_pool_and_are_within_one_fen(
    pool_fen: int, weights: dict[str, int]
) -> None:
    shares = split(pool_fen, weights)
    total = sum(weights.values())
    assert sum(shares.values()) == pool_fen
    assert list(shares) == list(weights)
    assert all(abs(shares[k] * total - pool_fen * w) < total for k, w in weights.items())


@given(pools, weight_maps, st.randoms())
def test_the_order_of_the_payees_changes_nothing(
    pool_fen: int, weights: dict[str, int], dice: random.Random
) -> None:
    shuffled = list(weights.items())
    dice.shuffle(shuffled)
    assert split(pool_fen, dict(shuffled)) == split(pool_fen, weights)


@given(pools, weight_maps, st.integers(1, 1000))
def test_the_scale_of_the_weights_changes_nothing(
    pool_fen: int, weights: dict[str, int], factor: int
) -> None:
    assert split(pool_fen, {k: w * factor for k, w in weights.items()}) == split(pool_fen, weights)


@given(pools, weight_maps)
def test_a_reversal_is_the_exact_mirror(pool_fen: int, weights: dict[str, int]) -> None:
    back = split(-pool_fen, weights)
    assert {k: -v for k, v in back.items()} == split(pool_fen, weights)


def test_equal_remainders_are_served_by_the_digest_of_the_key() -> None:
    # SHA-256: "c" 2e7d…, "b" 3e23…, "a" ca97…
    assert split(100, {"a": 1, "b": 1, "c": 1}) == {"a": 33, "b": 33, "c": 34}
    assert split(200, {"a": 1, "b": 1, "c": 1}) == {"a": 66, "b": 67, "c": 67}


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": -1, "b": 2}])
def test_weights_that_cannot_share_are_refused(weights: dict[str, int]) -> None:
    with pytest.raises(MoneyError, match="weight"):
        split(100, weights)


def test_too_large_an_amount_is_refused() -> None:
    with pytest.raises(MoneyError, match="amount_fen"):
        split(AMOUNT_FEN_MAX + 1, {"a": 1})
    with pytest.raises(MoneyError, match="amount_fen"):
        scaled(-AMOUNT_FEN_MAX - 1, 1)


@pytest.mark.parametrize(
    ("amount_fen", "rate_bp", "expected_fen"),
    [(1, 5000, 0), (3, 5000, 2), (5, 5000, 2), (-3, 5000, -2), (999, 10_000, 999), (1, 15_000, 2)],
)
def test_scaling_rounds_half_to_even_and_mirrors(
    amount_fen: int, rate_bp: int, expected_fen: int
) -> None:
    assert scaled(amount_fen, rate_bp) == expected_fen


def test_a_negative_rate_is_refused() -> None:
    with pytest.raises(MoneyError, match="rate_bp"):
        scaled(100, -1)


@pytest.mark.parametrize(
    ("amount_fen", "text"),
    [(0, "0.00"), (5, "0.05"), (123_456_789, "1,234,567.89"), (-123_405, "-1,234.05")],
)
def test_yuan_is_written_with_two_decimals(amount_fen: int, text: str) -> None:
    assert yuan(amount_fen) == text
