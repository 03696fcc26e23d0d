"""A scanner that speaks SSI: it sends a code again until it is acknowledged."""

import time
from collections import deque

from firmware_interfaces.observations import Seen
from simulators.devices.scanner import HEARD_BYTES_MAX, Answered, Scanner

AGAIN_S = 0.25  # a real one waits 2 s
ATTEMPTS_COUNT_MAX = 8
CODE, ACK, BEEP, START, ASK_REVISION, REVISION = 0xF3, 0xD0, 0xE6, 0xE4, 0xA3, 0xA4
BEEPS = {0: Answered.GOOD, 6: Answered.BAD}


def packet(code: int, data: bytes, status: int = 0) -> bytes:
    """Wrap a packet of the scanner."""
    body = bytes([4 + len(data), code, 0, status]) + data
    return body + (65_536 - sum(body)).to_bytes(2)


class SsiScanner(Scanner):
    """One scanner; a code counts as emitted when the box acknowledged it.

    Attributes:
        repeated_count: codes that had to be sent again.
        triggered_count: how often it was made to look for a code.
        is_deaf: whether it hears nothing, for example because its wire is half broken.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.repeated_count = 0
        self.triggered_count = 0
        self.is_deaf = False
        self._told = bytearray()
        self._waiting: deque[str] = deque()
        self._again_s: float | None = None
        self._attempts_count = 0

    def read_out(self, text: str) -> None:
        """Send a code, after those that wait for their acknowledgement."""
        self._waiting.append(text)
        if self._again_s is None:
            self._send_first()

    def _send_first(self) -> None:
        if not self._waiting:
            self._again_s = None
            return
        status = 1 if self._attempts_count else 0
        self.repeated_count += status
        self._attempts_count += 1
        self._again_s = time.monotonic() + AGAIN_S
        self.send(packet(CODE, b"\x03" + self._waiting[0].encode(), status))

    def time_passed(self) -> None:
        """Send again what was not acknowledged."""
        if self._again_s is None or time.monotonic() < self._again_s:
            return
        if self._attempts_count >= ATTEMPTS_COUNT_MAX:
            self._waiting.popleft()
            self._attempts_count = 0
        self._send_first()

    def hear(self, data: bytes) -> None:
        """Obey whole packets of the host."""
        if self.is_deaf:
            return
        self._told += data
        del self._told[:-HEARD_BYTES_MAX]
        while len(self._told) >= 6:
            length = self._told[0] + 2
            if not 6 <= length <= 16 or self._told[2] != 4:
                del self._told[0]
            elif len(self._told) < length:
                return
            else:
                told = bytes(self._told[:length])
                is_right = sum(told[:-2]) + int.from_bytes(told[-2:]) == 65_536
                del self._told[: length if is_right else 1]
                if is_right:
                    self._obey(told[1], told[4:-2])

    def _obey(self, code: int, data: bytes) -> None:
        if code == ACK:
            self._acknowledged()
        elif code == ASK_REVISION:
            self.send(packet(REVISION, b"NBRFMAAC"))
        elif code == START:
            self.triggered_count += 1
            self.send(packet(ACK, b""))
        elif code == BEEP:
            self.send(packet(ACK, b""))
            if self._answer is not None and not self._answer.done() and data[0] in BEEPS:
                self._answer.set_result(BEEPS[data[0]])

    def _acknowledged(self) -> None:
        if self._attempts_count and self._waiting:
            self.emit(Seen.CODE, self._waiting.popleft())
            self._attempts_count = 0
            self._send_first()
