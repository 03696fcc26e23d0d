"""A device that says again what a capture of a real one holds."""

import time
from collections.abc import Iterable

from firmware_interfaces.discovery.capture import Crossing, crossings
from simulators.devices.far_device import FarDevice


class ReplayedDevice(FarDevice):
    """Answers as the captured device did: after each of the box's turns, what came then.

    A capture is a sequence of turns. What the device said before the box said anything comes by
    time; everything else waits until the box has said as much as it had when it was captured.

    Attributes:
        is_over: whether everything was said.
    """

    def __init__(self, name: str, lines: Iterable[str]) -> None:
        super().__init__(name)
        self._left: list[tuple[int, Crossing]] = []
        box_bytes_count = 0
        for crossing in crossings(lines):
            if crossing.is_from_device:
                self._left.append((box_bytes_count, crossing))
            else:
                box_bytes_count += len(crossing.data)
        self._heard_count = 0
        self._start_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether everything was said."""
        return not self._left

    def hear(self, data: bytes) -> None:
        """Count what the box says."""
        self._heard_count += len(data)
        self._say_due()

    def time_passed(self) -> None:
        """Say what comes by time."""
        if self._start_s is None:
            self._start_s = time.monotonic()
        self._say_due()

    def _say_due(self) -> None:
        now_ms = 1_000 * (time.monotonic() - (self._start_s or time.monotonic()))
        while self._left:
            needed_count, crossing = self._left[0]
            if self._heard_count < needed_count or (not needed_count and now_ms < crossing.ms):
                return
            del self._left[0]
            self.send(crossing.data)
