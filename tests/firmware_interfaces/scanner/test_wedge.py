import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.scanner.codec import CodeReader
from firmware_interfaces.scanner.wedge import EVENT, LAYOUTS, WedgeReader
from simulators.devices.wedge_scanner import ENTER, KEYS, SHIFTED, event, keys, press

letters = "".join([*KEYS, *SHIFTED]) + "ABCXYZ"
texts = st.text(st.sampled_from(letters), min_size=1, max_size=12).filter(str.strip)


def reader(layout: str = "us") -> WedgeReader:
    return WedgeReader(CodeReader("cr_lf", 40), layout)


@given(texts, st.integers(1, 40))
def test_a_typed_code_is_read_in_any_split(text: str, size: int) -> None:
    data = keys(text) + press(ENTER)
    one, found = reader(), []
    for at in range(0, len(data), size):
        found += one.feed(data[at : at + size])
    assert found == [text]
    assert one.is_empty


def test_every_truncation_asks_for_more() -> None:
    data = keys("Parcel-1") + event(1, ENTER, 1)
    for cut in range(0, len(data), 7):
        one = reader()
        assert one.feed(data[:cut]) == []
        assert one.feed(data[cut:]) == ["Parcel-1"]


@pytest.mark.parametrize(
    ("layout", "codes", "text"),
    [
        ("us", [21, 44, 12], "yz-"),
        ("de", [21, 44, 12], "zyß"),
        ("us", [71, 82, 83], "70."),
        ("de", [86], "<"),
        ("us", [86, 30], "a"),  # a key that this layout does not have
    ],
)
def test_layouts(layout: str, codes: list[int], text: str) -> None:
    data = b"".join(press(code) for code in codes) + press(96)
    assert reader(layout).feed(data) == [text]


def test_a_shift_that_was_let_go_and_a_held_key_do_nothing() -> None:
    one = reader()
    one.feed(event(1, 54, 1) + event(1, 54, 0) + event(1, 30, 1) + event(1, 30, 2) + press(48))
    assert one.feed(press(ENTER)) == ["ab"]


def test_silence_ends_a_code_and_long_ones_are_dropped() -> None:
    one = reader()
    one.feed(keys("abc"))
    assert one.flush() == ["abc"]
    assert one.feed(keys("a" * 41) + press(ENTER)) == []
    assert one.garbled_count == 1


@given(st.binary(max_size=300))
def test_hostile_bytes_neither_raise_nor_pile_up(data: bytes) -> None:
    one = reader()
    assert all(code.isprintable() for code in one.feed(data))
    assert len(one._rest) < EVENT.size


def test_layouts_are_whole() -> None:
    assert set(KEYS.values()) <= set(LAYOUTS["us"])
