"""Whether a device answers: LOST and BACK alternate, each said once."""

from agreed.machine import Moment
from firmware_interfaces.observations import Observation, Seen


class Presence:
    """What was last said about one device; at first nothing was.

    Attributes:
        device: the device's name.
        is_back: whether the device answers, as far as was said.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.is_back = False
        self._was_said = False

    def lost(self, now: Moment, reason: str) -> list[Observation]:
        """Say LOST unless that was the last word; `reason` is for the technician."""
        if self._was_said and not self.is_back:
            return []
        self._was_said = True
        self.is_back = False
        return [Observation(self.device, Seen.LOST, now, value=reason)]

    def back(self, now: Moment) -> list[Observation]:
        """Say BACK unless that was the last word."""
        if self.is_back:
            return []
        self._was_said = True
        self.is_back = True
        return [Observation(self.device, Seen.BACK, now)]


def refused(device: str, now: Moment, reason: str, part: int = 0) -> Observation:
    """Say that a command was not, and will not be, carried out."""
    return Observation(device, Seen.REFUSED_BY_DEVICE, now, value=reason, part=part)
