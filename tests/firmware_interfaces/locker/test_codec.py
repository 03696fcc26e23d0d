from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.locker.codec import (
    STATUS_BYTES,
    StatusReader,
    ask_status,
    frame,
    open_lock,
)
from tests.firmware_interfaces.vectors import vectors

VECTORS = vectors("kr_cu16")

statuses = st.builds(
    lambda board, hooks, objects: frame(
        board << 4, 0x35, hooks.to_bytes(2, "little") + objects.to_bytes(2, "little")
    ),
    st.integers(0, 15),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
)
streams = st.lists(st.one_of(statuses, st.binary(max_size=12)), max_size=8).map(b"".join)


def test_requests_are_those_of_other_drivers() -> None:
    for case in VECTORS["ask_status"]:
        assert ask_status(case["board"]).hex() == case["hex"]
    for case in VECTORS["open_lock"]:
        assert open_lock(case["board"], case["lock"]).hex() == case["hex"]
    for case in VECTORS["frames"]:
        assert frame(case["address"], case["command"]).hex() == case["hex"]


@pytest.mark.parametrize("case", VECTORS["status"], ids=lambda case: case["what"])
def test_statuses_are_read_as_other_drivers_read_them(case: dict[str, Any]) -> None:
    found = StatusReader().feed(bytes.fromhex(case["hex"]))
    assert [status.hooks for status in found] == case["hooks"]


@given(streams, st.lists(st.integers(0, 100), max_size=6))
def test_any_split_gives_the_same_statuses(stream: bytes, cuts: list[int]) -> None:
    whole = StatusReader().feed(stream)
    reader, found, at = StatusReader(), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        found += reader.feed(stream[at:cut])
        at = max(at, cut)
    assert found == whole


@given(statuses, st.integers(1, STATUS_BYTES - 1))
def test_a_truncated_status_asks_for_more(status: bytes, length: int) -> None:
    reader = StatusReader()
    assert reader.feed(status[:length]) == []
    assert len(reader.feed(status[length:])) == 1


@given(statuses, st.integers(0, STATUS_BYTES * 8 - 1))
def test_one_flipped_bit_is_never_believed(status: bytes, bit: int) -> None:
    spoiled = bytearray(status)
    spoiled[bit // 8] ^= 1 << bit % 8
    assert StatusReader().feed(bytes(spoiled)) == []


@given(st.binary(max_size=300))
def test_hostile_bytes_neither_raise_nor_pile_up(data: bytes) -> None:
    reader = StatusReader()
    reader.feed(data)
    assert len(reader._rest) < STATUS_BYTES
