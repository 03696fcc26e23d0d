"""What box.toml says about a line with a scanner."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agreed.words import say
from firmware_interfaces.scanner.trust import Trusted
from firmware_interfaces.wiring import DeviceName, Wiring

Zone = Annotated[str, Field(pattern=r"^[0-9a-f]{4}$")]
CHECKED_PROTOCOLS = {"ssi", "wedge"}  # their wire notices a flipped bit by itself
NewlandCommand = Annotated[str, Field(pattern=r"^[A-Z0-9]{6,32}$")]


class ScannerDevice(BaseModel):
    """The scanner at the end of the line.

    Attributes:
        ends: what ends a code: CR, LF, either of them (CRLF too), or silence alone.
        idle_ms: silence after which an unfinished code counts as finished; 0 for never.
        length_max: bytes of a code; longer ones are dropped whole.
        beeps: whose command language the answer is beeped in; none keeps silent.
        protocol: text as it leaves the factory; wedge: it plays a keyboard; gm65, newland, ssi:
            it can be asked whether it is there, and told its settings.
        layout: of the keyboard that a wedge plays.
        zones: of a GM65: zone (four hexadecimal digits) and value, written and read back.
        commands: of a Newland: settings such as SCNMOD3.
        codes: which count: those with the check of headquarters, those read twice in a row, or any;
            left out, it is checked where the wire has no check of its own, and any where it has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    ends: Literal["cr", "lf", "cr_lf", "silence"] = "cr_lf"
    idle_ms: int = Field(default=150, ge=0, le=2_000)
    length_max: int = Field(default=512, ge=1, le=4_096)
    beeps: Literal["honeywell", "datalogic", "none"] = "honeywell"
    protocol: Literal["text", "wedge", "gm65", "newland", "ssi"] = "text"
    layout: Literal["us", "de"] = "us"
    zones: dict[Zone, Annotated[int, Field(ge=0, le=255)]] = Field(default={}, max_length=32)
    commands: tuple[NewlandCommand, ...] = Field(default=(), max_length=32)
    codes: Trusted | None = None

    @property
    def trusted(self) -> Trusted:
        """Which codes count."""
        return self.codes or ("any" if self.protocol in CHECKED_PROTOCOLS else "checked")

    @model_validator(mode="after")
    def _ends_somehow(self) -> Self:
        if self.ends == "silence" and self.idle_ms == 0:
            raise ValueError(say('ends = "silence" needs idle_ms above 0'))
        if self.zones and self.protocol != "gm65":
            raise ValueError(say('zones need protocol = "gm65"'))
        if self.commands and self.protocol != "newland":
            raise ValueError(say('commands need protocol = "newland"'))
        if self.protocol not in {"text", "wedge"} and self.idle_ms == 0:
            raise ValueError(say("this protocol needs idle_ms above 0"))
        return self


class ScannerLine(Wiring):
    """A `[[line]]` of family scanner."""

    family: Literal["scanner"]
    devices: tuple[ScannerDevice] = Field(min_length=1, max_length=1)
