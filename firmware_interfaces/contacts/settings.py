"""What box.toml says about doors on the pins of a GPIO chip."""

from typing import Literal, Self

from pydantic import Field, model_validator

from firmware_interfaces.wired_door import WiredDoor
from firmware_interfaces.wiring import Wiring, different

DOORS_COUNT_MAX = 32


class ContactsLine(Wiring):
    """A `[[line]]` of family contacts: pins are counted as the chip counts its lines.

    Attributes:
        bias: resistor that the chip connects to its inputs.
        strike_on: level of the output that pulls a strike; 0 for relay boards that want low.
    """

    family: Literal["contacts"]
    bias: Literal["pull_up", "pull_down", "none"] = "pull_up"
    strike_on: Literal[0, 1] = 1
    devices: tuple[WiredDoor, ...] = Field(min_length=1, max_length=DOORS_COUNT_MAX)

    @model_validator(mode="after")
    def _different(self) -> Self:
        different("name", [door.name for door in self.devices])
        different("pin", [*self.inputs(), *self.outputs()])
        return self

    def inputs(self) -> list[int]:
        """Pins of contacts and buttons, in the order of the table."""
        pins = (pin for door in self.devices for pin in (door.contact, door.button))
        return [pin for pin in pins if pin is not None]

    def outputs(self) -> list[int]:
        """Pins of strikes, in the order of the table."""
        return [door.strike for door in self.devices if door.strike is not None]
