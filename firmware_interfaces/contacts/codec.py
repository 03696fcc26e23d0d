"""One pin and its level, as the port of a GPIO chip says and hears it: `C5 PIN2 LEVEL SUM`.

The frame is our own, between a port and its machine: the kernel's interface hands over events and
takes levels. It carries a check so that the same machine may stand behind a wire.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

MARK: Final = 0xC5
_FRAME: Final = Struct(">BHBB")
FRAME_BYTES: Final = _FRAME.size


@dataclass(frozen=True, slots=True)
class Level:
    """What one pin is, or is to be."""

    pin: int
    is_high: bool


def written(level: Level) -> bytes:
    """Write one level."""
    body = _FRAME.pack(MARK, level.pin, level.is_high, 0)[:-1]
    return body + bytes([_sum(body)])


def _sum(body: bytes | bytearray) -> int:
    """Ones' complement of the sum, so that bytes of one value are no frame."""
    return ~sum(body) & 0xFF


class LevelReader:
    """Finds whole frames in any split of a stream; keeps less than one frame."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def reset(self) -> None:
        """Forget an unfinished frame."""
        self._rest.clear()

    def feed(self, data: bytes) -> list[Level]:
        """Take in bytes; what is no frame is passed over."""
        found = []
        self._rest += data
        while len(self._rest) >= FRAME_BYTES:
            mark, pin, level, check = _FRAME.unpack_from(self._rest)
            if mark == MARK and level <= 1 and check == _sum(self._rest[: FRAME_BYTES - 1]):
                found.append(Level(pin, bool(level)))
                del self._rest[:FRAME_BYTES]
            else:
                del self._rest[0]
        return found
