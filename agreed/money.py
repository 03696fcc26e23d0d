"""Whole fen, exactly: shares that add up, and rounding that favours nobody."""

from collections.abc import Mapping
from hashlib import sha256

from agreed.limits import AMOUNT_FEN_MAX, BASIS_POINTS


class MoneyError(ValueError):
    """An amount cannot be split or scaled as asked; the message says why."""


def split(pool_fen: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Share a pool by weight with the largest-remainder method, to the fen.

    Each share differs from its exact value by less than one fen and the shares sum to the pool.
    Left-over fen go to the largest remainders; equal remainders are served in the order of the
    SHA-256 of the payee's key, so the result depends on neither list order nor names' spelling
    order. A negative pool is the exact mirror of the positive one: a reversal cancels to the fen.

    Args:
        pool_fen: fen, |pool_fen| <= AMOUNT_FEN_MAX.
        weights: payee's key to weight, each >= 0, at least one > 0.

    Returns:
        fen for every key of `weights`, in the same order.

    Raises:
        MoneyError: no weights, a negative weight, a sum of zero, or too large a pool.

    Source: mission, Formulas, Pool and rounding.
    """
    _check_amount(pool_fen)
    total = sum(weights.values())
    if min(weights.values(), default=-1) < 0 or total == 0:
        raise MoneyError("weights: give at least one payee a weight above 0, and none below 0")
    sign = -1 if pool_fen < 0 else 1
    exact = {key: divmod(abs(pool_fen) * weight, total) for key, weight in weights.items()}
    left_over = abs(pool_fen) - sum(whole for whole, _ in exact.values())
    served = sorted(exact, key=lambda key: (-exact[key][1], sha256(key.encode()).digest()))
    extra = set(served[:left_over])
    return {key: sign * (whole + (key in extra)) for key, (whole, _) in exact.items()}


def scaled(amount_fen: int, rate_bp: int) -> int:
    """Take `rate_bp` basis points of an amount, rounded half to even; mirrored for negatives.

    Raises:
        MoneyError: too large an amount, or a negative rate.
    """
    _check_amount(amount_fen)
    if rate_bp < 0:
        raise MoneyError("rate_bp: must be 0 or more")
    whole, rest = divmod(abs(amount_fen) * rate_bp, BASIS_POINTS)
    whole += rest * 2 > BASIS_POINTS or (rest * 2 == BASIS_POINTS and whole % 2 == 1)
    return -whole if amount_fen < 0 else whole


def yuan(amount_fen: int) -> str:
    """Write fen as yuan with two decimals and thousands separators, e.g. "-1,234.05"."""
    whole, fen = divmod(abs(amount_fen), 100)
    return f"{'-' if amount_fen < 0 else ''}{whole:,}.{fen:02d}"


def _check_amount(amount_fen: int) -> None:
    if abs(amount_fen) > AMOUNT_FEN_MAX:
        raise MoneyError(f"amount_fen: beyond ±{AMOUNT_FEN_MAX}")
