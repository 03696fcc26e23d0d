"""Gives stakes back once a wager is over or withdrawn: what is left in escrow, to each side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cloud.settlement.running import SETTLEMENT, Extra, RunLine
from cloud.settlement.wagers import Side, Wager
from cloud.settlement.waterfall import BANK, RETAINED, Account, Move, escrow

RELEASE: Final = "release"

TO: Final[Mapping[Side, Account]] = {Side.SENIOR: BANK, Side.COMPANY: RETAINED}
"""The senior's stake goes back through the bank it came from; the company's is its own again."""


class Over(StrEnum):
    """Why stakes go back."""

    TERM = "term"  # the last month of the wager is settled
    WITHDRAWN = "withdrawn"  # the plan in force does not hold the wager any more


@dataclass(frozen=True, slots=True)
class Stakes:
    """What both sides have in escrow, fen, >= 0."""

    company_fen: int
    senior_fen: int

    def of(self, side: Side) -> int:
        """Say what a side has."""
        return self.company_fen if side is Side.COMPANY else self.senior_fen

    def at_most(self, other: "Stakes") -> "Stakes":
        """Give what both have in common, side by side."""
        company_fen = min(self.company_fen, other.company_fen)
        return Stakes(company_fen, min(self.senior_fen, other.senior_fen))


def is_over(wager: Wager, period: str, in_force: Iterable[Wager]) -> Over | None:
    """Say why a wager's stakes go back with the run of a month; None where they stay.

    Args:
        wager: as it was signed last.
        period: the month that is settled.
        in_force: the wagers of that month's plan.
    """
    if wager.key not in {known.key for known in in_force}:
        return Over.WITHDRAWN
    return Over.TERM if period >= wager.targets[-1].period else None


def after_payoff(wager: Wager, stakes: Stakes, extras: Iterable[Extra]) -> Stakes:
    """Take from the escrows what the wager itself moves in the same run."""
    left = {side: stakes.of(side) for side in Side}
    for extra in extras:
        for side in Side:
            if extra.source == escrow(wager.key, side):
                left[side] -= extra.line.amount_fen
    return Stakes(left[Side.COMPANY], left[Side.SENIOR])


def releases(wager: Wager, stakes: Stakes, why: Over) -> list[Extra]:
    """List what a run gives back, each side's rest."""
    extras = []
    for side, to in TO.items():
        fen = stakes.of(side)
        if fen > 0:
            inputs = {"why": str(why), "side": str(side), "senior": wager.senior}
            line = RunLine(to.name, f"{RELEASE}:{wager.key}", fen, f"{fen} fen", inputs)
            extras.append(Extra(line, escrow(wager.key, side), to.kind))
    return extras


def released(wager: Wager, stakes: Stakes, why: Over, at_ms: int) -> list[Move]:
    """Give both sides' rest back at once, outside a run."""
    reason = {"rule": f"{RELEASE}:{wager.key}", "why": str(why), "senior": wager.senior}
    head = f"{RELEASE}/{wager.key}/{at_ms}"
    return [
        Move(f"{head}/{side}", SETTLEMENT, source, to, fen, at_ms, "", reason)
        for side, to in TO.items()
        for source, fen in [(escrow(wager.key, side), stakes.of(side))]
        if fen > 0
    ]
