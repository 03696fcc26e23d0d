"""The rules a plan may hold besides tiers and wagers: shares, rates, quality, pools, deductions."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agreed.limits import AMOUNT_FEN_MAX, BASIS_POINTS
from agreed.words import say
from cloud.fields import BasisPoints, Fen, Label, Name, Word
from cloud.settlement.bands import Rate
from cloud.settlement.recovering import LEGAL_CAP_BP

ROLES_MAX: Final = 50
SCORE_BP_MAX: Final = 10 * BASIS_POINTS

Score = Annotated[int, Field(ge=0, le=SCORE_BP_MAX)]
Share = Annotated[int, Field(gt=0, le=BASIS_POINTS)]
Amount = Annotated[int, Field(gt=0, le=AMOUNT_FEN_MAX)]


class Frozen(BaseModel):
    """A part of a plan: never changed, and with no fields but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Waterfall(Frozen):
    """Where an order's income goes; the shares of new profit sum to 10,000 bp.

    Attributes:
        platform_bp, tax_bp: of the income, before new profit; platform_bp None: as the packs say.
        retained_bp: what the company keeps; it is the residual of every split.
        senior_wager_bp, middle_bonus_bp, front_line_bp, care_fund_bp: of the new profit.
        income_from: packs whose income may be shared; empty for all.
    """

    platform_bp: BasisPoints | None = None
    tax_bp: BasisPoints = 0
    retained_bp: BasisPoints
    senior_wager_bp: BasisPoints = 0
    middle_bonus_bp: BasisPoints = 0
    front_line_bp: Share
    care_fund_bp: BasisPoints = 0
    income_from: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> "Waterfall":
        total = sum(self.shares().values())
        if total != BASIS_POINTS:
            raise ValueError(
                say("retained_bp: the five shares sum to {total} bp; make them 10000.", total=total)
            )
        if (self.platform_bp or 0) + self.tax_bp > BASIS_POINTS:
            raise ValueError(say("tax_bp: with platform_bp it takes more than the whole income."))
        return self

    def shares(self) -> dict[str, int]:
        """Give the shares of new profit, basis points."""
        return {
            "retained": self.retained_bp,
            "senior_wager": self.senior_wager_bp,
            "middle_bonus": self.middle_bonus_bp,
            "front_line": self.front_line_bp,
            "care_fund": self.care_fund_bp,
        }


class PieceRate(Frozen):
    """What a node of a pack pays at full score, instead of the pack's own rate."""

    pack: Name
    node: Name
    rate_fen: Fen


class CurvePoint(Frozen):
    """At this score, this factor."""

    score_bp: Score
    factor_bp: Rate


class Quality(Frozen):
    """The quality factor by score: straight lines between points, level beyond the last one."""

    points: Annotated[tuple[CurvePoint, ...], Field(min_length=2, max_length=20)]

    @model_validator(mode="after")
    def _check(self) -> "Quality":
        if self.points[0].score_bp:
            raise ValueError(say("points.0.score_bp: the first point must stand at 0."))
        for i, (point, following) in enumerate(pairwise(self.points)):
            if following.score_bp <= point.score_bp:
                raise ValueError(say("points.{i}.score_bp: must rise.", i=i + 1))
            if following.factor_bp < point.factor_bp:
                raise ValueError(
                    say("points.{i}.factor_bp: a better score must not pay less.", i=i + 1)
                )
        return self


class RoleShare(Frozen):
    """What one role of a crew gets; several of the same role share it equally."""

    role: Word
    share_bp: Share


class Split(Frozen):
    """How the crew of a node shares its pay; the shares sum to 10,000 bp."""

    pack: Name
    node: Name
    shares: Annotated[tuple[RoleShare, ...], Field(min_length=2, max_length=ROLES_MAX)]

    @model_validator(mode="after")
    def _check(self) -> "Split":
        total = sum(share.share_bp for share in self.shares)
        if total != BASIS_POINTS:
            raise ValueError(say("shares: sum to {total} bp; make them 10000.", total=total))
        check_unique("shares", (share.role for share in self.shares))
        return self


class Accelerator(Frozen):
    """More for what lies above a target: extra_bp of it, on top of the tiers."""

    target_fen: Amount
    extra_bp: Annotated[Rate, Field(gt=0)]


class Override(Frozen):
    """A leader's part for what the team earns by pieces, without the leader's own."""

    share_bp: Share


class PoolBasis(StrEnum):
    """What counts in a bonus pool besides the weight of the role."""

    HEADS = "heads"  # everybody who did something
    PIECES = "pieces"
    SCORE = "score"  # sum of scores, without vulnerable residents' orders


class BonusPool(Frozen):
    """A part of the front line's share, divided by weights.

    Attributes:
        share_bp: of the front line's share of new profit.
        weights: by role; who worked in none of them gets nothing.
    """

    key: Name
    name_zh: Label
    name_en: Label
    share_bp: Share
    basis: PoolBasis
    weights: Annotated[
        tuple[tuple[Word, Annotated[int, Field(gt=0, le=10_000)]], ...],
        Field(min_length=1, max_length=ROLES_MAX),
    ]

    @model_validator(mode="after")
    def _check(self) -> "BonusPool":
        check_unique("weights", (role for role, _weight in self.weights))
        return self


class MiddleBonus(Frozen):
    """What a manager gets: base × min(cap, OTIF ÷ target) × share of tasks passed on."""

    base_fen: Amount
    target_bp: Share
    cap_bp: Annotated[Rate, Field(gt=0)]


class Draw(Frozen):
    """Pay guaranteed to a role: what the month's earnings lack is advanced.

    Attributes:
        is_recoverable: then it is owed and repaid from later earnings; else it is a bonus.
    """

    role: Word
    guaranteed_fen: Amount
    is_recoverable: bool


class Recovery(Frozen):
    """How much may be deducted in a month for draws and clawbacks together.

    Attributes:
        cap_bp: of the month's commission, never above the legal cap.
        takes_back_refunded: an order that was refunded in full pays nothing.
    """

    cap_bp: Annotated[int, Field(ge=0)] = LEGAL_CAP_BP
    takes_back_refunded: bool = True

    @model_validator(mode="after")
    def _check(self) -> "Recovery":
        if self.cap_bp > LEGAL_CAP_BP:
            raise ValueError(
                say("cap_bp: the law allows {cap} bp of the month's wage.", cap=LEGAL_CAP_BP)
            )
        return self


def check_unique(field: str, keys: Iterable[str]) -> None:
    """Refuse a key that is named twice; for validators."""
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise ValueError(say("{field}: names {key} twice.", field=field, key=twice[0]))
