"""The anchor: at one reading of a boot's monotonic clock, true time lay in an interval.

A record carries it as text, so that whoever holds the records can compute their times again.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from agreed.records import Bools, Bytes8, Int64s

TIME_NS_MAX: Final = 2**62
"""The latest instant of an anchor, ns since the epoch: the year 2116. Sums stay in 64 bits."""

MONO_NS_MAX: Final = 2**60
"""The latest reading of a boot's monotonic clock that is told apart, ns: 36 years."""

_TEXT: Final = re.compile(r"([1-9]) (\d{1,19}) (\d{1,19}) (\d{1,19})", re.ASCII)


class AnchorSource(IntEnum):
    """Who says so; the numbers are never reused."""

    KERNEL = 1  # the system clock, while a time source steers it
    HEADQUARTERS = 2  # a question to headquarters and its answer
    BATTERY = 3  # a clock with a battery; counts only where nobody else has spoken


@dataclass(frozen=True, slots=True)
class Anchor:
    """When the monotonic clock read mono_ns, true time was at least lo_ns and at most hi_ns.

    Attributes:
        source: see `AnchorSource`.
        mono_ns: boot-scoped, ns.
        lo_ns, hi_ns: ns since the epoch, lo_ns <= hi_ns <= TIME_NS_MAX.
    """

    source: AnchorSource
    mono_ns: int
    lo_ns: int
    hi_ns: int

    def __str__(self) -> str:
        """Write the form that `read_anchor` reads: source, mono_ns, lo_ns, width in ns."""
        return f"{int(self.source)} {self.mono_ns} {self.lo_ns} {self.hi_ns - self.lo_ns}"


def read_anchor(text: str) -> Anchor | None:
    """Read the detail of a record that carries an anchor; None if it is none that we know."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    source, mono_ns, lo_ns, width_ns = map(int, found.groups())
    is_sound = mono_ns <= MONO_NS_MAX and lo_ns + width_ns <= TIME_NS_MAX
    if source not in set(AnchorSource) or not is_sound:
        return None
    return Anchor(AnchorSource(source), mono_ns, lo_ns, lo_ns + width_ns)


def answered(asked_ns: int, told_ns: int, error_ns: int, heard_ns: int, drift_ppm: int) -> Anchor:
    """Make the anchor that a question to headquarters proves.

    Headquarters read its clock between the question and the answer, so true time when the answer
    is heard is not before what it read, and not later than that by more than the round trip.

    Args:
        asked_ns: the box's monotonic clock at the question, ns.
        told_ns: headquarters' clock, ns since the epoch.
        error_ns: how far that may be wrong, ns.
        heard_ns: the box's monotonic clock at the answer, ns.
        drift_ppm: how far the monotonic clock's rate may be wrong, parts per million.
    """
    round_ns = heard_ns - asked_ns
    round_ns += -(-round_ns * drift_ppm // 1_000_000)
    lo_ns, hi_ns = max(0, told_ns - error_ns), told_ns + round_ns + error_ns
    return Anchor(AnchorSource.HEADQUARTERS, heard_ns, lo_ns, hi_ns)


@dataclass(frozen=True, slots=True)
class Anchors:
    """Anchors of one boot as arrays, in the order of mono_ns.

    Attributes:
        mono_ns: int64[k], ns, [0, MONO_NS_MAX].
        lo_ns, hi_ns: int64[k], ns since the epoch, 0 <= lo_ns <= hi_ns <= TIME_NS_MAX.
        source: uint8[k], `AnchorSource` values.
    """

    mono_ns: Int64s
    lo_ns: Int64s
    hi_ns: Int64s
    source: Bytes8

    def __len__(self) -> int:
        """Count them."""
        return len(self.mono_ns)

    def part(self, is_wanted: Bools) -> "Anchors":
        """Pick some; is_wanted is bool[k]."""
        return Anchors(
            self.mono_ns[is_wanted],
            self.lo_ns[is_wanted],
            self.hi_ns[is_wanted],
            self.source[is_wanted],
        )


def to_anchors(anchors: Iterable[Anchor]) -> Anchors:
    """Lay anchors out as arrays; the same anchors in any order give the same arrays."""
    ordered = sorted(anchors, key=lambda a: (a.mono_ns, a.lo_ns, a.hi_ns, a.source))
    return Anchors(
        np.array([a.mono_ns for a in ordered], np.int64),
        np.array([a.lo_ns for a in ordered], np.int64),
        np.array([a.hi_ns for a in ordered], np.int64),
        np.array([a.source for a in ordered], np.uint8),
    )
