"""How much the card still takes: telemetry is given up first, then what is only about to begin."""

from enum import IntEnum
from typing import Final

from agreed.records import Durability

MIB: Final = 1024 * 1024
EASE_PERCENT: Final = 125
"""Of a threshold: room that must be there again before a class is taken again."""


class Room(IntEnum):
    """How much room there is."""

    AMPLE = 0
    SCARCE = 1  # no telemetry
    LOW = 2  # no telemetry, and nothing that is only about to begin


def judge_room(free_bytes: int, before: Room, telemetry_mib: int, custody_mib: int) -> Room:
    """Say how much room there is, given what was said before: it does not flap.

    Args:
        free_bytes: of the card, with what the journal has freed within itself.
        before: the last answer.
        telemetry_mib: below it there is no room for telemetry.
        custody_mib: below it nothing new begins.
    """
    if _is_below(free_bytes, custody_mib, was_below=before >= Room.LOW):
        return Room.LOW
    is_scarce = _is_below(free_bytes, telemetry_mib, was_below=before >= Room.SCARCE)
    return Room.SCARCE if is_scarce else Room.AMPLE


def takes(room: Room, durability: Durability, *, is_action: bool) -> bool:
    """Say whether a class is taken; what has already happened always is, while it can be.

    Args:
        room: how much there is.
        durability: the class.
        is_action: whether something only happens if it is taken.
    """
    if durability is Durability.TELEMETRY:
        return room < Room.SCARCE
    return not (is_action and room >= Room.LOW)


def _is_below(free_bytes: int, threshold_mib: int, *, was_below: bool) -> bool:
    percent = EASE_PERCENT if was_below else 100
    return free_bytes * 100 < threshold_mib * MIB * percent
