"""Frames of the KR-CU16: `02 ADDR CMD [DATA] 03 SUM`, ADDR = board << 4 | lock.

SUM is the low byte of the sum of everything before it. The manual was not to be had: the frames
are those on which two public drivers agree.
"""

from dataclasses import dataclass

START = 0x02
END = 0x03
ASK_STATUS = 0x30
OPEN_LOCK = 0x31
STATUS = 0x35
STATUS_BYTES = 9
LOCKS_PER_BOARD = 16


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """What one board says of its sixteen locks.

    Attributes:
        board: 0 to 15.
        hooks: 16 bits, lock 1 lowest; the meaning of 1 is the bank's `hook_when_locked`.
    """

    board: int
    hooks: int


def frame(address: int, command: int, data: bytes = b"") -> bytes:
    """Wrap a command; address 0 to 255."""
    body = bytes([START, address, command, *data, END])
    return body + bytes([sum(body) & 0xFF])


def ask_status(board: int) -> bytes:
    """Ask one board, 0 to 15, for its locks."""
    return frame(board << 4, ASK_STATUS)


def open_lock(board: int, lock: int) -> bytes:
    """Tell one lock, 0 to 15, of one board to open."""
    return frame(board << 4 | lock, OPEN_LOCK)


class StatusReader:
    """Finds whole status frames in any split of a noisy stream; keeps at most one frame."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[BoardStatus]:
        """Take in bytes; what is no status frame is passed over."""
        found = []
        self._rest += data
        while self._rest:
            if _cannot_begin(self._rest):
                del self._rest[0]
            elif len(self._rest) < STATUS_BYTES:
                break
            elif _is_status(self._rest[:STATUS_BYTES]):
                board, hooks = self._rest[1] >> 4, self._rest[3] | self._rest[4] << 8
                found.append(BoardStatus(board, hooks))
                del self._rest[:STATUS_BYTES]
            else:
                del self._rest[0]
        return found


def _cannot_begin(data: bytearray) -> bool:
    return data[0] != START or (len(data) > 2 and data[2] != STATUS)


def _is_status(data: bytearray) -> bool:
    return data[-2] == END and sum(data[:-1]) & 0xFF == data[-1] and data[1] & 0x0F == 0
