from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cloud.settlement.waterfall import (
    INCOME,
    NEW_PROFIT,
    POOL,
    RETAINED,
    Refund,
    refunded,
    waterfall,
)
from tests.cloud.world import CLEANING


def balances(moves: list[object]) -> Counter[str]:
    held: Counter[str] = Counter()
    for move in moves:
        held[move.debit.name] -= move.amount_fen  # type: ignore[attr-defined]
        held[move.credit.name] += move.amount_fen  # type: ignore[attr-defined]
    return held


def test_the_price_runs_down_to_the_pool() -> None:
    moves = waterfall(CLEANING, 3, "o-1", 19_900, 7)
    assert {m.credit.name: m.amount_fen for m in moves} == {
        "income": 19_900,
        "supplier:clean-co": 6_000,
        "platform": 1_194,
        "new_profit": 12_706,
        "pool": 6_353,
        "retained": 6_353,
    }
    assert moves[0].reason == {"pack": "cleaning", "pack_version": 3, "income_fen": 19_900}
    assert len({m.key for m in moves}) == len(moves)


@given(income=st.integers(0, 10**9), pool_bp=st.integers(0, 10_000), bp=st.integers(0, 10_000))
def test_no_fen_is_made_or_lost(income: int, pool_bp: int, bp: int) -> None:
    pack = CLEANING.model_copy(update={"pool_bp": pool_bp, "platform_bp": bp})
    moves = waterfall(pack, 1, "o", income, 0)
    held = balances(list(moves))
    assert sum(held.values()) == 0
    assert held[INCOME.name] == held[NEW_PROFIT.name] == 0
    assert held["residents"] == -income
    assert abs(held[POOL.name] * 10_000 - pool_bp * (held[POOL.name] + held[RETAINED.name])) < 10**4
    assert all(m.amount_fen > 0 for m in moves)


@given(income=st.integers(0, 10**6))
def test_a_refund_in_full_is_the_exact_mirror(income: int) -> None:
    moves = waterfall(CLEANING, 1, "o", income, 0)
    back = refunded(CLEANING, 1, Refund("o", 1, income, 0, income, "why"), 9)
    assert [(m.debit, m.credit, m.amount_fen) for m in back] == [
        (m.credit, m.debit, m.amount_fen) for m in reversed(moves)
    ]
    assert all(m.kind == "income_reversal" and m.at_ms == 9 for m in back)
    assert not {m.key for m in moves} & {m.key for m in back}


@given(parts=st.lists(st.integers(0, 10**6), min_size=1, max_size=4), held=st.integers(0, 10**4))
def test_refunds_in_parts_leave_what_a_smaller_income_brings(parts: list[int], held: int) -> None:
    left, income = parts[-1], sum(parts)
    moves = waterfall(CLEANING, 1, "o", income, 0)
    before = income
    for number, part in enumerate(parts[:-1], start=1):
        refund = Refund("o", number, before, before - part, held, "why")
        moves += refunded(CLEANING, 1, refund, number)
        before -= part
    assert len({m.key for m in moves}) == len(moves)
    found, wanted = balances(list(moves)), balances(list(waterfall(CLEANING, 1, "o", left, 0)))
    # What the supplier no longer held the company bore.
    borne = found["supplier:clean-co"] - wanted["supplier:clean-co"]
    assert borne >= 0
    wanted["supplier:clean-co"] += borne
    wanted["retained"] -= borne
    assert {name: fen for name, fen in found.items() if fen} == {
        name: fen for name, fen in wanted.items() if fen
    }
