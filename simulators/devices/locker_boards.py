"""What locker boards of each kind understand and say; written apart from the box's own codec."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

OPEN = "open"
STATUS = "status"
EVERY_LOCK = -1


@dataclass(frozen=True, slots=True)
class Request:
    """What the box wants: `act` of `lock` (0 and up, or EVERY_LOCK) on `board`."""

    act: str
    board: int
    lock: int


@dataclass(frozen=True, slots=True)
class Tongue:
    """How one kind of board talks.

    Attributes:
        locks_count: of one board.
        request_bytes: of each request; a WKLY request may be a byte shorter.
        understand: a request, or None.
        status: board, bits of closed doors (lock 1 lowest), lock that was asked about: the answer.
        opened: board and lock: the answer to `open`; empty for none.
    """

    locks_count: int
    request_bytes: tuple[int, ...]
    understand: Callable[[bytes], Request | None]
    status: Callable[[int, int, int], bytes]
    opened: Callable[[int, int], bytes]


def _sum(body: bytes) -> bytes:
    return body + (sum(body) % 256).to_bytes()


def _xor(body: bytes) -> bytes:
    return body + reduce(xor, body, 0).to_bytes()


def _cu16(raw: bytes) -> Request | None:
    if raw[0] != 2 or raw[3] != 3 or _sum(raw[:-1]) != raw:
        return None
    if raw[2] == 0x31:
        return Request(OPEN, raw[1] >> 4, raw[1] & 15)
    return Request(STATUS, raw[1] >> 4, EVERY_LOCK) if raw[2] == 0x30 else None


def _cu48(raw: bytes) -> Request | None:
    if raw[0] != 2 or raw[4] != 3 or _sum(raw[:-1]) != raw:
        return None
    if raw[3] == 0x61:
        return Request(OPEN, raw[1], raw[2])
    return Request(STATUS, raw[1], EVERY_LOCK) if raw[3] == 0x60 else None


def _xor_board(raw: bytes) -> Request | None:
    if reduce(xor, raw, 0):
        return None
    if raw[0] == 0x8A and raw[3] == 0x11 and raw[2]:
        return Request(OPEN, raw[1], raw[2] - 1)
    is_status = raw[0] == 0x80 and raw[2:4] == b"\x00\x33"
    return Request(STATUS, raw[1], EVERY_LOCK) if is_status else None


def _wkly(raw: bytes) -> Request | None:
    if raw[:4] != b"WKLY" or raw[4] != len(raw) or reduce(xor, raw, 0):
        return None
    if raw[6] == 0x82 and len(raw) == 9:
        return Request(OPEN, raw[5], raw[7] - 1)
    is_status = raw[6] == 0x84 and len(raw) == 8
    return Request(STATUS, raw[5], EVERY_LOCK) if is_status else None


def _winnsen(raw: bytes) -> Request | None:
    if raw[:2] != b"\x90\x06" or raw[5] != 3 or not 1 <= raw[4] <= 16:
        return None
    act = {5: OPEN, 0x12: STATUS}.get(raw[2])
    return Request(act, raw[3], raw[4] - 1) if act else None


def wkly_moved(board: int, lock: int, *, is_open: bool) -> bytes:
    """What a WKLY board says unasked when a door moves."""
    return _xor(b"WKLY" + bytes([10, board, 0x85, lock + 1, not is_open]))


def _wkly_status(board: int, closed: int, _: int) -> bytes:
    doors = bytes(closed >> lock & 1 for lock in range(24))
    return _xor(b"WKLY" + bytes([34, board, 0x84, 0, 24]) + doors)


def _winnsen_status(board: int, closed: int, lock: int) -> bytes:
    return bytes([0x90, 7, 0x92, board, not closed >> lock & 1, lock + 1, 3])


TONGUES: Final = {
    "locker_cu16": Tongue(
        16,
        (5,),
        _cu16,
        lambda board, closed, _: _sum(
            bytes([2, board << 4, 0x35, closed & 255, closed >> 8, 0, 0, 3])
        ),
        lambda _board, _lock: b"",
    ),
    "locker_cu48": Tongue(
        48,
        (6,),
        _cu48,
        lambda board, closed, _: _sum(bytes([2, board, 0, 0x75, 6]) + closed.to_bytes(6, "little")),
        lambda board, lock: _sum(bytes([2, board, lock, 0x75, 0])),
    ),
    "locker_xor": Tongue(
        24,
        (5,),
        _xor_board,
        lambda board, closed, _: _xor(bytes([0x80, board]) + closed.to_bytes(3) + b"\x33"),
        lambda board, lock: _xor(bytes([0x8A, board, lock + 1, 0])),
    ),
    "locker_wkly": Tongue(
        24,
        (8, 9),
        _wkly,
        _wkly_status,
        lambda board, lock: _xor(b"WKLY" + bytes([11, board, 0x82, 0, lock + 1, 0])),
    ),
    "locker_winnsen": Tongue(
        16,
        (6,),
        _winnsen,
        _winnsen_status,
        lambda board, lock: bytes([0x90, 7, 0x85, board, lock + 1, 1, 3]),
    ),
}
