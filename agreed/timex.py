"""How Linux says whether a time source steers its clock: struct timex, as adjtimex fills it."""

import ctypes
from dataclasses import dataclass
from typing import Final

_STA_UNSYNC: Final = 0x0040


@dataclass(frozen=True, slots=True)
class Discipline:
    """What a kernel says of its clock: whether a time source steers it, and the error in us."""

    is_synced: bool
    error_us_max: int


class Timex(ctypes.Structure):
    """Linux's struct timex; modes 0 only reads. Source: linux/timex.h, adjtimex(2)."""

    _fields_ = [  # type: ignore[mutable-override]
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


def discipline_of(timex: Timex, returned: int) -> Discipline:
    """Read what adjtimex filled in; it returned a negative number where it failed."""
    if returned < 0:
        return Discipline(is_synced=False, error_us_max=0)
    return Discipline(not timex.status & _STA_UNSYNC, max(0, timex.maxerror))
