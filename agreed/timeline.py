"""What time it was, from a boot's monotonic clock and its anchors: arrays in, arrays out.

Within a boot the monotonic clock is the truth, but for a rate that may be wrong by DRIFT_PPM. So
an anchor bounds true time at its own instant, and less closely the further away an instant lies,
forward and backward. Whole nanoseconds throughout, and the result depends on the set of anchors
only: box and headquarters compute the same, whenever they learn of one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from agreed.anchors import MONO_NS_MAX, Anchors, AnchorSource
from agreed.limits import WALL_MS_MAX
from agreed.machine import NS_PER_MS
from agreed.promises import NO_CLOCK
from agreed.records import Bools, Bytes8, ClockState, Evidence, Int64s, RecordColumns

DRIFT_PPM: Final = 500
"""What the kernel, too, allows a crystal; those of small boards keep within 100."""

MATERIAL_MS_MIN: Final = 10
"""A bound that shrinks by less than this, or by less than a quarter, is not worth a correction."""

_SLACK_NS: Final = DRIFT_PPM
"""What rounding the drift of an instant to whole microseconds of a second can hide."""

_NOWHERE: Final = np.int64(2**62 + 2**61)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Which anchors of a boot are believed.

    Attributes:
        kept: the anchors that agree with each other.
        is_kept: bool[k], which of those that were given.
        contradicting: how many were set aside because they contradict others.
    """

    kept: Anchors
    is_kept: Bools
    contradicting: int

    @property
    def is_certain(self) -> bool:
        """Whether those that agree are more than those that contradict."""
        return len(self.kept) > self.contradicting


@dataclass(frozen=True, slots=True)
class Times:
    """Times of records of one boot, as arrays.

    Attributes:
        wall_ms: int64[n], ms since the epoch.
        bound_ms: int64[n], ms; true time lies within wall_ms ± bound_ms unless the state is UNSET.
        clock_state: uint8[n], `ClockState` values.
        is_corrected: bool[n], whether it is otherwise than the box claimed at the time.
    """

    wall_ms: Int64s
    bound_ms: Int64s
    clock_state: Bytes8
    is_corrected: Bools

    def part(self, start: int, stop: int) -> "Times":
        """Cut out the times start to stop - 1, counted from 0."""
        rows = slice(start, stop)
        return Times(
            self.wall_ms[rows],
            self.bound_ms[rows],
            self.clock_state[rows],
            self.is_corrected[rows],
        )


def drift_ns(mono_ns: Int64s) -> Int64s:
    """Give how far a boot's monotonic clock may have drifted since it read nothing.

    The drift between two instants is at most the difference of theirs and DRIFT_PPM ns.

    Args:
        mono_ns: int64[n], ns, >= 0.

    Returns:
        int64[n], ns.
    """
    return -(-mono_ns // 1_000_000) * DRIFT_PPM


def bounds(anchors: Anchors, mono_ns: Int64s) -> tuple[Int64s, Int64s]:
    """Bound true time at any instants of a boot: what every anchor allows.

    Args:
        anchors: k anchors that agree, in the order of mono_ns.
        mono_ns: int64[n], ns, >= 0, in any order; beyond MONO_NS_MAX counts as that.

    Returns:
        int64[n] earliest and int64[n] latest, ns since the epoch; far outside of all time where
        there is no anchor.

    Source: docs/time.md#projection.
    """
    if not len(anchors):
        return np.full(len(mono_ns), -_NOWHERE), np.full(len(mono_ns), _NOWHERE)
    mono_ns = np.minimum(mono_ns, MONO_NS_MAX)
    anchor_drift, drift = drift_ns(anchors.mono_ns), drift_ns(mono_ns)
    low, high = anchors.lo_ns - anchors.mono_ns, anchors.hi_ns - anchors.mono_ns
    behind = np.searchsorted(anchors.mono_ns, mono_ns, side="right")
    earliest = np.maximum(
        _running_max(low + anchor_drift)[behind] - drift,
        _running_max((low - anchor_drift)[::-1])[len(anchors) - behind] + drift,
    )
    latest = np.minimum(
        -_running_max(anchor_drift - high)[behind] + drift,
        -_running_max((-anchor_drift - high)[::-1])[len(anchors) - behind] - drift,
    )
    return mono_ns + earliest - _SLACK_NS, mono_ns + latest + _SLACK_NS


def agree(anchors: Anchors) -> Agreement:
    """Find which anchors of a boot can all be true at once.

    Two contradict when no clock within DRIFT_PPM could have read both. As long as any do, the
    one with the most contradictions is set aside; of equals the widest, then the latest. What a
    battery's clock says counts only where nobody else has spoken.

    Args:
        anchors: k anchors, in the order of mono_ns.

    Source: docs/time.md#intersection; Marzullo, Maintaining the Time in a Distributed System.
    """
    is_voter = anchors.source != AnchorSource.BATTERY
    if not is_voter.any():
        is_voter = np.ones(len(anchors), np.bool_)
    is_kept = is_voter.copy()
    earliest, latest = bounds(anchors.part(is_voter), anchors.mono_ns[is_voter])
    if (earliest > latest).any():
        is_kept[is_voter] = _without_contradiction(anchors.part(is_voter))
    contradicting = int(is_voter.sum()) - int(is_kept.sum())
    return Agreement(anchors.part(is_kept), is_kept, contradicting)


def changed_span(before: Anchors, after: Anchors) -> tuple[int, int] | None:
    """Say at which instants other anchors could bound time otherwise; None for nowhere.

    What an anchor adds shrinks with the distance like what the others allow grows: where it
    changes nothing at one instant, it changes nothing beyond.

    Args:
        before: anchors that agreed, in the order of mono_ns.
        after: anchors that agree now, likewise.

    Returns:
        first and last instant, ns of the monotonic clock, both inclusive.

    Source: docs/time.md#correction.
    """
    instants = np.union1d(before.mono_ns, after.mono_ns)
    told = zip(bounds(before, instants), bounds(after, instants), strict=True)
    found = np.flatnonzero(np.any([was != now for was, now in told], axis=0))
    if not len(found):
        return None
    first, last = int(found[0]), int(found[-1])
    from_ns = int(instants[first - 1]) if first > 0 else 0
    until_ns = int(instants[last + 1]) if last + 1 < len(instants) else MONO_NS_MAX
    return from_ns, until_ns


def to_times(earliest_ns: Int64s, latest_ns: Int64s) -> tuple[Int64s, Int64s]:
    """Turn intervals into a time and a bound that hold them.

    Args:
        earliest_ns: int64[n], ns since the epoch.
        latest_ns: int64[n], ns since the epoch, >= earliest_ns.

    Returns:
        wall_ms int64[n], the middle, and bound_ms int64[n], rounded outward.
    """
    first_ms = np.maximum(earliest_ns // NS_PER_MS, 0)
    last_ms = np.maximum(-(-latest_ns // NS_PER_MS), first_ms)
    wall_ms = np.minimum((first_ms + last_ms) // 2, WALL_MS_MAX)
    return wall_ms, np.maximum(last_ms - wall_ms, wall_ms - first_ms)


def correct(agreement: Agreement, columns: RecordColumns) -> Times:
    """Compute the times of records again from all that is known of their boot by now.

    A record keeps the time it was given, unless its clock was unset then, or that time
    contradicts the anchors, or they bound it materially closer. If the anchors contradict each
    other without a majority, nothing is certain about the boot and every record is UNSET.
    Claims by hand have a time of their own and keep it.

    Args:
        agreement: of all anchors of the boot.
        columns: n records of that boot.

    Source: docs/time.md#correction.
    """
    is_set = columns.clock_state != ClockState.UNSET
    is_ours = columns.evidence != Evidence.MANUAL
    if not len(agreement.is_kept):
        return Times(columns.wall_ms, columns.bound_ms, columns.clock_state, ~is_ours & is_ours)
    if not agreement.is_certain:
        states = np.where(is_ours, np.uint8(ClockState.UNSET), columns.clock_state)
        return Times(columns.wall_ms, columns.bound_ms, states, is_ours & is_set)
    earliest_ns, latest_ns = bounds(agreement.kept, columns.mono_ns)
    wall_ms, bound_ms = to_times(earliest_ns, latest_ns)
    apart_ms = np.abs(columns.wall_ms - wall_ms)
    is_false = is_set & (apart_ms > columns.bound_ms + bound_ms)
    is_closer = columns.bound_ms - bound_ms >= np.maximum(MATERIAL_MS_MIN, columns.bound_ms // 4)
    is_corrected = is_ours & (bound_ms < NO_CLOCK) & (~is_set | is_false | is_closer)
    return Times(
        np.where(is_corrected, wall_ms, columns.wall_ms),
        np.where(is_corrected, bound_ms, columns.bound_ms),
        np.where(is_corrected, np.uint8(ClockState.HOLDING), columns.clock_state),
        is_corrected,
    )


def _running_max(values: Int64s) -> Int64s:
    """Give the maxima of the first 0, 1, … values; that of none is far below all."""
    return np.maximum.accumulate(np.concatenate((np.array([-_NOWHERE]), values)))


def _without_contradiction(anchors: Anchors) -> Bools:
    drift = drift_ns(anchors.mono_ns)
    low, high = anchors.lo_ns - anchors.mono_ns, anchors.hi_ns - anchors.mono_ns

    def contradicted(row: int) -> Bools:
        apart = np.abs(drift - drift[row]) + 2 * _SLACK_NS
        return np.asarray((low - high[row] > apart) | (low[row] - high > apart))

    is_kept = np.ones(len(anchors), np.bool_)
    counts = np.array([contradicted(row).sum() for row in range(len(anchors))], np.int64)
    width = anchors.hi_ns - anchors.lo_ns
    while counts.max(initial=0) > 0:
        rows = np.lexsort((anchors.lo_ns, anchors.mono_ns, width, counts))
        worst = int(rows[-1])
        is_kept[worst] = False
        counts -= contradicted(worst)
        counts[worst] = 0
        counts[~is_kept] = 0
    return is_kept
