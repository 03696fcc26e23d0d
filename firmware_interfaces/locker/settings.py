"""What box.toml says about a line of locker boards."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agreed.words import say
from firmware_interfaces.locker.codec import LOCKS_PER_BOARD
from firmware_interfaces.locker.kinds import KINDS, BoardKind
from firmware_interfaces.wiring import DeviceName, Wiring, different

BOARDS_COUNT_MAX = 16
PARTS_COUNT_MAX = 256


class LockerBank(BaseModel):
    """Compartments 1 to `compartments`, wired to boards `address`, `address` + 1 and so on.

    Attributes:
        address: number of the first board, as set by its switches.
        compartments: how many locks are wired, in order, from lock 1 of the first board.
        hook_when_locked: 1 as the boards leave the factory; 0 if every door is reported the
            wrong way round.
        locks_per_board: of boards that have fewer locks than their kind can have.
        held_s: how long a door may stand open before that is said; 0: never said.
        says_forced: whether a door that opens without being told to is said to be forced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    address: int = Field(default=0, ge=0, le=255)
    compartments: int = Field(default=16, ge=1, le=PARTS_COUNT_MAX)
    hook_when_locked: Literal[0, 1] = 1
    locks_per_board: int | None = Field(default=None, ge=1, le=48)
    held_s: int = Field(default=0, ge=0, le=86_400)
    says_forced: bool = False

    def boards(self, locks_count: int = LOCKS_PER_BOARD) -> range:
        """The boards of this bank, where a board has so many locks unless the bank says less."""
        boards_count = -(-self.compartments // self.locks_of(locks_count))
        return range(self.address, self.address + boards_count)

    def locks_of(self, locks_count: int) -> int:
        """How many locks each board has."""
        return min(self.locks_per_board or locks_count, locks_count)


class LockerLine(Wiring):
    """A `[[line]]` of any locker family: `kinds.KINDS` says what differs."""

    family: Literal["locker_cu16", "locker_cu48", "locker_xor", "locker_wkly", "locker_winnsen"]
    baud: int = Field(default=19_200, ge=300, le=921_600)
    devices: tuple[LockerBank, ...] = Field(min_length=1, max_length=BOARDS_COUNT_MAX)

    @property
    def kind(self) -> BoardKind:
        """What kind of boards these are."""
        return KINDS[self.family]

    @model_validator(mode="before")
    @classmethod
    def _factory_baud(cls, table: Any) -> Any:
        if isinstance(table, dict) and table.get("family") in KINDS:
            return {"baud": KINDS[table["family"]].baud} | table
        return table

    @model_validator(mode="after")
    def _apart(self) -> Self:
        different("name", [device.name for device in self.devices])
        kind = self.kind
        boards = [n for device in self.devices for n in device.boards(kind.locks_count)]
        different("address (board)", boards)
        if min(boards) < kind.numbers[0]:
            raise ValueError(
                say("address: boards of this family begin at {number}", number=kind.numbers[0])
            )
        if max(boards) > kind.numbers[-1]:
            raise ValueError(
                say("address and compartments reach past board {number}", number=kind.numbers[-1])
            )
        if len(boards) > BOARDS_COUNT_MAX:
            raise ValueError(say("a line has at most {count} boards", count=BOARDS_COUNT_MAX))
        return self
