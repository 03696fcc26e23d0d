"""A door on pins, as the port of a GPIO chip would tell of it, and people at the door."""

import time

from firmware_interfaces.contacts.codec import Level, LevelReader, written
from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice

SWING_S = 0.3
TELL_S = 0.2
CONTACT, BUTTON, STRIKE = 17, 27, 22


class PinBoard(FarDevice):
    """One door: pin 17 is the contact (1 = closed), 27 the button, 22 the strike.

    A chip's port tells every level when it is opened. Nobody tells this far end when that is, so
    it tells them over and over, as a chip does whose inputs move.

    Attributes:
        is_open: whether the door stands open.
        is_pressed: whether somebody presses the exit button.
        is_released: whether the strike lets the door be opened.
        is_stuck: whether the strike's pin does not follow.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.is_open = self.is_pressed = self.is_released = self.is_stuck = False
        self._asked = LevelReader()
        self._swings_count = 0
        self._swing_s = self._tell_s = 0.0

    def swing(self) -> None:
        """Have somebody walk through: open for a moment, then closed."""
        self._swings_count += 2

    def chatter(self, times: int) -> None:
        """Have the contact bounce, and end as it began."""
        for number in range(2 * times):
            self.send(written(Level(CONTACT, self.is_open == (number % 2 == 0))))

    def hear(self, data: bytes) -> None:
        """Switch the strike, and read it back."""
        for level in self._asked.feed(data):
            if level.pin == STRIKE:
                self.is_released = self.is_released if self.is_stuck else level.is_high
                self.send(written(Level(STRIKE, self.is_released)))

    def time_passed(self) -> None:
        """Move the door, and tell how it stands."""
        now_s = time.monotonic()
        if self._swings_count and now_s >= self._swing_s:
            self._swings_count -= 1
            self._swing_s = now_s + SWING_S
            self.is_open = not self.is_open
            is_open, self._tell_s = self.is_open, 0.0
            self.emit(Seen.DOOR_OPENED if is_open else Seen.DOOR_CLOSED)
        if now_s >= self._tell_s:
            self._tell_s = now_s + TELL_S
            self.send(written(Level(CONTACT, not self.is_open)))
            self.send(written(Level(BUTTON, self.is_pressed)))
