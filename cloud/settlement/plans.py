"""The plan (提成方案): dated rules that turn fulfilment into money, as data."""

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field, model_validator

from agreed.words import say
from cloud.fields import Fen, Label, MaybeWord, Name, Word
from cloud.settlement.bands import Tiers
from cloud.settlement.facts import VULNERABLE
from cloud.settlement.periods import is_period
from cloud.settlement.terms import (
    Accelerator,
    BonusPool,
    Draw,
    Frozen,
    MiddleBonus,
    Override,
    PieceRate,
    Quality,
    Recovery,
    Split,
    Waterfall,
    check_unique,
)
from cloud.settlement.wagers import Wager

RATES_MAX: Final = 2_000
RULES_MAX: Final = 100
STAFF_MAX: Final = 20_000


class Post(Frozen):
    """Who works as what, and in which team; the first post of a person is the usual one."""

    worker: Word
    role: Word
    team: MaybeWord = ""


class TeamPost(Frozen):
    """A team, its leader and its manager; "" for nobody."""

    team: Word
    leader: MaybeWord = ""
    manager: MaybeWord = ""


class Plan(Frozen):
    """One version of a plan; the store numbers versions.

    A period is settled by one plan: the newest version of the site's own plan, or else of the
    company's, whose `from_period` is not later.

    Attributes:
        key: the plan's name within the company; one key for each site, and one for the company.
        site: the site it is for; None for every site without its own.
        from_period: the first local month it is in force, as 2026-03.
        waterfall: M3; the original of that instalment is lost, ours is a reconstruction.
        rates: piece rates instead of the packs'.
        quality: factor by score; without it the factor is the score.
        splits: how crews share; a node without one pays its worker alone.
        cap_fen, floor_fen: of a person's pay by pieces, after tiers and accelerator.
        staff, teams: who the plan is for.
        carved_out: segments of residents left out of every figure of a team.
    """

    key: Name
    name_zh: Label
    name_en: Label
    site: Name | None = None
    from_period: str
    waterfall: Waterfall
    rates: Annotated[tuple[PieceRate, ...], Field(max_length=RATES_MAX)] = ()
    quality: Quality | None = None
    splits: Annotated[tuple[Split, ...], Field(max_length=RATES_MAX)] = ()
    tiers: Tiers | None = None
    accelerator: Accelerator | None = None
    cap_fen: Fen | None = None
    floor_fen: Fen | None = None
    override: Override | None = None
    pools: Annotated[tuple[BonusPool, ...], Field(max_length=RULES_MAX)] = ()
    middle_bonus: MiddleBonus | None = None
    draws: Annotated[tuple[Draw, ...], Field(max_length=RULES_MAX)] = ()
    recovery: Recovery = Recovery()
    wagers: Annotated[tuple[Wager, ...], Field(max_length=RULES_MAX)] = ()
    staff: Annotated[tuple[Post, ...], Field(max_length=STAFF_MAX)] = ()
    teams: Annotated[tuple[TeamPost, ...], Field(max_length=RATES_MAX)] = ()
    carved_out: tuple[Label, ...] = (VULNERABLE,)

    @model_validator(mode="after")
    def _check(self) -> "Plan":
        if not is_period(self.from_period):
            raise ValueError(say("from_period: write the month as 2026-03."))
        for field, keys in self._keys():
            check_unique(field, keys)
        if None not in (self.cap_fen, self.floor_fen) and self.floor_fen > self.cap_fen:  # type: ignore[operator]
            raise ValueError(say("floor_fen: lies above cap_fen."))
        if sum(pool.share_bp for pool in self.pools) > 10_000:
            raise ValueError(say("pools: together they take more than the front line's share."))
        if self.middle_bonus and not self.waterfall.middle_bonus_bp:
            raise ValueError(say("middle_bonus: nothing funds it; raise middle_bonus_bp."))
        return self

    def _keys(self) -> list[tuple[str, Iterable[str]]]:
        return [
            ("rates", (f"{rate.pack}/{rate.node}" for rate in self.rates)),
            ("splits", (f"{split.pack}/{split.node}" for split in self.splits)),
            ("pools", (pool.key for pool in self.pools)),
            ("draws", (draw.role for draw in self.draws)),
            ("wagers", (wager.key for wager in self.wagers)),
            ("teams", (team.team for team in self.teams)),
            ("staff", (f"{p.worker}/{p.role}/{p.team}" for p in self.staff)),
        ]
