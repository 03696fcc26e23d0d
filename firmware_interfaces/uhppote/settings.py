"""What box.toml says about a UHPPOTE board."""

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_interfaces.wiring import DeviceName, Wiring, different

# Here and not beside the packets: the settings of a box without such boards load no codec.
DOORS_COUNT: Final = 4


class UhppoteDoor(BaseModel):
    """One door of the board.

    Attributes:
        door: 1 to 4, as printed on the board.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    door: int = Field(ge=1, le=DOORS_COUNT)


class UhppoteLine(Wiring):
    """A `[[line]]` of family uhppote; its port is udp://ADDRESS:60000.

    Attributes:
        serial: the board's serial number, as printed on it.
        history_max: events that happened while the box was away and are fetched at most.
    """

    family: Literal["uhppote"]
    serial: int = Field(ge=1, lt=2**32)
    history_max: int = Field(default=10_000, ge=0, le=1_000_000)
    devices: tuple[UhppoteDoor, ...] = Field(min_length=1, max_length=DOORS_COUNT)

    @model_validator(mode="after")
    def _different(self) -> Self:
        different("name", [device.name for device in self.devices])
        different("door", [device.door for device in self.devices])
        return self
