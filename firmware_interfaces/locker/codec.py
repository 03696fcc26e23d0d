"""Frames of locker boards: questions out, and statuses found in any split of a noisy stream.

KR-CU16   `02 ADDR CMD [DATA] 03 SUM`, ADDR = board << 4 | lock, SUM the low byte of the sum before
KR-CU48   `02 ADDR LOCK CMD 03 SUM`; its status `02 ADDR 00 75 06 D1..D6 SUM`
8A/80     `8A|80 ADDR LOCK CODE XOR`; its status `80 ADDR S3 S2 S1 33 XOR`, S1 is locks 1 to 8
WKLY      `57 4B 4C 59 LENGTH ADDR CMD DATA XOR`; 84 all doors, 85 said unasked when a door moves
Winnsen   `90 06 CODE ADDR LOCK 03`, one lock at a time; its status `90 07 92 ADDR .. .. 03`, no sum

No maker's manual was to be had: `tests/vectors/` says which public drivers each frame is from.
"""

from collections.abc import Callable
from dataclasses import dataclass

START = 0x02
END = 0x03
ASK_STATUS = 0x30
OPEN_LOCK = 0x31
STATUS = 0x35
STATUS_BYTES = 9
LOCKS_PER_BOARD = 16

CU48_BYTES = 12
XOR_BYTES = 7
WKLY_START = b"WKLY"
WKLY_BYTES_MIN = 8
WKLY_BYTES_MAX = 48
WINNSEN_START = 0x90
WINNSEN_BYTES = 7


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """What one board says of its locks.

    Attributes:
        board: its number.
        hooks: a bit a lock, lock 1 lowest; 1 = locked as the board leaves the factory.
        told: the locks that this status tells of; all sixteen unless said otherwise.
        is_unasked: whether the board said it by itself.
    """

    board: int
    hooks: int
    told: int = (1 << LOCKS_PER_BOARD) - 1
    is_unasked: bool = False


@dataclass(frozen=True, slots=True)
class Replies:
    """How statuses of one kind of board are found.

    Attributes:
        measure: how many bytes the frame that begins here has, as far as can be told (more than
            are held: wait); 0 if none can begin here.
        read: the status of a frame of that many bytes; None when it is none.
    """

    measure: Callable[[bytearray], int]
    read: Callable[[bytes], BoardStatus | None]


def frame(address: int, command: int, data: bytes = b"") -> bytes:
    """Wrap a command of the KR-CU16; address 0 to 255."""
    return _summed(bytes([START, address, command, *data, END]))


def ask_status(board: int) -> bytes:
    """Ask one KR-CU16, 0 to 15, for its locks."""
    return frame(board << 4, ASK_STATUS)


def open_lock(board: int, lock: int) -> bytes:
    """Tell one lock, 0 to 15, of one KR-CU16 to open."""
    return frame(board << 4 | lock, OPEN_LOCK)


def cu48_frame(board: int, lock: int, command: int) -> bytes:
    """Wrap a command of the KR-CU48: 60 asks for all locks (lock 0), 61 opens lock 0 to 47."""
    return _summed(bytes([START, board, lock, command, END]))


def xor_frame(start: int, board: int, lock: int, code: int) -> bytes:
    """Wrap a command of an 8A/80 board: 8A .. 11 opens lock 1 to 24, 80 .. 33 asks for all."""
    return _xored(bytes([start, board, lock, code]))


def wkly_frame(board: int, command: int, data: bytes = b"") -> bytes:
    """Wrap a command of a WKLY board: 82 opens the lock in `data`, 84 asks for all."""
    length = WKLY_BYTES_MIN + len(data)
    return _xored(bytes([*WKLY_START, length, board, command, *data]))


def winnsen_frame(board: int, lock: int, code: int) -> bytes:
    """Wrap a command of a Winnsen board: 05 opens lock 1 to 16, 12 asks for it."""
    return bytes([WINNSEN_START, 6, code, board, lock, END])


class StatusReader:
    """Finds whole statuses in any split of a noisy stream; keeps at most one frame."""

    def __init__(self, replies: Replies | None = None) -> None:
        self._replies = replies or CU16_REPLIES
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[BoardStatus]:
        """Take in bytes; what is no status is passed over."""
        found = []
        self._rest += data
        while self._rest:
            length = self._replies.measure(self._rest)
            if length > len(self._rest):
                break
            status = self._replies.read(bytes(self._rest[:length])) if length else None
            if status is None:
                del self._rest[0]
            else:
                found.append(status)
                del self._rest[:length]
        return found


def _summed(body: bytes) -> bytes:
    return body + bytes([sum(body) & 0xFF])


def _xored(body: bytes) -> bytes:
    return body + bytes([_xor(body)])


def _xor(data: bytes) -> int:
    xor = 0
    for byte in data:
        xor ^= byte
    return xor


def _fixed(head: dict[int, int], length: int) -> Callable[[bytearray], int]:
    """Measure frames of one length whose bytes at some places are known."""

    def measure(held: bytearray) -> int:
        matches = all(held[place] == byte for place, byte in head.items() if place < len(held))
        return length if matches else 0

    return measure


def _read_cu16(raw: bytes) -> BoardStatus | None:
    if raw[-2] != END or raw[1] & 0x0F or _summed(raw[:-1]) != raw:
        return None
    return BoardStatus(raw[1] >> 4, raw[3] | raw[4] << 8)


def _read_cu48(raw: bytes) -> BoardStatus | None:
    if _summed(raw[:-1]) != raw:
        return None
    return BoardStatus(raw[1], int.from_bytes(raw[5:11], "little"), told=(1 << 48) - 1)


def _read_xor(raw: bytes) -> BoardStatus | None:
    if _xor(raw):
        return None
    return BoardStatus(raw[1], int.from_bytes(raw[2:5], "big"), told=(1 << 24) - 1)


def _measure_wkly(held: bytearray) -> int:
    if not WKLY_START.startswith(held[:4]):
        return 0
    if len(held) <= len(WKLY_START):
        return len(WKLY_START) + 1
    return held[4] if WKLY_BYTES_MIN <= held[4] <= WKLY_BYTES_MAX else 0


def _read_wkly(raw: bytes) -> BoardStatus | None:
    if _xor(raw):
        return None
    board, command, data = raw[5], raw[6], raw[7:-1]
    if command == 0x84 and len(data) >= 2 and data[0] == 0 and len(data) == 2 + data[1]:
        return _wkly_status(board, data[2:], first=0, is_unasked=False)
    if command == 0x85 and len(data) == 2 and 1 <= data[0] <= 24:
        return _wkly_status(board, data[1:], first=data[0] - 1, is_unasked=True)
    return None


def _wkly_status(board: int, doors: bytes, *, first: int, is_unasked: bool) -> BoardStatus:
    """Doors that are neither 00 open nor 01 closed are not told of."""
    hooks = sum(1 << first + place for place, door in enumerate(doors) if door == 1)
    told = sum(1 << first + place for place, door in enumerate(doors) if door in {0, 1})
    return BoardStatus(board, hooks, told, is_unasked)


def _read_winnsen(raw: bytes) -> BoardStatus | None:
    """Public drivers disagree on which of two bytes is the lock; only one can be: locks begin at 1.

    Its factory state is the other way round: 1 = open.
    """
    state, lock = sorted(raw[4:6])
    if raw[-1] != END or state > 1 or not 1 <= lock <= LOCKS_PER_BOARD:
        return None
    told = 1 << lock - 1
    return BoardStatus(raw[3], 0 if state else told, told)


CU16_REPLIES = Replies(_fixed({0: START, 2: STATUS}, STATUS_BYTES), _read_cu16)
CU48_REPLIES = Replies(_fixed({0: START, 2: 0, 3: 0x75, 4: 6}, CU48_BYTES), _read_cu48)
XOR_REPLIES = Replies(_fixed({0: 0x80, 5: 0x33}, XOR_BYTES), _read_xor)
WKLY_REPLIES = Replies(_measure_wkly, _read_wkly)
WINNSEN_REPLIES = Replies(_fixed({0: WINNSEN_START, 1: 7, 2: 0x92}, WINNSEN_BYTES), _read_winnsen)
