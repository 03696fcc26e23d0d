"""A serial scanner, and the person who holds a code in front of it."""

import asyncio
from enum import Enum

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice

WAIT_S_MAX = 3.0
HEARD_BYTES_MAX = 64

GOOD = b"\x1b7,"  # Honeywell's host escape commands
BAD = b"\x1b8,"


class Answered(Enum):
    """What the scanner's beeper said after a scan."""

    GOOD = "good"
    BAD = "bad"
    NOTHING = "nothing"


class Scanner(FarDevice):
    """One scanner; scans of one scanner wait for each other."""

    def __init__(self, name: str, *, end: str = "\r") -> None:
        super().__init__(name)
        self._end = end
        self._heard = b""
        self._answer: asyncio.Future[Answered] | None = None
        self._turn = asyncio.Lock()

    async def scan(self, text: str, wait_s: float = WAIT_S_MAX) -> Answered:
        """Read a code out and wait for the answer."""
        async with self._turn:
            self._answer = asyncio.get_running_loop().create_future()
            self.read_out(text)
            try:
                async with asyncio.timeout(wait_s):
                    return await self._answer
            except TimeoutError:
                return Answered.NOTHING
            finally:
                self._answer = None

    def read_out(self, text: str) -> None:
        """Send a code without waiting for anything."""
        whole = (text + self._end).encode()

        def crossed(data: bytes) -> None:
            if data == whole:
                self.emit(Seen.CODE, text)

        self.send(whole, crossed)

    def hear(self, data: bytes) -> None:
        """Beep when the box says so."""
        self._heard = (self._heard + data)[-HEARD_BYTES_MAX:]
        for beep, answered in ((GOOD, Answered.GOOD), (BAD, Answered.BAD)):
            if beep in self._heard:
                self._heard = b""
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(answered)
