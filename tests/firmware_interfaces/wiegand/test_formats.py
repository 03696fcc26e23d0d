from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.wiegand.codec import Bits
from firmware_interfaces.wiegand.formats import (
    FORMATS,
    Format,
    Parity,
    card_value,
    framed,
    key_value,
    whole_frame,
)
from tests.firmware_interfaces.vectors import vectors

names = st.sampled_from(sorted(FORMATS))


@pytest.mark.parametrize("case", vectors("wiegand")["frames"], ids=lambda case: case["what"])
def test_parity_stands_where_the_makers_put_it(case: dict[str, Any]) -> None:
    form = FORMATS[case["format"]]
    frame = framed(Bits(form.data_bits, case["data"]), form)
    assert frame is not None
    assert card_value(frame) == case["value"]
    assert whole_frame(frame, form) == frame


@given(names, st.integers(0))
def test_data_and_whole_frames_of_one_card_are_the_same_card(name: str, number: int) -> None:
    form = FORMATS[name]
    frame = framed(Bits(form.data_bits, number % (1 << form.data_bits)), form)
    assert frame is not None
    assert whole_frame(Bits(40, frame.number), form) == frame
    for bit in range(form.bits):
        assert whole_frame(Bits(form.bits, frame.number ^ 1 << bit), form) is None


def test_a_number_that_does_not_fit_is_no_card() -> None:
    assert framed(Bits(32, 1 << 24), FORMATS["26"]) is None
    assert whole_frame(Bits(28, 1 << 26), FORMATS["26"]) is None


def test_a_free_format() -> None:
    form = Format(9, (Parity(9, 1, 8, is_odd=True),))
    assert framed(Bits(8, 0b1100_0001), form) == Bits(9, 0b1100_0001_0)
    assert whole_frame(Bits(9, 0b1100_0001_1), form) is None


@pytest.mark.parametrize(
    ("count", "number", "key"),
    [
        (4, 0, "0"),
        (4, 9, "9"),
        (4, 10, "*"),
        (4, 11, "#"),
        (4, 12, ""),
        (8, 0xE1, "1"),
        (8, 0xE2, ""),
        (26, 1, ""),
    ],
)
def test_keys(count: int, number: int, key: str) -> None:
    assert key_value(Bits(count, number)) == key
