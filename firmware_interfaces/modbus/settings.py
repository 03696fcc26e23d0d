"""What box.toml says about a line of Modbus RTU boards."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_interfaces.modbus.codec import INPUTS_COUNT_MAX
from firmware_interfaces.wiring import DeviceName, Wiring, different

DOORS_COUNT_MAX = 32


class ModbusDoor(BaseModel):
    """One door on one board; inputs and coils are counted from 0.

    Attributes:
        unit: the board's number.
        strike: coil that lets the door be opened; left out where there is none.
        contact: input of the door contact; left out where there is none.
        closed_when: the contact's value while the door is closed.
        button: input of the exit button; left out where there is none.
        pressed_when: the button's value while it is pressed.
        debounce_ms: how long an input must stay before it counts.
        held_s: how long the door may stand open before that is said; 0: never said.
        says_forced: whether a door that opens without having been let is said to be forced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    unit: int = Field(default=1, ge=1, le=247)
    strike: int | None = Field(default=None, ge=0, lt=65_536)
    contact: int | None = Field(default=None, ge=0, lt=INPUTS_COUNT_MAX)
    closed_when: Literal[0, 1] = 1
    button: int | None = Field(default=None, ge=0, lt=INPUTS_COUNT_MAX)
    pressed_when: Literal[0, 1] = 1
    debounce_ms: int = Field(default=60, ge=0, le=2_000)
    held_s: int = Field(default=30, ge=0, le=86_400)
    says_forced: bool = True

    @model_validator(mode="after")
    def _has_anything(self) -> Self:
        if self.strike is None and self.contact is None and self.button is None:
            raise ValueError("a door needs a strike, a contact or a button")
        return self

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
