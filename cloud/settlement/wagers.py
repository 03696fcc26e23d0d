"""The wager (对赌) between the company and a senior manager: terms, signatures, payoff."""

from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final

from pydantic import Field, model_validator

from agreed.limits import AMOUNT_FEN_MAX
from agreed.words import say
from cloud.fields import Fen, Label, Name, WallMs, Word
from cloud.settlement.bands import Rate, half_even
from cloud.settlement.periods import is_period
from cloud.settlement.terms import Amount, Frozen

PERIODS_MAX: Final = 60
HASH_CHARACTERS: Final = 16


class Measure(StrEnum):
    """What is wagered on, summed over the site's orders."""

    NEW_PROFIT = "new_profit"
    INCOME = "income"


class Mode(StrEnum):
    """What the difference between actual and target moves."""

    SWING = "swing"  # both ways, within the collar
    COMPENSATION = (
        "compensation"  # the senior makes good a shortfall, in proportion, up to the stake
    )


class Side(StrEnum):
    """Who signs, and whose escrow it is."""

    COMPANY = "company"
    SENIOR = "senior"


class Target(Frozen):
    """What is promised for one period."""

    period: str
    target_fen: Fen

    @model_validator(mode="after")
    def _check(self) -> "Target":
        if not is_period(self.period):
            raise ValueError(say("period: write the month as 2026-03."))
        return self


class Signature(Frozen):
    """Who signed for a side, when, and which terms: `Wager.terms_hash`."""

    side: Side
    who: Word
    at_ms: WallMs
    terms: str


class WagerTerms(Frozen):
    """A wager over several periods, before anybody signs.

    Attributes:
        senior: whom it pays, and whose stake it takes.
        targets: one for each period, in order; they count together.
        participation_bp: how much of the difference moves.
        up_fen: the most that the company ever pays; its stake.
        down_fen: the most that the senior ever pays; the senior's stake.
        dead_band_fen: differences up to this move nothing.
        gives_back: what was paid may flow back when later periods turn.
    """

    key: Name
    name_zh: Label
    name_en: Label
    senior: Word
    measure: Measure = Measure.NEW_PROFIT
    mode: Mode = Mode.SWING
    targets: Annotated[tuple[Target, ...], Field(min_length=1, max_length=PERIODS_MAX)]
    participation_bp: Annotated[Rate, Field(gt=0)] = 10_000
    up_fen: Fen
    down_fen: Amount
    dead_band_fen: Fen = 0
    gives_back: bool = False

    @model_validator(mode="after")
    def _check_terms(self) -> "WagerTerms":
        periods = [target.period for target in self.targets]
        if sorted(set(periods)) != periods:
            raise ValueError(say("targets: name each month once, in order."))
        if self.mode is Mode.COMPENSATION and (self.up_fen or not sum(self._promised())):
            raise ValueError(
                say("up_fen: a compensation pays one way; set it to 0, and targets above 0.")
            )
        return self

    def terms_hash(self) -> str:
        """Name these terms by their content, so that a signature fits no others."""
        content = self.model_dump_json(exclude={"signatures"})
        return sha256(content.encode()).hexdigest()[:HASH_CHARACTERS]

    def promised_fen(self, period: str) -> int | None:
        """Sum the targets up to a period; None outside the wager's term."""
        if period not in {target.period for target in self.targets}:
            return None
        return sum(target.target_fen for target in self.targets if target.period <= period)

    def stakes_fen(self, paid_fen: int) -> tuple[int, int]:
        """Say what the company's and the senior's escrow must hold after what was paid."""
        return self.up_fen - max(0, paid_fen), self.down_fen - max(0, -paid_fen)

    def _promised(self) -> list[int]:
        return [target.target_fen for target in self.targets]


class Wager(WagerTerms):
    """A wager that both sides have signed, these very terms."""

    signatures: tuple[Signature, ...] = ()

    @model_validator(mode="after")
    def _check_signatures(self) -> "Wager":
        for side in Side:
            self._check_signed(side)
        return self

    def _check_signed(self, side: Side) -> None:
        terms = self.terms_hash()
        signed = [s for s in self.signatures if s.side is side]
        if not signed:
            raise ValueError(
                say("signatures: {side} has not signed; terms are {terms}.", side=side, terms=terms)
            )
        if any(s.terms != terms for s in signed):
            raise ValueError(
                say(
                    "signatures: {side} signed other terms; have {terms} signed.",
                    side=side,
                    terms=terms,
                )
            )


def payoff_fen(wager: WagerTerms, period: str, actual_fen: int) -> int:
    """Say what the whole wager pays up to a period; > 0 to the senior, < 0 by the senior.

    Args:
        wager: signed terms.
        period: one of the wager's targets.
        actual_fen: measured from its first period to this one; signed.

    Source: mission, Formulas, Wager.
    """
    promised = wager.promised_fen(period)
    assert promised is not None
    assert abs(actual_fen) <= AMOUNT_FEN_MAX
    difference_fen = actual_fen - promised
    if wager.mode is Mode.COMPENSATION:
        total_fen = sum(target.target_fen for target in wager.targets)
        owed_fen = half_even(max(0, -difference_fen) * wager.down_fen, total_fen)
        return -min(owed_fen, wager.down_fen)
    if abs(difference_fen) <= wager.dead_band_fen:
        return 0
    beyond_fen = difference_fen - (
        wager.dead_band_fen if difference_fen > 0 else -wager.dead_band_fen
    )
    moved_fen = half_even(beyond_fen * wager.participation_bp, 10_000)
    return max(-wager.down_fen, min(moved_fen, wager.up_fen))


def due_fen(wager: WagerTerms, payoff: int, paid_fen: int) -> int:
    """Say what this period moves, once earlier periods have moved `paid_fen`.

    Without giving back, money that went one way never returns.
    """
    due = payoff - paid_fen
    if wager.gives_back or not paid_fen:
        return due
    return max(0, due) if paid_fen > 0 else min(0, due)
