"""Telemetry is given up first, then what is only about to begin; never what already happened."""

import pytest

from agreed.records import Durability
from edge.room import MIB, Room, judge_room, takes


@pytest.mark.parametrize(
    ("free_mib", "before", "after"),
    [
        (64, Room.AMPLE, Room.AMPLE),
        (63, Room.AMPLE, Room.SCARCE),
        (79, Room.SCARCE, Room.SCARCE),
        (80, Room.SCARCE, Room.AMPLE),
        (16, Room.SCARCE, Room.SCARCE),
        (15, Room.AMPLE, Room.LOW),
        (19, Room.LOW, Room.LOW),
        (20, Room.LOW, Room.SCARCE),
        (100, Room.LOW, Room.AMPLE),
    ],
)
def test_a_threshold_is_left_only_with_some_room_to_spare(
    free_mib: int, before: Room, after: Room
) -> None:
    assert judge_room(free_mib * MIB, before, 64, 16) is after


def test_what_is_taken_with_how_much_room() -> None:
    taken = {
        room: [
            takes(room, durability, is_action=is_action)
            for durability, is_action in (
                (Durability.TELEMETRY, False),
                (Durability.CUSTODY, True),
                (Durability.CUSTODY, False),
                (Durability.PASSAGE, False),
            )
        ]
        for room in Room
    }
    assert taken == {
        Room.AMPLE: [True, True, True, True],
        Room.SCARCE: [False, True, True, True],
        Room.LOW: [False, False, True, True],
    }
