import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.codes import CODE_LENGTH_MAX, LETTERS, REMAINDER, is_whole, remainder, with_check
from tests.firmware_interfaces.vectors import vectors

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CASES = vectors("bech32m")

bodies = st.text(LETTERS, min_size=1, max_size=12)


def published_remainder(text: str) -> int:
    """The remainder of a Bech32m string, its readable part spread out as BIP-173 says."""
    head, _, tail = text.lower().rpartition("1")
    high, low = [ord(c) >> 5 for c in head], [ord(c) & 31 for c in head]
    return remainder([*high, 0, *low, *(BECH32.index(c) for c in tail)])


@pytest.mark.parametrize("text", CASES["valid"])
def test_published_strings_are_whole(text: str) -> None:
    assert published_remainder(text) == REMAINDER


@pytest.mark.parametrize("text", CASES["invalid"])
def test_published_wrong_strings_are_not(text: str) -> None:
    assert published_remainder(text) != REMAINDER


@given(bodies)
def test_a_code_with_its_check_is_whole(body: str) -> None:
    code = with_check(body)
    assert code.startswith(body)
    assert is_whole(code)


@given(bodies, st.data())
def test_up_to_four_wrong_letters_are_noticed(body: str, data: st.DataObject) -> None:
    letters = list(with_check(body))
    places = data.draw(st.sets(st.integers(0, len(letters) - 1), min_size=1, max_size=4))
    for place in places:
        others = [letter for letter in LETTERS if letter != letters[place]]
        letters[place] = data.draw(st.sampled_from(others))
    assert not is_whole("".join(letters))


@given(bodies, st.integers(0, 500))
def test_a_flipped_bit_or_a_lost_byte_is_noticed(body: str, bit: int) -> None:
    code = with_check(body).encode()
    spoiled = bytearray(code)
    spoiled[bit // 8 % len(code)] ^= 1 << bit % 8
    assert not is_whole(spoiled.decode("latin-1"))
    assert not is_whole(code[:-1].decode())


@given(st.text(max_size=100))
def test_any_text_may_be_asked_about(text: str) -> None:
    is_whole(text)


def test_what_is_too_short_or_too_long_is_no_code() -> None:
    assert not is_whole(with_check("A")[1:])
    assert is_whole(with_check("A" * (CODE_LENGTH_MAX - 6)))
    assert not is_whole(with_check("A" * (CODE_LENGTH_MAX - 5)))
