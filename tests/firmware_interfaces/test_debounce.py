import itertools

from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.debounce import Debounced
from tests.firmware_interfaces.worlds import at_ms


def test_a_value_counts_when_it_stayed() -> None:
    one = Debounced(60)
    assert not one.sample(True, at_ms(0))
    assert not one.sample(True, at_ms(50))
    assert one.sample(True, at_ms(100))
    assert one.value is True
    assert not one.sample(True, at_ms(150))


def test_chatter_begins_the_time_again() -> None:
    one = Debounced(60)
    for ms, value in ((0, True), (50, False), (80, True), (130, True)):
        assert not one.sample(value, at_ms(ms))
    assert one.sample(True, at_ms(140))


def test_one_sample_is_never_enough() -> None:
    one = Debounced(0)
    assert not one.sample(True, at_ms(0))
    assert one.sample(True, at_ms(0))
    one.forget()
    assert one.value is None


@given(st.lists(st.booleans(), max_size=60))
def test_changes_alternate_and_end_with_what_stayed(samples: list[bool]) -> None:
    one, changes = Debounced(30), []
    for number, value in enumerate([*samples, *[True] * 6]):
        if one.sample(value, at_ms(10 * number)):
            changes.append(one.value)
    assert one.value is True
    assert all(first is not second for first, second in itertools.pairwise(changes))
