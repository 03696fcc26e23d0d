"""What box.toml says about a line with a Wiegand converter."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agreed.words import say
from firmware_interfaces.wiegand.formats import FORMATS, Format, Parity
from firmware_interfaces.wiring import DeviceName, Wiring

CARD_BITS_MAX = 128
READS_COUNT_MAX = 5
READS_COUNT_CHECKED = 2
READS_COUNT_UNCHECKED = 3


class FreeParity(BaseModel):
    """One parity bit of a format of one's own; bits are numbered from 1, the first one sent.

    Attributes:
        at: where it stands.
        first, last: the bits it guards, both included, itself not.
        odd: whether it makes the count of ones odd.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: int = Field(ge=1, le=CARD_BITS_MAX)
    first: int = Field(ge=1, le=CARD_BITS_MAX)
    last: int = Field(ge=1, le=CARD_BITS_MAX)
    odd: bool = False

    @model_validator(mode="after")
    def _guards_others(self) -> Self:
        if not self.first <= self.last or self.first <= self.at <= self.last:
            raise ValueError(say("parities: a parity bit guards first to last, and not itself"))
        return self


class WiegandReader(BaseModel):
    """The reader behind the converter.

    Attributes:
        form: how the converter writes a card: see docs/devices.md.
        format: 26, 34 or 37 bits with the usual parity, free for one's own, raw for none.
        carries: data when the converter took the parity bits away, frame when it did not.
        bits: of a free format, parity included.
        parities: of a free format.
        reads: how often a card must be read before it counts; left out, 2 where a number has a
            check of its own and 3 where it has none. 1 takes what a noisy wire makes of a card.
        again_ms: within which time that often.
        repeat_ms: the same card within this time after it was last read is no second tap.
        idle_ms: silence in the midst of a card after which what was heard of it is dropped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    form: Literal["hex", "decimal", "bits", "stx", "em18"] = "hex"
    format: Literal["26", "34", "37", "free", "raw"] = "26"
    carries: Literal["data", "frame"] = "data"
    bits: int = Field(default=0, ge=0, le=CARD_BITS_MAX)
    parities: tuple[FreeParity, ...] = Field(default=(), max_length=8)
    reads: int | None = Field(default=None, ge=1, le=READS_COUNT_MAX)
    again_ms: int = Field(default=2_000, ge=100, le=10_000)
    repeat_ms: int = Field(default=1_000, ge=0, le=10_000)
    idle_ms: int = Field(default=200, ge=20, le=2_000)

    @model_validator(mode="after")
    def _whole_format(self) -> Self:
        is_free = self.format == "free"
        if is_free != bool(self.bits) or (self.parities and not is_free):
            raise ValueError(say('bits and parities belong to format = "free", which needs bits'))
        places = [parity.at for parity in self.parities]
        if len(set(places)) < len(places) or len(places) >= max(self.bits, 1):
            raise ValueError(
                say("parities: two parity bits stand in one place, or nothing but parity")
            )
        if any(max(parity.at, parity.last) > self.bits for parity in self.parities):
            raise ValueError(say("parities: a place is past the last of bits"))
        return self

    @property
    def has_check(self) -> bool:
        """Whether a number carries something that shows a flipped bit."""
        form = self.card_format()
        has_parity = self.carries == "frame" and form is not None and bool(form.parities)
        return self.form in {"stx", "em18"} or has_parity

    @property
    def reads_count(self) -> int:
        """How often a card must be read before it counts."""
        return self.reads or (READS_COUNT_CHECKED if self.has_check else READS_COUNT_UNCHECKED)

    def card_format(self) -> Format | None:
        """Where the parity bits stand; None when nothing is known of the bits."""
        if self.format == "raw":
            return None
        if self.format == "free":
            parities = [Parity(p.at, p.first, p.last, is_odd=p.odd) for p in self.parities]
            return Format(self.bits, tuple(parities))
        return FORMATS[self.format]


class WiegandLine(Wiring):
    """A `[[line]]` of family wiegand."""

    family: Literal["wiegand"]
    devices: tuple[WiegandReader] = Field(min_length=1, max_length=1)
