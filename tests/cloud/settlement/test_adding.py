import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.settlement.adding import TooLargeError, add_nodes, add_orders, divided
from cloud.settlement.bands import half_even
from cloud.settlement.past import to_past
from cloud.settlement.profit import take
from cloud.settlement.terms import Waterfall
from tests.cloud.settlement.small_month import WATERFALL, earning, facts, order, plan


@given(st.lists(st.integers(0, 10**15), min_size=1), st.integers(1, 20_000))
def test_arrays_round_as_numbers_do(numbers: list[int], divisor: int) -> None:
    divided_ = divided(np.array(numbers, dtype=np.int64), divisor).tolist()
    assert divided_ == [half_even(number, divisor) for number in numbers]


def test_rows_of_one_seat_add_up_across_chunks() -> None:
    past = to_past([facts(*(earning(f"o-{i}", "w-1") for i in range(50)))])
    sums = add_nodes(plan(), past)
    assert sums.piece_fen.tolist() == [125_000]
    assert sums.nodes.tolist() == sums.rated.tolist() == sums.pieces.tolist() == [50]


@pytest.mark.parametrize("change", [{}, {"platform_bp": 777}, {"income_from": ["repair"]}])
def test_orders_add_up_as_they_do_one_by_one(change: dict[str, object]) -> None:
    waterfall = Waterfall.model_validate(WATERFALL | {"tax_bp": 333} | change)
    orders = tuple(
        order(f"o-{i}", 19_999 + i, pack=("cleaning", "repair")[i % 2]) for i in range(9)
    )
    past = to_past([facts(orders=orders)])
    assert add_orders(waterfall, past.orders, past.packs) == take(waterfall, orders)


def test_amounts_beyond_64_bits_are_refused() -> None:
    past = to_past([facts(earning("o-1", "w-1"))])
    huge = plan(rates=[{"pack": "cleaning", "node": "finish", "rate_fen": 10**15}])
    with pytest.raises(TooLargeError, match="month by month"):
        add_nodes(huge, past)
