"""Which anchors of the running boot are believed, and which are worth a record: pure."""

from collections import deque
from typing import Final

import numpy as np

from agreed.anchors import Anchor, Anchors, AnchorSource, to_anchors
from agreed.machine import NS_PER_S
from agreed.timeline import DRIFT_PPM, agree, bounds

ANCHORS_HELD_MAX: Final = 32
"""Journaled anchors that are weighed against each other on the box; headquarters weighs all."""

WORTH_NS_MIN: Final = NS_PER_S
"""A closer bound is journaled once what is journaled bounds no better than this."""

CONTRADICTED_NS: Final = 60 * NS_PER_S
CROSS_CHECK_NS: Final = 3_600 * NS_PER_S
"""How often a source is journaled anew while it contradicts the others, and while it does not."""

Interval = tuple[int, int]


class _Forward:
    """What some anchors say of the instants after them: two numbers, whatever their count."""

    def __init__(self) -> None:
        self.low_ns: int | None = None
        self.high_ns = 0

    def at(self, mono_ns: int) -> Interval | None:
        """Bound true time, ns since the epoch; None if nothing is known."""
        if self.low_ns is None:
            return None
        drift_ns = _drift_ns(mono_ns) + DRIFT_PPM
        return mono_ns + self.low_ns - drift_ns, mono_ns + self.high_ns + drift_ns

    def narrow(self, anchor: Anchor) -> None:
        """Take an anchor in."""
        drift_ns = _drift_ns(anchor.mono_ns)
        low_ns = anchor.lo_ns - anchor.mono_ns + drift_ns
        high_ns = anchor.hi_ns - anchor.mono_ns - drift_ns
        is_first = self.low_ns is None
        self.high_ns = high_ns if is_first else min(self.high_ns, high_ns)
        self.low_ns = low_ns if self.low_ns is None else max(self.low_ns, low_ns)


class Anchoring:
    """The anchors of a boot as the box learns them, in the order of its monotonic clock.

    Attributes:
        is_certain: whether those that agree are more than those that contradict them.
    """

    def __init__(self) -> None:
        self.is_certain = True
        self._believed = _Forward()
        self._journaled = _Forward()
        self._held: deque[Anchor] = deque(maxlen=ANCHORS_HELD_MAX)
        self._told_ns: dict[AnchorSource, int] = {}
        self._last_ns = 0
        self._has_voter = False
        self._due: deque[Anchor] = deque(maxlen=ANCHORS_HELD_MAX)

    def bounds(self, mono_ns: int) -> Interval | None:
        """Bound true time at an instant, ns since the epoch; None if nothing is certain."""
        if not self.is_certain:
            return None
        if mono_ns < self._last_ns:
            return self._bounds_before(mono_ns)
        return self._believed.at(mono_ns)

    def learn(self, anchor: Anchor) -> bool:
        """Take in an anchor that is not before the last one; says whether it is believed."""
        is_battery = anchor.source is AnchorSource.BATTERY
        if is_battery and self._has_voter:
            return False
        if not is_battery and not self._has_voter:
            # What a battery's clock said counts no more.
            self._has_voter = True
            self._believed, self._journaled = _Forward(), _Forward()
        self._last_ns = max(self._last_ns, anchor.mono_ns)
        is_worth = self._is_worth(anchor)
        is_believed = self.is_certain and _meets(self._believed.at(anchor.mono_ns), anchor)
        if is_believed:
            self._believed.narrow(anchor)
        if is_worth:
            self._journal(anchor)
            if not is_believed:
                is_believed = self._weigh(anchor)
        return is_believed

    def to_journal(self) -> list[Anchor]:
        """Hand over, once, the anchors that are to become records."""
        due = list(self._due)
        self._due.clear()
        return due

    def _is_worth(self, anchor: Anchor) -> bool:
        told_ns = self._told_ns.get(anchor.source)
        since_ns = CROSS_CHECK_NS if told_ns is None else anchor.mono_ns - told_ns
        known = self._journaled.at(anchor.mono_ns)
        is_needed = not self.is_certain or not _meets(known, anchor)
        if known is None or since_ns >= CROSS_CHECK_NS:
            return True
        if is_needed:
            return since_ns >= CONTRADICTED_NS
        width_ns = known[1] - known[0]
        return width_ns >= 2 * max(WORTH_NS_MIN, anchor.hi_ns - anchor.lo_ns)

    def _journal(self, anchor: Anchor) -> None:
        self._told_ns[anchor.source] = anchor.mono_ns
        self._held.append(anchor)
        self._due.append(anchor)
        if _meets(self._journaled.at(anchor.mono_ns), anchor):
            self._journaled.narrow(anchor)

    def _weigh(self, newest: Anchor) -> bool:
        """Find anew which of the anchors held agree."""
        agreement = agree(self._anchors())
        self.is_certain = agreement.is_certain
        self._believed, self._journaled = _Forward(), _Forward()
        for anchor in _spelled_out(agreement.kept):
            self._believed.narrow(anchor)
            self._journaled.narrow(anchor)
        return self.is_certain and _meets(self._believed.at(newest.mono_ns), newest)

    def _bounds_before(self, mono_ns: int) -> Interval | None:
        kept = agree(self._anchors()).kept
        if not len(kept):
            return None
        earliest, latest = bounds(kept, np.array([mono_ns], np.int64))
        return int(earliest[0]), int(latest[0])

    def _anchors(self) -> Anchors:
        return to_anchors(self._held)


def _spelled_out(anchors: Anchors) -> list[Anchor]:
    rows = zip(
        anchors.source.tolist(),
        anchors.mono_ns.tolist(),
        anchors.lo_ns.tolist(),
        anchors.hi_ns.tolist(),
        strict=True,
    )
    return [Anchor(AnchorSource(source), *row) for source, *row in rows]


def _meets(known: Interval | None, anchor: Anchor) -> bool:
    return known is None or (anchor.lo_ns <= known[1] and known[0] <= anchor.hi_ns)


def _drift_ns(mono_ns: int) -> int:
    return -(-mono_ns // 1_000_000) * DRIFT_PPM
