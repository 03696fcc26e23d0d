"""True time lies within every bound, whatever the crystal, and only the set of anchors counts."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agreed.anchors import MONO_NS_MAX, Anchor, AnchorSource, to_anchors
from agreed.promises import NO_CLOCK
from agreed.records import ClockState, Evidence, Int64s, Record, to_columns
from agreed.timeline import (
    DRIFT_PPM,
    agree,
    bounds,
    changed_span,
    correct,
    drift_ns,
    to_times,
)

ZERO_NS = 1_795_000_000 * 10**9
SPAN_NS = 40 * 24 * 3_600 * 10**9
SECOND = 10**9


@dataclass(frozen=True)
class Crystal:
    """A monotonic clock whose rate wanders: turns at some instants, within DRIFT_PPM."""

    turns: tuple[tuple[int, int], ...]

    def true_ns(self, mono_ns: int) -> int:
        """Give true time when the clock reads mono_ns."""
        ppm_sum = at = 0
        ppm = 0
        for turn, next_ppm in self.turns:
            if turn >= mono_ns:
                break
            ppm_sum += (turn - at) * ppm
            at, ppm = turn, next_ppm
        return ZERO_NS + mono_ns + (ppm_sum + (mono_ns - at) * ppm) // 1_000_000


# A hair below the limit: true time here is rounded to whole ns.
crystals = st.lists(
    st.tuples(st.integers(0, SPAN_NS), st.integers(1 - DRIFT_PPM, DRIFT_PPM - 1)), max_size=6
).map(lambda turns: Crystal(tuple(sorted(turns))))
readings = st.integers(0, SPAN_NS)
errors = st.integers(0, 10**10)


def honest(crystal: Crystal, mono_ns: int, before: int, after: int) -> Anchor:
    true_ns = crystal.true_ns(mono_ns)
    return Anchor(AnchorSource.KERNEL, mono_ns, true_ns - before, true_ns + after)


def ints(*values: int) -> Int64s:
    return np.array(values, np.int64)


@given(
    crystals,
    st.lists(st.tuples(readings, errors, errors), min_size=1, max_size=12),
    st.lists(readings, min_size=1, max_size=12),
)
def test_true_time_lies_within_the_bounds_forward_and_backward(
    crystal: Crystal, said: list[tuple[int, int, int]], asked: list[int]
) -> None:
    anchors = to_anchors(honest(crystal, *one) for one in said)
    agreement = agree(anchors)
    assert agreement.is_kept.all()
    assert agreement.contradicting == 0
    instants = ints(*asked, *(one[0] for one in said))
    earliest, latest = bounds(anchors, instants)
    true = ints(*(crystal.true_ns(at) for at in instants.tolist()))
    assert (earliest <= true).all()
    assert (true <= latest).all()
    wall_ms, bound_ms = to_times(earliest, latest)
    assert (np.abs(true // 10**6 - wall_ms) <= bound_ms).all()


@given(
    crystals,
    st.lists(st.tuples(readings, errors, errors), max_size=8),
    st.lists(st.tuples(readings, errors, errors), max_size=3),
    st.lists(readings, min_size=1, max_size=20),
)
def test_outside_the_changed_span_nothing_changes(
    crystal: Crystal,
    said: list[tuple[int, int, int]],
    more: list[tuple[int, int, int]],
    asked: list[int],
) -> None:
    before = to_anchors(honest(crystal, *one) for one in said)
    after = to_anchors(honest(crystal, *one) for one in said + more)
    instants = ints(*asked, *(one[0] for one in said + more))
    told = zip(bounds(before, instants), bounds(after, instants), strict=True)
    is_other = np.any([was != now for was, now in told], axis=0)
    span = changed_span(before, after)
    assert span == changed_span(after, before)
    for at, other in zip(instants.tolist(), is_other.tolist(), strict=True):
        assert not other or (span is not None and span[0] <= at <= span[1])


@given(
    crystals,
    st.lists(st.tuples(readings, st.integers(0, 10**7)), min_size=3, max_size=9),
    st.data(),
)
def test_a_minority_that_is_far_off_is_set_aside_and_counted(
    crystal: Crystal, said: list[tuple[int, int]], data: st.DataObject
) -> None:
    false_count = data.draw(st.integers(1, (len(said) - 1) // 2))
    off_ns = data.draw(st.sampled_from([-1, 1])) * 8 * 3_600 * SECOND
    anchors = []
    for row, (mono_ns, error) in enumerate(said):
        true_ns = crystal.true_ns(mono_ns) + (off_ns if row < false_count else 0)
        anchors.append(Anchor(AnchorSource.KERNEL, mono_ns, true_ns - error, true_ns + error))
    agreement = agree(to_anchors(anchors))
    assert agreement.contradicting == false_count
    assert agreement.is_certain
    assert set(agreement.kept.lo_ns.tolist()) == {a.lo_ns for a in anchors[false_count:]}
    again = agree(to_anchors(data.draw(st.permutations(anchors))))
    assert again.is_kept.tolist() == agreement.is_kept.tolist()


def test_half_against_half_is_certain_of_nothing() -> None:
    one = Anchor(AnchorSource.KERNEL, 0, ZERO_NS, ZERO_NS)
    two = Anchor(AnchorSource.HEADQUARTERS, 0, ZERO_NS + SECOND, ZERO_NS + SECOND)
    assert not agree(to_anchors([one, two])).is_certain


def test_a_battery_counts_only_where_nobody_else_has_spoken() -> None:
    wrong = Anchor(AnchorSource.BATTERY, 0, 10**18, 10**18 + SECOND)
    right = Anchor(AnchorSource.KERNEL, SECOND, ZERO_NS, ZERO_NS)
    assert agree(to_anchors([wrong])).kept.lo_ns.tolist() == [10**18]
    both = agree(to_anchors([wrong, right]))
    assert (both.kept.lo_ns.tolist(), both.contradicting) == ([ZERO_NS], 0)


def test_the_drift_of_two_instants_is_never_underestimated() -> None:
    instants = ints(0, 1, 999_999, 1_000_000, 10**15, MONO_NS_MAX)
    for one in instants.tolist():
        for two in instants[instants >= one].tolist():
            apart = int(drift_ns(ints(two))[0] - drift_ns(ints(one))[0]) + DRIFT_PPM
            assert apart * 1_000_000 >= (two - one) * DRIFT_PPM


def test_the_ends_of_all_ranges_do_not_wrap_around() -> None:
    for mono_ns in (0, MONO_NS_MAX):
        for time_ns in (0, 2**62):
            anchors = to_anchors([Anchor(AnchorSource.KERNEL, mono_ns, time_ns, time_ns)])
            earliest, latest = bounds(anchors, ints(0, MONO_NS_MAX, 2**62))
            assert (earliest <= latest).all()
            wall_ms, bound_ms = to_times(earliest, latest)
            assert (wall_ms >= 0).all()
            assert (bound_ms >= 0).all()
    earliest, latest = bounds(to_anchors([]), ints(0, MONO_NS_MAX))
    assert (earliest < -(2**62)).all()
    assert (latest > 2**62).all()


def record(mono_ns: int, wall_ms: int, bound_ms: int, state: ClockState, **more: object) -> Record:
    evidence = more.pop("evidence", Evidence.DEVICE)
    assert isinstance(evidence, Evidence)
    return Record(1, mono_ns, wall_ms, bound_ms, state, evidence, "", "box_alive")


def corrected(anchors: list[Anchor], one: Record) -> tuple[int, int, int, bool]:
    times = correct(agree(to_anchors(anchors)), to_columns([one]))
    return (
        int(times.wall_ms[0]),
        int(times.bound_ms[0]),
        int(times.clock_state[0]),
        bool(times.is_corrected[0]),
    )


def test_a_claim_stands_unless_it_is_unset_false_or_loose() -> None:
    zero_ms = ZERO_NS // 10**6
    known = [Anchor(AnchorSource.KERNEL, 0, ZERO_NS - 10**6, ZERO_NS + 10**6)]
    tight = record(0, zero_ms + 3, 2, ClockState.SYNCED)
    assert corrected(known, tight) == (zero_ms + 3, 2, ClockState.SYNCED, False)
    loose = record(0, zero_ms + 3, 900, ClockState.HOLDING)
    assert corrected(known, loose) == (zero_ms, 2, ClockState.HOLDING, True)
    false = record(0, zero_ms + 5, 2, ClockState.SYNCED)
    assert corrected(known, false) == (zero_ms, 2, ClockState.HOLDING, True)
    unset = record(0, 7, 0, ClockState.UNSET)
    assert corrected(known, unset) == (zero_ms, 2, ClockState.HOLDING, True)
    by_hand = record(0, 7, 0, ClockState.SYNCED, evidence=Evidence.MANUAL)
    assert corrected(known, by_hand)[3] is False
    assert corrected([], tight)[3] is False


def test_what_nobody_bounds_within_reason_stays_unset() -> None:
    wide = [Anchor(AnchorSource.KERNEL, 0, 0, 2 * (NO_CLOCK + 1) * 10**6)]
    assert corrected(wide, record(0, 7, 0, ClockState.UNSET))[2:] == (ClockState.UNSET, False)


def test_contradicting_anchors_unset_what_was_claimed() -> None:
    known = [Anchor(AnchorSource.KERNEL, 0, at, at) for at in (ZERO_NS, ZERO_NS + SECOND)]
    assert corrected(known, record(0, 5, 2, ClockState.SYNCED))[2:] == (ClockState.UNSET, True)
