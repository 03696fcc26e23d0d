"""Largest remainder: 100,000 random pools are shared as an independent program shares them."""

import random

from apportionment.methods import largest_remainder

from agreed.money import split

POOLS = 100_000


def is_tied(pool_fen: int, weights: list[int]) -> bool:
    """Say whether equal remainders compete for the last fen: there every tie rule is right."""
    total = sum(weights)
    rests = sorted((pool_fen * weight % total for weight in weights), reverse=True)
    left = sum(rests) // total
    return 0 < left < len(rests) and rests[left - 1] == rests[left]


def test_pools_are_shared_as_elsewhere() -> None:
    dice = random.Random(20_260_306)
    tied = 0
    for _ in range(POOLS):
        # Small enough for the peer's floating point to tell remainders apart.
        weights = [dice.randrange(100_000) + 1 for _ in range(dice.randrange(2, 7))]
        pool_fen = dice.randrange(1, 10_000_000)
        ours = split(pool_fen, {str(i): weight for i, weight in enumerate(weights)})
        assert sum(ours.values()) == pool_fen
        if is_tied(pool_fen, weights):
            tied += 1
            continue
        assert list(ours.values()) == largest_remainder(weights, pool_fen)
    assert tied < POOLS // 1_000
