"""Whether one beacon is near: entered and left, said once, whatever the radio does in between."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from agreed.machine import NS_PER_S, Moment

SIXTEENTHS: Final = 16
WEIGHT: Final = 4  # a reading moves the smoothed value by a quarter of the difference
SIGHTINGS_COUNT: Final = 2  # heard so often, and on the whole strongly, before it is near


class Turn(Enum):
    """What became of a beacon."""

    ENTERED = "entered"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where near begins and where it ends.

    Attributes:
        near_dbm: at least so strong to be near.
        far_dbm: weaker than this is far; between the two nothing changes.
        away_ns: far or unheard for so long has left.
    """

    near_dbm: int
    far_dbm: int
    away_ns: int


class Nearness:
    """One beacon.

    Attributes:
        is_near: as was said.
        heard_ns: when it was last heard, `Moment.mono_ns`.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.is_near = False
        self.heard_ns = 0
        self._bounds = bounds
        self._smoothed = 0  # sixteenths of a dBm
        self._sightings_count = 0
        self._not_far_ns = 0

    def heard(self, rssi_dbm: int, now: Moment) -> Turn | None:
        """Take in how strongly it was heard."""
        if self._sightings_count and now.mono_ns - self.heard_ns > self._bounds.away_ns:
            self._sightings_count = 0
        self.heard_ns = now.mono_ns
        reading = rssi_dbm * SIXTEENTHS
        if self._sightings_count:
            self._smoothed += (reading - self._smoothed) // WEIGHT
        else:
            self._smoothed = reading
        self._sightings_count = min(self._sightings_count + 1, SIGHTINGS_COUNT)
        if self._smoothed >= self._bounds.far_dbm * SIXTEENTHS:
            self._not_far_ns = now.mono_ns
        is_strong = self._smoothed >= self._bounds.near_dbm * SIXTEENTHS
        if self.is_near or not is_strong or self._sightings_count < SIGHTINGS_COUNT:
            return None
        self.is_near = True
        return Turn.ENTERED

    def time_passed(self, now: Moment) -> Turn | None:
        """Conclude from silence, or from being far for long."""
        if not self.is_near or now.mono_ns < self.deadline_ns():
            return None
        self.is_near = False
        self._sightings_count = 0
        return Turn.LEFT

    def deadline_ns(self) -> int:
        """When it has left unless it is heard near until then."""
        return self._not_far_ns + self._bounds.away_ns

    def listen_anew(self, now: Moment) -> None:
        """Begin the wait again, because nobody could hear until now."""
        self._not_far_ns = max(self._not_far_ns, now.mono_ns)


def bounds(near_dbm: int, far_dbm: int, away_s: int) -> Bounds:
    """Make bounds from settings."""
    return Bounds(near_dbm, far_dbm, away_s * NS_PER_S)
