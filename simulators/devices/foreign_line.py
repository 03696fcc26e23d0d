"""A line of somebody else's door controller and one reader in plain text, for a box to hear."""

import time
from binascii import crc_hqx
from collections import deque
from collections.abc import Callable

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice

POLL_S = 0.06
WAITING_COUNT_MAX = 256
POLL, DRIVE_OUTPUT = 0x60, 0x68
ACK, RAW_CARD, KEYPAD = 0x40, 0x50, 0x53
ON_FOR_A_WHILE = 5


def frame(address: int, control: int, body: bytes) -> bytes:
    """Write one frame with its mark and its CRC."""
    length = 5 + len(body) + 2
    whole = bytes([0x53, address]) + length.to_bytes(2, "little") + bytes([control]) + body
    return b"\xff" + whole + crc_hqx(whole, 0x1D0F).to_bytes(2, "little")


class ForeignLine(FarDevice):
    """Controller and reader of one wire; whatever the box says on it is counted and not heeded.

    Args:
        name: of the reader in the box's settings.
        address: of the reader.
        output: which of its outputs moves the gate.

    Attributes:
        heard_bytes_count: what a box that only listens must leave at 0.
    """

    def __init__(self, name: str, *, address: int = 0, output: int = 0) -> None:
        super().__init__(name)
        self.heard_bytes_count = 0
        self._address = address
        self._output = output
        self._sequence = 0
        self._due_s = 0.0
        self._waiting: deque[tuple[bytes, bytes, Seen, str]] = deque(maxlen=WAITING_COUNT_MAX)

    def show(self, card: str, *, is_let_in: bool = False) -> None:
        """Hold a card, "bits:hex", to the reader; the controller may open for it."""
        bits, _, digits = card.partition(":")
        data = b"\x00\x00" + int(bits).to_bytes(2, "little") + bytes.fromhex(digits)
        self._waiting.append((bytes([POLL]), bytes([RAW_CARD]) + data, Seen.CARD, card))
        if is_let_in:
            told = bytes([DRIVE_OUTPUT, self._output, ON_FOR_A_WHILE, 30, 0])
            self._waiting.append((told, bytes([ACK]), Seen.ADMITTED, ""))

    def type(self, digits: str) -> None:
        """Type digits at the reader."""
        keys = bytes([KEYPAD, 0, len(digits)]) + digits.encode()
        self._waiting.append((bytes([POLL]), keys, Seen.KEYS, digits))

    def hear(self, data: bytes) -> None:
        """Count what nobody should have said."""
        self.heard_bytes_count += len(data)

    def time_passed(self) -> None:
        """Let the controller ask again, and the reader answer."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + POLL_S
        self._sequence = self._sequence % 3 + 1
        if self._waiting:
            asked, answer, seen, value = self._waiting.popleft()
            self._exchange(asked, answer, lambda: self.emit(seen, value))
        else:
            self._exchange(bytes([POLL]), bytes([ACK]), lambda: None)

    def _exchange(self, asked: bytes, answer: bytes, done: Callable[[], None]) -> None:
        control = 0x04 | self._sequence
        whole = frame(self._address, control, asked) + frame(self._address | 0x80, control, answer)

        def crossed(data: bytes) -> None:
            if data == whole:
                done()

        self.send(whole, crossed)
