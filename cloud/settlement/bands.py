"""Tiers: bands of earnings that tile [0, ∞), each with its own rate."""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agreed.limits import AMOUNT_FEN_MAX, BASIS_POINTS
from agreed.money import MoneyError
from agreed.words import say
from cloud.fields import Fen

RATE_BP_MAX = 10 * BASIS_POINTS

Rate = Annotated[int, Field(ge=0, le=RATE_BP_MAX)]
"""Basis points of what is measured; above 10,000 for more than once."""


class TierMode(StrEnum):
    """Which part of the earnings a band's rate applies to."""

    MARGINAL = "marginal"  # the part within the band: continuous, nobody loses by earning more
    FIRST_YUAN = "first_yuan"  # all of it, from the first yuan: jumps at each threshold


class Band(BaseModel):
    """Earnings from `from_fen` up to, not including, `to_fen`; the last one has no end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_fen: Fen
    to_fen: Fen | None = None
    rate_bp: Rate


class Tiers(BaseModel):
    """What a person's pieces of the period are worth, band by band.

    Attributes:
        bands: tile [0, ∞): the first begins at 0, each begins where the one before ends, only
            the last has no end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: TierMode = TierMode.MARGINAL
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _check(self) -> "Tiers":
        trouble = _untiled(self.bands) or (
            _falling(self.bands) if self.mode is TierMode.FIRST_YUAN else None
        )
        if trouble:
            raise ValueError(trouble)
        return self


def tiered_fen(tiers: Tiers, earned_fen: int) -> int:
    """Apply tiers to earnings: one sum over the bands, rounded once, half to even.

    Source: mission, Formulas, Commission.
    """
    if not 0 <= earned_fen <= AMOUNT_FEN_MAX:
        raise MoneyError(f"earned_fen: must lie within 0 and {AMOUNT_FEN_MAX}")
    return half_even(sum(fen * rate_bp for fen, rate_bp in parts(tiers, earned_fen)), BASIS_POINTS)


def parts(tiers: Tiers, earned_fen: int) -> list[tuple[int, int]]:
    """Cut earnings into (fen, rate_bp) by the bands that they reach."""
    if tiers.mode is TierMode.FIRST_YUAN:
        reached = [band for band in tiers.bands if band.from_fen <= earned_fen][-1]
        return [(earned_fen, reached.rate_bp)]
    cut = [
        (min(earned_fen, earned_fen if band.to_fen is None else band.to_fen) - band.from_fen, band)
        for band in tiers.bands
    ]
    return [(fen, band.rate_bp) for fen, band in cut if fen > 0]


def half_even(number: int, divisor: int) -> int:
    """Divide whole numbers, rounded half to even; mirrored for negatives. divisor > 0."""
    whole, rest = divmod(abs(number), divisor)
    whole += rest * 2 > divisor or (rest * 2 == divisor and whole % 2 == 1)
    return -whole if number < 0 else whole


def _untiled(bands: tuple[Band, ...]) -> str | None:
    if bands[0].from_fen:
        return say("bands.0.from_fen: the first band must begin at 0.")
    for i, (band, following) in enumerate(pairwise(bands)):
        if band.to_fen is None:
            return say("bands.{i}.to_fen: only the last band is open; say where it ends.", i=i)
        trouble = _misplaced(i, band.from_fen, band.to_fen, following.from_fen)
        if trouble:
            return trouble
    if bands[-1].to_fen is not None:
        return say("bands.{i}.to_fen: leave it out; the last band has no end.", i=len(bands) - 1)
    return None


def _misplaced(i: int, begin_fen: int, end_fen: int, next_fen: int) -> str | None:
    if end_fen <= begin_fen:
        return say("bands.{i}.to_fen: must be above from_fen.", i=i)
    if next_fen > end_fen:
        return say(
            "bands.{i}.from_fen: no band covers {begin} to {end} fen; begin at {begin}.",
            i=i + 1,
            begin=end_fen,
            end=next_fen,
        )
    if next_fen < end_fen:
        return say(
            "bands.{i}.from_fen: overlaps the band before; begin at {end}.", i=i + 1, end=end_fen
        )
    return None


def _falling(bands: tuple[Band, ...]) -> str | None:
    for i, (band, following) in enumerate(pairwise(bands)):
        if following.rate_bp < band.rate_bp:
            return say(
                "bands.{i}.rate_bp: below the band before, so that one fen more would cut the whole"
                " pay; raise it or use mode marginal.",
                i=i + 1,
            )
    return None
