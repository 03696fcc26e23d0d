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
    ],
)
def test_layouts(layout: str, codes: list[int], text: str) -> None:
    data = b"".join(press(code) for code in codes) + press(96)
    assert reader(layout).feed(data) == [text]


CAPS_LOCK, CTRL, ALT_GR, TAB, A, B = 58, 29, 100, 15, 30, 48


def test_a_shift_that_was_let_go_and_a_held_key_do_nothing() -> None:
    one = reader()
    one.feed(event(1, 54, 1) + event(1, 54, 0) + event(1, A, 1) + event(1, A, 2) * 9 + press(B))
    assert one.feed(event(1, ENTER, 1) + event(1, ENTER, 2) * 9) == ["ab"]


def test_a_shift_that_is_down_at_the_grab_counts_from_its_next_press_on() -> None:
    one = reader()
    one.feed(press(A) + event(1, 42, 0) + press(A) + event(1, 42, 1) + press(A))
    assert one.feed(press(ENTER)) == ["aaA"]


def test_two_shifts_are_two() -> None:
    one = reader()
    one.feed(event(1, 42, 1) + event(1, 54, 1) + event(1, 42, 0) + press(A))
    assert one.feed(event(1, 54, 0) + press(A) + press(ENTER)) == ["Aa"]


def test_caps_lock_turns_letters_and_nothing_else() -> None:
    one = reader()
    typed = press(CAPS_LOCK) + press(A) + press(2) + event(1, 42, 1) + press(A) + press(2)
    assert one.feed(typed + event(1, 42, 0) + press(CAPS_LOCK) + press(A) + press(ENTER)) == [
        "A1a!a"
    ]
    german = reader("de")
    assert german.feed(press(CAPS_LOCK) + press(26) + press(12) + press(ENTER)) == ["Üß"]


@pytest.mark.parametrize(
    "keys_between",
    [
        press(86),  # a key that this layout does not have
        press(1),  # Escape
        event(1, CTRL, 1) + press(27) + event(1, CTRL, 0),  # a group separator
        event(1, ALT_GR, 1) + press(16) + event(1, ALT_GR, 0),
        event(0, 3, 0),  # the kernel had to drop events
    ],
)
def test_a_code_of_which_a_key_is_not_known_is_dropped_whole(keys_between: bytes) -> None:
    one = reader()
    assert one.feed(keys("AB") + keys_between + keys("CD") + press(ENTER)) == []
    assert one.garbled_count == 1
    assert one.feed(keys("NEXT") + press(ENTER)) == ["NEXT"]


def test_after_dropped_events_no_shift_is_believed_to_be_down() -> None:
    one = reader()
    one.feed(event(1, 42, 1) + event(0, 3, 0) + press(ENTER))
    assert one.feed(keys("ab") + press(ENTER)) == ["ab"]


def test_tab_ends_a_code_too() -> None:
    assert reader().feed(keys("ab") + press(TAB)) == ["ab"]


def test_a_line_without_an_end_is_bounded_and_the_next_code_is_read() -> None:
    one = reader()
    for _ in range(1_000):
        assert one.feed(keys("a" * 100)) == []
    assert one.feed(press(ENTER)) == []
    assert one.garbled_count == 1
    assert one.feed(keys("b") + press(ENTER)) == ["b"]


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
