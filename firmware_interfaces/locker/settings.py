"""What box.toml says about a line of KR-CU16 locker boards."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_interfaces.locker.codec import LOCKS_PER_BOARD
from firmware_interfaces.wiring import DeviceName, Wiring, different

BOARDS_COUNT_MAX = 16


class LockerBank(BaseModel):
    """Compartments 1 to `compartments`, wired to boards `address`, `address` + 1 and so on.

    Attributes:
        address: number of the first board, as set by its switches.
        compartments: how many locks are wired, in order, from lock 1 of the first board.
        hook_when_locked: the hook bit's value when the door is locked; boards differ.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    address: int = Field(default=0, ge=0, lt=BOARDS_COUNT_MAX)
    compartments: int = Field(default=16, ge=1, le=LOCKS_PER_BOARD * BOARDS_COUNT_MAX)
    hook_when_locked: Literal[0, 1] = 1

    def boards(self) -> range:
        """The boards of this bank."""
        boards_count = -(-self.compartments // LOCKS_PER_BOARD)
        return range(self.address, self.address + boards_count)


class LockerLine(Wiring):
    """A `[[line]]` of family locker_cu16."""

    family: Literal["locker_cu16"]
    baud: int = Field(default=19_200, ge=300, le=921_600)
    devices: tuple[LockerBank, ...] = Field(min_length=1, max_length=BOARDS_COUNT_MAX)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        different("name", [device.name for device in self.devices])
        boards = [board for device in self.devices for board in device.boards()]
        different("address (board)", boards)
        if max(boards) >= BOARDS_COUNT_MAX:
            raise ValueError(f"address and compartments reach past board {BOARDS_COUNT_MAX - 1}")
        return self
