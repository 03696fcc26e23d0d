"""What box.toml says about a line with a serial scanner."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firmware_interfaces.wiring import DeviceName, Wiring


class ScannerDevice(BaseModel):
    """The scanner at the end of the line.

    Attributes:
        ends: what ends a code: CR, LF, either of them (CRLF too), or silence alone.
        idle_ms: silence after which an unfinished code counts as finished; 0 for never.
        length_max: bytes of a code; longer ones are dropped whole.
        beeps: whose command language the answer is beeped in; none keeps silent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    ends: Literal["cr", "lf", "cr_lf", "silence"] = "cr_lf"
    idle_ms: int = Field(default=150, ge=0, le=2_000)
    length_max: int = Field(default=512, ge=1, le=4_096)
    beeps: Literal["honeywell", "datalogic", "none"] = "honeywell"

    @model_validator(mode="after")
    def _ends_somehow(self) -> Self:
        if self.ends == "silence" and self.idle_ms == 0:
            raise ValueError('ends = "silence" needs idle_ms above 0')
        return self


class ScannerLine(Wiring):
    """A `[[line]]` of family scanner."""

    family: Literal["scanner"]
    devices: tuple[ScannerDevice] = Field(min_length=1, max_length=1)
