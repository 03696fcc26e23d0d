"""What settling a period gives: lines that explain themselves, what stays unpaid, and warnings."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cloud.settlement.facts import Earning
from cloud.settlement.waterfall import Account


class Rule(StrEnum):
    """Which mechanism of the plan a line comes from, in the order in which they apply."""

    WATERFALL = "waterfall"  # new profit to pool, retained, wager, bonus and care
    PIECE = "piece"  # the sum of a person's pieces
    TIER = "tier"  # what tiers make of it, above or below
    ACCELERATOR = "accelerator"
    CAP = "cap"
    FLOOR = "floor"
    OVERRIDE = "override"
    POOL = "pool"  # a share of a bonus pool
    SHORTAGE = "shortage"  # what the site's pool cannot pay yet
    DRAW = "draw"
    RECOVERY = "recovery"
    BONUS = "bonus"  # middle management
    WAGER = "wager"


class Nothing(StrEnum):
    """Why a line says zero."""

    NO_WORK = "no_work"  # no decided node of this person falls into the period
    NO_SCORE = "no_score"  # all nodes were missed, or too late to count
    NO_RATE = "no_rate"  # none of the nodes pays
    REFUNDED = "refunded"  # every order was refunded in full
    NO_PROFIT = "no_profit"  # the orders left no new profit
    NO_ORDERS = "no_orders"  # no order of the team is due
    NOT_PASSED_ON = "not_passed_on"  # no task went on to the team
    IN_DEAD_BAND = "in_dead_band"  # too near the target to move money
    ALREADY_PAID = "already_paid"  # earlier periods paid it
    NOT_FUNDED = "not_funded"  # the escrow does not hold the stakes
    OUT_OF_TERM = "out_of_term"  # the wager names no target for the period
    PROTECTED = "protected"  # the legal cap leaves nothing to deduct
    ON_TARGET = "on_target"  # earned more than is guaranteed


class Rounding(StrEnum):
    """How whole fen came about."""

    EXACT = "exact"
    HALF_EVEN = "half_even"
    LARGEST_REMAINDER = "largest_remainder"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Line:
    """One amount of the period: (payee, rule, subject) is unique.

    Attributes:
        source, payee: where it comes from and goes to; a negative amount goes the other way.
        subject: what of the rule it is about: a team, pool, wager, receivable; "" where one is
            enough.
        amount_fen: signed.
        formula: with the numbers put in; the same in every language.
        inputs: the numbers, for programs.
        nothing: why it is zero; None when it is not.
    """

    rule: Rule
    source: Account
    payee: Account
    subject: str
    amount_fen: int
    formula: str
    inputs: Mapping[str, int]
    rounding: Rounding
    nothing: Nothing | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Name the line within its period."""
        return self.payee.name, self.rule, self.subject


@dataclass(frozen=True, slots=True)
class Piece:
    """What one node earned one person: the detail behind a line of rule PIECE.

    Attributes:
        worker, role: who is paid, and as what.
        rate_fen, factor_bp: piece rate and quality factor in force.
        whole_fen: rate × quantity × factor, before it is shared.
        amount_fen: this person's part of it.
        shares_bp: what the plan gives to each role of a crew; empty for single work.
    """

    earning: Earning
    worker: str
    role: str
    rate_fen: int
    factor_bp: int
    whole_fen: int
    amount_fen: int
    shares_bp: Mapping[str, int] = field(default_factory=dict)

    @property
    def formula(self) -> str:
        """Write how it follows, with the numbers put in."""
        quantity = self.earning.quantity
        text = f"{quantity} × {self.rate_fen} fen × {self.factor_bp} bp ÷ 10000"
        if not self.shares_bp:
            return f"{text} = {self.amount_fen} fen"
        shares = ", ".join(f"{role} {bp}" for role, bp in sorted(self.shares_bp.items()))
        return f"{text} = {self.whole_fen} fen; {shares} bp: {self.amount_fen} fen"


class Carried(StrEnum):
    """Why an amount waits."""

    POOL_SHORT = "pool_short"  # paid as soon as the pool is funded
    BONUS_SHORT = "bonus_short"  # likewise the bonus pool
    RETAINED_SHORT = "retained_short"  # likewise the company's retained profit
    ESCROW_SHORT = "escrow_short"  # likewise the escrow
    LEGAL_CAP = "legal_cap"  # deducted in a later period


@dataclass(frozen=True, slots=True)
class Unpaid:
    """What is due and waits, or is owed and carried forward; amount_fen > 0."""

    payee: Account
    rule: Rule
    subject: str
    amount_fen: int
    why: Carried


class Caution(StrEnum):
    """What somebody should look at before approving."""

    POOL_SHORT = "pool_short"
    LOSS = "loss"  # the orders together cost more than they brought
    INCOME_REFUSED = "income_refused"  # the pack is not on the plan's list; nothing is shared
    ROLE_UNFILLED = "role_unfilled"  # the others share its part
    ROLE_UNKNOWN = "role_unknown"  # not in the split; gets nothing of that work
    WAGER_UNFUNDED = "wager_unfunded"
    NO_WAGE = "no_wage"  # nothing is deducted from somebody whose wage is unknown


@dataclass(frozen=True, slots=True)
class Warned:
    """A caution about a subject: a pack, an order, a wager, a worker."""

    caution: Caution
    subject: str
    amount_fen: int = 0


@dataclass(frozen=True, slots=True)
class PeriodResult:
    """A settled period: lines in canonical order, by payee, rule and subject.

    Attributes:
        pieces: the nodes behind lines of rule PIECE, by payee, order and node.
        new_profit_fen: what the waterfall shared.
        wages_fen: base wages, to compare with it.
    """

    site: str
    period: str
    lines: tuple[Line, ...]
    unpaid: tuple[Unpaid, ...]
    warnings: tuple[Warned, ...]
    pieces: tuple[Piece, ...]
    new_profit_fen: int
    wages_fen: int

    def totals_fen(self) -> dict[Account, int]:
        """Sum the lines by payee, fen."""
        totals: dict[Account, int] = defaultdict(int)
        for line in self.lines:
            totals[line.payee] += line.amount_fen
        return dict(totals)
