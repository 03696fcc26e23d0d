"""A serial scanner, and the person who holds a code in front of it."""

from enum import Enum

from simulators.devices.far_device import FarDevice

WAIT_S_MAX = 3.0


class Answered(Enum):
    """What the scanner's beeper said after a scan."""

    GOOD = "good"
    BAD = "bad"
    NOTHING = "nothing"


class Scanner(FarDevice):
    """One scanner; scans of one scanner wait for each other."""

    def __init__(self, name: str, *, end: str = "\r") -> None:
        super().__init__(name)
        raise NotImplementedError

    async def scan(self, text: str, wait_s: float = WAIT_S_MAX) -> Answered:
        """Read a code out and wait for the answer."""
        raise NotImplementedError
