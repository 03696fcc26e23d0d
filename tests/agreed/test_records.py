"""Records: what they may hold, and that arrays and objects say the same."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed import records
from agreed.limits import TEXT_BYTES_MAX, WALL_MS_MAX
from agreed.records import (
    ClockState,
    Evidence,
    Record,
    RecordError,
    check_text,
    join_columns,
    to_columns,
    to_records,
)


def record(sequence: int = 1, **changes: object) -> Record:
    fields: dict[str, object] = {
        "mono_ns": 5,
        "wall_ms": 1_700_000_000_000,
        "bound_ms": 50,
        "clock_state": ClockState.SYNCED,
        "evidence": Evidence.DEVICE,
        "device": "gate-east",
        "node_kind": "gate_passed",
    }
    return Record(sequence, **(fields | changes))  # type: ignore[arg-type]


def test_columns_give_back_the_records_in_order() -> None:
    records = [record(3, subject="a"), record(4, subject="b"), record(5, subject="a")]
    columns = to_columns(records)
    assert to_records(columns) == records
    assert columns.text("subject") == ["a", "b", "a"]
    assert (len(columns), columns.first_sequence, columns.last_sequence) == (3, 3, 5)


@pytest.mark.parametrize(
    ("records", "named"),
    [
        ([], "at least one"),
        ([record(1), record(3)], "sequence"),
        ([record(0)], "sequence"),
        ([record(mono_ns=-1)], "mono_ns"),
        ([record(wall_ms=WALL_MS_MAX + 1)], "wall_ms"),
        ([record(bound_ms=-1)], "bound_ms"),
        ([record(detail="x" * 65)], "detail"),
        ([record(subject="a\nb")], "subject"),
    ],
)
def test_what_a_record_may_not_hold_is_refused_by_name(records: list[Record], named: str) -> None:
    with pytest.raises(RecordError, match=named):
        to_columns(records)


@given(st.text())
def test_text_is_bounded_in_bytes_and_printable(text: str) -> None:
    try:
        check_text("field", text)
    except RecordError:
        return
    assert len(text.encode()) <= TEXT_BYTES_MAX
    assert "\n" not in text
    assert "\x7f" not in text


def test_columns_are_cut_and_joined_without_a_trace() -> None:
    records = [
        Record(i + 3, i, 2 * i, 1, ClockState.SYNCED, Evidence.KIOSK, f"d-{i % 3}", "k", f"s-{i}")
        for i in range(20)
    ]
    whole = to_columns(records)
    for cuts in ([0, 20], [0, 1, 2, 20], list(range(21))):
        parts = [whole.part(start, stop) for start, stop in itertools.pairwise(cuts)]
        assert [r for part in parts for r in to_records(part)] == records
        assert to_records(join_columns(parts)) == records
        assert all(len(set(part.texts["subject"][1].tolist())) == len(part) for part in parts)
    with pytest.raises(RecordError, match="consecutive"):
        join_columns([whole.part(0, 3), whole.part(4, 5)])


def test_what_a_box_says_of_itself_proves_no_service() -> None:
    of_itself = {records.BOX_ALIVE, records.BOX_STARTED, records.GAP, records.CLOCK_ANCHOR}
    assert records.OF_A_SERVICE.isdisjoint(of_itself | {records.DEVICE_LOST, records.GATE_REFUSED})
