"""Drafts become the same columns that single records would give."""

import pytest

from agreed.records import ClockState, Record, RecordError, to_records
from edge.clock import Stamp
from edge.columns import Together, draft_columns
from edge.decisions import Draft, fit

NOON = Stamp(5, 1_795_000_000_000, 3, ClockState.SYNCED)
LATER = Stamp(9, 1_795_000_000_004, 4, ClockState.HOLDING)


def test_every_draft_becomes_a_record_with_the_time_of_its_moment() -> None:
    drafts = tuple(
        Draft(f"gate-{i % 2}", "gate_passed", f"r-{i}", detail="坏" * i) for i in range(40)
    )
    columns = draft_columns(7, [Together(drafts[:39], NOON), Together(drafts[39:], LATER)])
    assert to_records(columns) == [
        Record(
            7 + i,
            at.mono_ns,
            at.wall_ms,
            at.bound_ms,
            at.clock_state,
            d.evidence,
            d.device,
            d.node_kind,
            d.subject,
            d.reference,
            fit(d.detail),
        )
        for i, d in enumerate(drafts)
        for at in [NOON if i < 39 else LATER]
    ]


def test_texts_that_become_one_by_being_fitted_are_one() -> None:
    drafts = (Draft("a\n", "k"), Draft("a", "k"), Draft("a\t", "k"))
    columns = draft_columns(1, [Together(drafts, NOON)])
    assert columns.texts["device"][0] == ["a"]
    assert columns.text("device") == ["a"] * 3


def test_a_time_out_of_range_is_no_record() -> None:
    bad = Stamp(-1, 0, 0, ClockState.UNSET)
    with pytest.raises(RecordError, match="mono_ns"):
        draft_columns(1, [Together((Draft("", "k"),), bad)])
