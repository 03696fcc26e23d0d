"""A Modbus RTU board with a strike, a door contact and an exit button, and people at the door."""

import time

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice

SWING_S = 0.3
HEARD_BYTES_MAX = 64
CONTACT, BUTTON, STRIKE = 0, 1, 0


def crc(data: bytes) -> bytes:
    """The check of RTU frames, bit by bit as the specification draws it."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            carry = register & 1
            register >>= 1
            if carry:
                register ^= 0xA001
    return register.to_bytes(2, "little")


class DoorBoard(FarDevice):
    """One board and its door: input 0 is the contact (1 = closed), 1 the button; coil 0 the strike.

    Attributes:
        is_open: whether the door stands open.
        is_pressed: whether somebody presses the exit button.
        is_released: whether the strike lets the door be opened.
        released_count: how often it did.
        is_silent: whether the board has no power.
        exception: what it refuses to switch the strike with; 0: it switches.
    """

    def __init__(self, name: str, *, unit: int = 1) -> None:
        super().__init__(name)
        self.is_open = self.is_pressed = self.is_released = self.is_silent = False
        self.released_count = 0
        self.exception = 0
        self._unit = unit
        self._heard = bytearray()
        self._said_open = False
        self._swings_count = 0
        self._swing_s = 0.0

    def swing(self) -> None:
        """Have somebody walk through: open for a moment, then closed."""
        self._swings_count += 2

    def time_passed(self) -> None:
        """Move the door."""
        now_s = time.monotonic()
        if self._swings_count and now_s >= self._swing_s:
            self._swings_count -= 1
            self._swing_s = now_s + SWING_S
            self.is_open = not self.is_open

    def hear(self, data: bytes) -> None:
        """Answer whole requests that are for this board."""
        self._heard += data
        del self._heard[:-HEARD_BYTES_MAX]
        while len(self._heard) >= 8:
            asked = bytes(self._heard[:8])
            is_request = asked[0] == self._unit and crc(asked[:6]) == asked[6:]
            del self._heard[: 8 if is_request else 1]
            if is_request and not self.is_silent:
                self._obey(asked)

    def _obey(self, asked: bytes) -> None:
        function, place, value = asked[1], int.from_bytes(asked[2:4]), int.from_bytes(asked[4:6])
        if function == 5 and self.exception:
            self._answer(bytes([self._unit, 0x85, self.exception]))
        elif function == 5 and place == STRIKE:
            self.released_count += value == 0xFF00 and not self.is_released
            self.is_released = value == 0xFF00
            self._answer(asked[:6])
        elif function == 2 and place == 0 and value <= 8:
            self._say_inputs()
        else:
            self._answer(bytes([self._unit, function | 0x80, 2]))

    def _say_inputs(self) -> None:
        is_open = self.is_open
        inputs = (not is_open) << CONTACT | self.is_pressed << BUTTON
        whole = bytes([self._unit, 2, 1, inputs])

        def crossed(data: bytes) -> None:
            if data == whole + crc(whole) and is_open != self._said_open:
                self._said_open = is_open
                self.emit(Seen.DOOR_OPENED if is_open else Seen.DOOR_CLOSED)

        self.send(whole + crc(whole), crossed)

    def _answer(self, body: bytes) -> None:
        self.send(body + crc(body))
