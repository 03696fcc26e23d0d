"""What box.toml says about a line of Modbus RTU boards."""

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from firmware_interfaces.wired_door import WiredDoor
from firmware_interfaces.wiring import Wiring, different

INPUTS_COUNT_MAX: Final = 64  # of one board

DOORS_COUNT_MAX = 32


class ModbusDoor(WiredDoor):
    """One door on one board; inputs and coils are counted from 0.

    Attributes:
        unit: the board's number.
        contact: input of the door contact; left out where there is none.
        button: input of the exit button; left out where there is none.
    """

    unit: int = Field(default=1, ge=1, le=247)
    contact: int | None = Field(default=None, ge=0, lt=INPUTS_COUNT_MAX)
    button: int | None = Field(default=None, ge=0, lt=INPUTS_COUNT_MAX)

    def inputs_count(self) -> int:
        """How many inputs have to be read for this door; at least one shows that it is there."""
        return 1 + max(self.contact or 0, self.button or 0)


class ModbusLine(Wiring):
    """A `[[line]]` of family modbus."""

    family: Literal["modbus"]
    devices: tuple[ModbusDoor, ...] = Field(min_length=1, max_length=DOORS_COUNT_MAX)

    @model_validator(mode="after")
    def _different(self) -> Self:
        different("name", [door.name for door in self.devices])
        strikes = [(d.unit, d.strike) for d in self.devices if d.strike is not None]
        different("unit and strike", [f"{unit}/{strike}" for unit, strike in strikes])
        return self
