"""An anchor travels as text and says exactly what its source proves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.anchors import (
    MONO_NS_MAX,
    TIME_NS_MAX,
    Anchor,
    AnchorSource,
    answered,
    read_anchor,
    to_anchors,
)
from agreed.records import check_text

NOON_NS = 1_795_000_000 * 10**9
instants = st.integers(0, TIME_NS_MAX)


@given(st.sampled_from(AnchorSource), st.integers(0, MONO_NS_MAX), instants, instants)
def test_every_anchor_is_read_as_it_was_written_and_fits_a_record(
    source: AnchorSource, mono_ns: int, one: int, other: int
) -> None:
    anchor = Anchor(source, mono_ns, min(one, other), max(one, other))
    check_text("detail", str(anchor))
    assert read_anchor(str(anchor)) == anchor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 2 3",
        "1 2 3 4 ",
        "9 2 3 4",
        "1 -2 3 4",
        f"1 {MONO_NS_MAX + 1} 3 4",
        f"1 2 {TIME_NS_MAX} 1",
        "1 ٢ 3 4",
    ],
)
def test_what_is_no_anchor_is_none(text: str) -> None:
    assert read_anchor(text) is None


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**9), st.data())
def test_an_answer_proves_an_interval_that_holds_the_true_time(
    there_ns: int, back_ns: int, error_ns: int, data: st.DataObject
) -> None:
    ppm = data.draw(st.integers(-500, 500))
    said_ns = NOON_NS + data.draw(st.integers(-error_ns, error_ns))
    true_ns = NOON_NS + back_ns
    round_ns = there_ns + back_ns
    heard_ns = 5 + round_ns + round_ns * ppm // 1_000_000
    anchor = answered(5, said_ns, error_ns, heard_ns, 1_000)
    assert anchor.mono_ns == heard_ns
    assert anchor.lo_ns <= true_ns <= anchor.hi_ns


def test_anchors_are_laid_out_in_one_order() -> None:
    one, two = (Anchor(AnchorSource.KERNEL, at, 1, 2) for at in (7, 3))
    assert to_anchors([one, two]).mono_ns.tolist() == to_anchors([two, one]).mono_ns.tolist()
    assert len(to_anchors([])) == 0
