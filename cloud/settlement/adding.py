"""Adds up past nodes and orders under a plan, as arrays: the hot loop of what-if."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from agreed.limits import BASIS_POINTS
from agreed.records import Int64s
from cloud.settlement.past import Crews, Nodes, Orders, Past
from cloud.settlement.plans import Plan
from cloud.settlement.profit import Takings
from cloud.settlement.terms import Quality, Waterfall

CHUNK: Final = 1 << 15
"""Rows that stay in the cache together."""

_SUM_MAX: Final = 2**62
_FACTOR_BP_MAX: Final = 10 * BASIS_POINTS


class TooLargeError(ValueError):
    """The amounts do not fit whole numbers of 64 bits; settle the stretch month by month."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What each seat did: int64[seats] each, as in `pieces.Work`.

    Attributes:
        full_fen: what its nodes pay at full score.
        weighed_bp: sum of what they pay at full score × score.
    """

    piece_fen: Int64s
    nodes: Int64s
    rated: Int64s
    refunded: Int64s
    pieces: Int64s
    score_bp: Int64s
    full_fen: Int64s
    weighed_bp: Int64s

    def add(self, seat: Int64s, parts: list[Int64s]) -> None:
        """Add rows to their seats; rows of a seat lie beside each other."""
        starts = np.flatnonzero(np.diff(seat, prepend=-1))
        at = seat[starts]
        for name, part in zip(Sums.__slots__, parts, strict=True):
            getattr(self, name)[at] += np.add.reduceat(part, starts)


@dataclass(frozen=True, slots=True)
class _Tables:
    """A plan's rules about nodes as arrays: -1 where the pack's own rate is in force."""

    rate_fen: Int64s
    factor_bp: Int64s
    is_carved_out: Int64s
    takes_back: bool


def add_nodes(plan: Plan, past: Past) -> Sums:
    """Add up every node of a stretch, equal to the fen to what `pieces.gather` gives.

    Raises:
        TooLargeError: a sum could leave 64 bits.

    Source: mission, Formulas, Commission, Pool and rounding.
    """
    tables = _tables(plan, past)
    _check_size(tables, past)
    sums = Sums(*(np.zeros(len(past.seats), np.int64) for _ in Sums.__slots__))
    single = past.single
    for start in range(0, len(single.seat), CHUNK):
        rows = Nodes(*(getattr(single, n)[start : start + CHUNK] for n in Nodes.__slots__))
        sums.add(rows.seat, _parts(tables, rows))
    if len(past.shared.seat):
        _add_crews(plan, past, tables, sums)
    return sums


def add_orders(waterfall: Waterfall, orders: Orders, packs: tuple[str, ...]) -> Takings:
    """Add up orders, equal to the fen to what `profit.take` gives."""
    platform = orders.platform_fen
    if waterfall.platform_bp is not None:
        platform = divided(orders.income_fen * waterfall.platform_bp, BASIS_POINTS)
    tax = divided(orders.income_fen * waterfall.tax_bp, BASIS_POINTS)
    profit = orders.income_fen - orders.cost_fen - platform - tax
    allowed = set(waterfall.income_from or packs)
    may_share = np.array([pack in allowed for pack in packs], dtype=np.bool_)[orders.pack]
    refused = {packs[i] for i in np.unique(orders.pack[~may_share])}
    return Takings(
        int(orders.income_fen.sum()),
        int(orders.cost_fen.sum()),
        int(platform.sum()),
        int(tax.sum()),
        int(profit[may_share].sum()),
        int(profit[~may_share].sum()),
        frozenset(refused),
    )


def divided(number: Int64s, divisor: int | Int64s) -> Int64s:
    """Divide whole numbers >= 0, rounded half to even: see `bands.half_even`."""
    whole = number // divisor
    twice = (number - whole * divisor) * 2
    whole += (twice > divisor) | ((twice == divisor) & (whole & 1 == 1))
    return whole


def _check_size(tables: _Tables, past: Past) -> None:
    both = past.single, past.shared
    rates = [int(tables.rate_fen.max(initial=0))]
    rates += [int(nodes.rate_fen.max(initial=0)) for nodes in both]
    pieces = sum(int(nodes.quantity.max(initial=0)) * len(nodes.quantity) for nodes in both)
    if pieces * max(rates) * _FACTOR_BP_MAX * 2 > _SUM_MAX:
        raise TooLargeError("rate_fen: rate × quantity is too large; settle month by month")


def _tables(plan: Plan, past: Past) -> _Tables:
    rates = {(rate.pack, rate.node): rate.rate_fen for rate in plan.rates}
    highest = max(int(n.score_bp.max(initial=0)) for n in (past.single, past.shared))
    return _Tables(
        np.array([rates.get(of, -1) for of in past.nodes_of_packs], dtype=np.int64),
        _factors(plan.quality, highest),
        np.array([s in plan.carved_out for s in past.segments], dtype=np.int64),
        plan.recovery.takes_back_refunded,
    )


def _factors(quality: Quality | None, highest_bp: int) -> Int64s:
    scores = np.arange(highest_bp + 1, dtype=np.int64)
    if quality is None:
        return scores
    factors = np.full(highest_bp + 1, quality.points[-1].factor_bp, dtype=np.int64)
    for low, high in zip(quality.points, quality.points[1:], strict=False):
        part = scores[low.score_bp : high.score_bp]
        rise = (high.factor_bp - low.factor_bp) * (part - low.score_bp)
        factors[low.score_bp : high.score_bp] = low.factor_bp + divided(
            rise, high.score_bp - low.score_bp
        )
    return factors


def _parts(tables: _Tables, rows: Nodes) -> list[Int64s]:
    full, whole = _whole(tables, rows)
    rate = _rate(tables, rows)
    is_refunded = rows.is_refunded * tables.takes_back
    scored = rows.quantity * (rows.score_bp > 0) * (1 - is_refunded)
    counted = np.where(tables.is_carved_out[rows.segment] == 1, BASIS_POINTS, rows.score_bp)
    return [
        whole,
        np.ones_like(whole),
        (rate > 0).astype(np.int64),
        is_refunded,
        scored,
        scored * counted,
        full,
        full * rows.score_bp,
    ]


def _rate(tables: _Tables, rows: Nodes) -> Int64s:
    planned = tables.rate_fen[rows.of]
    return np.where(planned < 0, rows.rate_fen, planned)


def _whole(tables: _Tables, rows: Nodes) -> tuple[Int64s, Int64s]:
    """Give what nodes pay at full score, and what they pay."""
    full = rows.quantity * _rate(tables, rows)
    factor = tables.factor_bp[rows.score_bp]
    if tables.takes_back:
        factor = factor * (1 - rows.is_refunded)
    return full, divided(full * factor, BASIS_POINTS)


def _add_crews(plan: Plan, past: Past, tables: _Tables, sums: Sums) -> None:
    crews, shared = past.crews, past.shared
    parts = _parts(tables, shared)
    weights = _weights(plan, past)
    parts = [part[crews.line] for part in parts]
    amounts = _split(parts[0], weights, crews)
    starts = np.flatnonzero(np.diff(crews.line, prepend=-1))
    totals = np.add.reduceat(weights, starts)[crews.line]
    full = parts[6] * weights // totals
    rows = [amounts, *parts[1:6], full, full * shared.score_bp[crews.line]]
    order = np.argsort(crews.seat, kind="stable")
    sums.add(crews.seat[order], [row[order] for row in rows])


def _weights(plan: Plan, past: Past) -> Int64s:
    crews = past.crews
    roles = {role: i for i, role in enumerate(past.roles)}
    numbers = {of: i for i, of in enumerate(past.nodes_of_packs)}
    shares = np.zeros((len(past.nodes_of_packs), len(past.roles)), dtype=np.int64)
    for split in plan.splits:
        for part in split.shares:
            if (split.pack, split.node) in numbers and part.role in roles:
                shares[numbers[split.pack, split.node], roles[part.role]] = part.share_bp
    weights = shares[past.shared.of[crews.line], crews.role] * crews.scale
    starts = np.flatnonzero(np.diff(crews.line, prepend=-1))
    totals = np.add.reduceat(weights, starts)[crews.line]
    return np.where(totals == 0, 1, weights)


def _split(whole: Int64s, weights: Int64s, crews: Crews) -> Int64s:
    """Share each node's pay by largest remainder: see `agreed.money.split`."""
    starts = np.flatnonzero(np.diff(crews.line, prepend=-1))
    totals = np.add.reduceat(weights, starts)[crews.line]
    floor, rest = np.divmod(whole * weights, totals)
    left = whole[starts] - np.add.reduceat(floor, starts)
    order = np.lexsort((crews.served, -rest, crews.line))
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - starts[crews.line[order]]
    return floor + (place < left[crews.line])
