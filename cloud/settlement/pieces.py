"""What each node earned each person: rate × quantity × factor, shared by its crew."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from agreed.limits import BASIS_POINTS
from agreed.money import split
from cloud.settlement.bands import half_even
from cloud.settlement.facts import Earning, Facts, Member
from cloud.settlement.plans import Plan
from cloud.settlement.results import Caution, Piece, Warned
from cloud.settlement.terms import Quality


class Seat(NamedTuple):
    """Whose work it is: a person in a role in a team."""

    worker: str
    role: str
    team: str


@dataclass(slots=True)
class Work:
    """What a seat did in a period.

    Attributes:
        piece_fen: the sum of its pieces.
        nodes, rated, refunded: nodes, those that pay at all, those of refunded orders.
        pieces: quantity with a score above 0, without refunded orders.
        score_bp: sum of quantity × score; carved-out segments count in full once done.
    """

    piece_fen: int = 0
    nodes: int = 0
    rated: int = 0
    refunded: int = 0
    pieces: int = 0
    score_bp: int = 0

    def add(self, other: "Work") -> None:
        """Add what another seat did."""
        self.piece_fen += other.piece_fen
        self.nodes += other.nodes
        self.rated += other.rated
        self.refunded += other.refunded
        self.pieces += other.pieces
        self.score_bp += other.score_bp


Gathered = Mapping[Seat, Work]
NodeOfPack = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rates:
    """A plan's rules about nodes, ready to look up."""

    rates_fen: Mapping[NodeOfPack, int]
    shares_bp: Mapping[NodeOfPack, Mapping[str, int]]
    quality: Quality | None
    carved_out: frozenset[str]
    refunded: frozenset[str]


def rates_of(plan: Plan, facts: Facts) -> Rates:
    """Prepare a plan's rules for the nodes of a period."""
    return Rates(
        {(rate.pack, rate.node): rate.rate_fen for rate in plan.rates},
        {(s.pack, s.node): {r.role: r.share_bp for r in s.shares} for s in plan.splits},
        plan.quality,
        frozenset(plan.carved_out),
        refunded_orders(plan, facts),
    )


def refunded_orders(plan: Plan, facts: Facts) -> frozenset[str]:
    """Find the orders that pay nothing because everything went back."""
    if not plan.recovery.takes_back_refunded:
        return frozenset()
    return frozenset(
        order.order_id for order in facts.orders if 0 < order.income_fen <= order.refund_fen
    ) | {earning.order_id for earning in facts.earnings if earning.is_refunded}


def factor_bp(quality: Quality | None, score_bp: int) -> int:
    """Turn a score into a factor: the score itself, or along the plan's curve, half to even."""
    if quality is None:
        return score_bp
    points = quality.points
    if score_bp >= points[-1].score_bp:
        return points[-1].factor_bp
    i = next(i for i, point in enumerate(points) if score_bp < point.score_bp)
    low, high = points[i - 1], points[i]
    rise = (high.factor_bp - low.factor_bp) * (score_bp - low.score_bp)
    return low.factor_bp + half_even(rise, high.score_bp - low.score_bp)


def pieces_of(rates: Rates, earning: Earning) -> list[Piece]:
    """Say what a node pays to each person at it.

    Source: mission, Formulas, Commission, Pool and rounding.
    """
    of = earning.pack, earning.node
    rate_fen = rates.rates_fen.get(of, earning.rate_fen)
    is_refunded = earning.order_id in rates.refunded
    factor = 0 if is_refunded else factor_bp(rates.quality, earning.score_bp)
    whole_fen = half_even(earning.quantity * rate_fen * factor, BASIS_POINTS)
    if not earning.crew:
        seat = earning.worker, earning.role
        return [Piece(earning, *seat, rate_fen, factor, whole_fen, whole_fen)]
    shares = rates.shares_bp.get(of, {})
    weights = crew_weights(earning, shares)
    parts = split(whole_fen, {f"{m.worker}/{m.role}": weight for m, weight in weights.items()})
    shown = shares or dict.fromkeys(sorted({m.role for m in weights}), 0)
    return [
        Piece(
            earning,
            member.worker,
            member.role,
            rate_fen,
            factor,
            whole_fen,
            parts[f"{member.worker}/{member.role}"],
            shown,
        )
        for member in sorted(weights, key=lambda m: (m.worker, m.role))
    ]


def crew_weights(earning: Earning, shares_bp: Mapping[str, int]) -> dict[Member, int]:
    """Weigh a crew: each role's share, equally among those of the role.

    Without a split, or with nobody in any of its roles, all count the same.
    """
    crew = {Member(earning.worker, earning.role), *earning.crew}
    counts = Counter(member.role for member in crew)
    whole = prod(counts.values())
    weights = {m: shares_bp.get(m.role, 0) * whole // counts[m.role] for m in crew}
    return weights if any(weights.values()) else dict.fromkeys(crew, 1)


def gather(rates: Rates, facts: Facts) -> tuple[dict[Seat, Work], list[Piece]]:
    """Add up every node of a period by person, role and team."""
    work: dict[Seat, Work] = defaultdict(Work)
    pieces: list[Piece] = []
    for earning in facts.earnings:
        for piece in pieces_of(rates, earning):
            pieces.append(piece)
            _count(work[Seat(piece.worker, piece.role, earning.team)], piece, rates)
    pieces.sort(key=lambda p: (p.worker, p.earning.order_id, p.earning.node, p.role))
    return dict(work), pieces


def _count(work: Work, piece: Piece, rates: Rates) -> None:
    earning = piece.earning
    work.piece_fen += piece.amount_fen
    work.nodes += 1
    work.rated += piece.rate_fen > 0
    is_refunded = earning.order_id in rates.refunded
    work.refunded += is_refunded
    if earning.score_bp > 0 and not is_refunded:
        is_carved_out = earning.segment in rates.carved_out
        work.pieces += earning.quantity
        work.score_bp += earning.quantity * (BASIS_POINTS if is_carved_out else earning.score_bp)


def crew_warnings(rates: Rates, facts: Facts) -> list[Warned]:
    """Name orders whose crew does not fit the plan's split."""
    found: set[tuple[Caution, str]] = set()
    for earning in facts.earnings:
        shares = rates.shares_bp.get((earning.pack, earning.node)) if earning.crew else None
        if shares:
            roles = {earning.role, *(member.role for member in earning.crew)}
            subject = f"{earning.order_id}/{earning.node}"
            found |= {(Caution.ROLE_UNFILLED, subject) for role in shares if role not in roles}
            found |= {(Caution.ROLE_UNKNOWN, subject) for role in roles if role not in shares}
    return [Warned(caution, subject) for caution, subject in sorted(found)]
