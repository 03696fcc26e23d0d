"""What box.toml says about a line with a serial scanner."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from firmware_interfaces.wiring import DeviceName, Wiring


class ScannerDevice(BaseModel):
    """The scanner at the end of the line.

    Attributes:
        ends: what ends a code: any of cr, lf (CRLF is both), or silence alone.
        idle_ms: silence after which an unfinished code counts as finished; 0 for never.
        length_max: characters of a code; longer ones are dropped whole.
        beeps: the module that understands our answer; none keeps silent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    ends: Literal["cr", "lf", "cr_lf", "silence"] = "cr_lf"
    idle_ms: int = Field(default=80, ge=0, le=2_000)
    length_max: int = Field(default=512, ge=1, le=4_096)
    beeps: Literal["newland", "none"] = "none"


class ScannerLine(Wiring):
    """A `[[line]]` of family scanner."""

    family: Literal["scanner"]
    devices: tuple[ScannerDevice] = Field(min_length=1, max_length=1)
