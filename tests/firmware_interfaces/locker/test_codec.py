from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.locker.codec import (
    STATUS_BYTES,
    BoardStatus,
    StatusReader,
    ask_status,
    frame,
    open_lock,
)
from firmware_interfaces.locker.kinds import KINDS
from simulators.devices.locker_boards import TONGUES
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


BOARDS = vectors("locker_boards")
SUMMED_KINDS = ["locker_cu16", "locker_cu48", "locker_xor", "locker_wkly"]


@st.composite
def replies(draw: st.DrawFn, kind: str) -> tuple[bytes, BoardStatus]:
    tongue = TONGUES[kind]
    board = draw(st.integers(1, 15))
    closed = draw(st.integers(0, (1 << tongue.locks_count) - 1))
    lock = draw(st.integers(0, tongue.locks_count - 1))
    told = 1 << lock if kind == "locker_winnsen" else (1 << tongue.locks_count) - 1
    return tongue.status(board, closed, lock), BoardStatus(board, closed & told, told)


def read(kind: str, data: bytes) -> list[BoardStatus]:
    return StatusReader(KINDS[kind].replies).feed(data)


@pytest.mark.parametrize("case", BOARDS["requests"], ids=lambda case: case["hex"])
def test_requests_to_every_kind_are_those_of_other_drivers(case: dict[str, Any]) -> None:
    kind, lock = KINDS[case["kind"]], case.get("lock", 0)
    build = kind.open_lock if case["act"] == "open" else kind.ask_status
    assert build(case["board"], lock).hex() == case["hex"]


@pytest.mark.parametrize("case", BOARDS["statuses"], ids=lambda case: case["what"])
def test_statuses_of_every_kind(case: dict[str, Any]) -> None:
    found = read(case["kind"], bytes.fromhex(case["hex"]))
    wanted = [] if case["closed"] is None else [(case["board"], case["closed"])]
    assert [(status.board, status.hooks) for status in found] == wanted


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_a_board_says_is_read_in_any_split(kind: str, data: st.DataObject) -> None:
    reply, wanted = data.draw(replies(kind))
    for cut in range(len(reply)):
        reader = StatusReader(KINDS[kind].replies)
        assert reader.feed(reply[:cut]) == []
        assert reader.feed(reply[cut:]) == [wanted]


@pytest.mark.parametrize("kind", SUMMED_KINDS)
@given(data=st.data())
def test_one_flipped_bit_is_never_believed_by_any_kind_with_a_sum(
    kind: str, data: st.DataObject
) -> None:
    reply, _ = data.draw(replies(kind))
    for bit in range(len(reply) * 8):
        spoiled = bytearray(reply)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert read(kind, bytes(spoiled)) == []


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.binary(max_size=300))
def test_hostile_bytes_do_no_harm_to_any_kind(kind: str, data: bytes) -> None:
    reader = StatusReader(KINDS[kind].replies)
    for status in reader.feed(data):
        assert not status.hooks & ~status.told or kind == "locker_cu16"
    assert len(reader._rest) < 48
