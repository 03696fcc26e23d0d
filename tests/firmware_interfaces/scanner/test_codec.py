from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.scanner.codec import BEEPS, CodeReader
from tests.firmware_interfaces.vectors import vectors

VECTORS = vectors("scanner")
LENGTH_MAX = 20

texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6)
streams = st.lists(
    st.one_of(texts.map(lambda text: text.encode() + b"\r\n"), st.binary(max_size=30)), max_size=8
).map(b"".join)


@pytest.mark.parametrize("case", VECTORS["codes"], ids=lambda case: case["hex"])
def test_codes_in_factory_state(case: dict[str, Any]) -> None:
    assert CodeReader("cr_lf", 64).feed(bytes.fromhex(case["hex"])) == case["codes"]


@pytest.mark.parametrize("case", VECTORS["beeps"], ids=lambda case: case["hex"])
def test_beeps_are_those_of_the_manuals(case: dict[str, Any]) -> None:
    assert BEEPS[case["beeps"]][0 if case["is_good"] else 1].hex() == case["hex"]


@pytest.mark.parametrize(
    ("ends", "data", "codes"),
    [
        ("cr", b"A\rB\n\rC\n", ["A", "B"]),
        ("lf", b"A\r\nB\nC\r", ["A", "B"]),
        ("cr_lf", b"\r\n\r\nA\n\n", ["A"]),
        ("silence", b"A\rB\n", []),
    ],
)
def test_what_ends_a_code(ends: str, data: bytes, codes: list[str]) -> None:
    assert CodeReader(ends, 64).feed(data) == codes


def test_silence_ends_what_is_held() -> None:
    reader = CodeReader("silence", 64)
    assert reader.is_empty
    assert reader.feed(b"CODE\r\n") == []
    assert reader.flush() == ["CODE"]
    assert reader.flush() == []


@pytest.mark.parametrize(
    "garbled",
    [b"\xff\xfe", b"A\x00B", b"A\x1bB", b"\xe5\x8c", b"A" * (LENGTH_MAX + 1), "A\u202eB".encode()],
    ids=str,
)
def test_garbled_codes_are_dropped_whole_and_counted(garbled: bytes) -> None:
    reader = CodeReader("cr_lf", LENGTH_MAX)
    assert reader.feed(b"A\r" + garbled + b"\rB\r") == ["A", "B"]
    assert reader.garbled_count == 1


@given(streams, st.lists(st.integers(0, 200), max_size=6))
def test_any_split_gives_the_same_codes(stream: bytes, cuts: list[int]) -> None:
    whole = CodeReader("cr_lf", LENGTH_MAX).feed(stream)
    reader, found, at = CodeReader("cr_lf", LENGTH_MAX), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        found += reader.feed(stream[at:cut])
        at = max(at, cut)
    assert found == whole


@given(texts, st.integers(0, 100))
def test_a_truncated_code_asks_for_more(text: str, cut: int) -> None:
    data = text.encode() + b"\r"
    cut %= len(data)
    reader = CodeReader("cr_lf", 64)
    assert reader.feed(data[:cut]) == []
    assert reader.feed(data[cut:]) == [text]


@given(st.binary(max_size=500))
def test_hostile_bytes_give_bounded_printable_codes_or_nothing(data: bytes) -> None:
    reader = CodeReader("cr_lf", LENGTH_MAX)
    for code in [*reader.feed(data), *reader.flush()]:
        assert code.isprintable()
        assert 0 < len(code.encode()) <= LENGTH_MAX
    assert len(reader._held) <= LENGTH_MAX
