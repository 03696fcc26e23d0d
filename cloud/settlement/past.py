"""A stretch of past months as arrays, to try other plans on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import prod
from typing import Generic, TypeVar

import numpy as np

from agreed.records import Int64s
from cloud.settlement.facts import Earning, Facts, Member, OrderFact
from cloud.settlement.pieces import NodeOfPack, Seat

KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True)
class Nodes:
    """Decided nodes, one row each, in any order.

    Attributes:
        seat: int64[n], index into the stretch's seats.
        of: int64[n], index into the stretch's nodes of packs.
        quantity, rate_fen, score_bp: int64[n], >= 0, as in `facts.Earning`.
        segment: int64[n], index into the stretch's segments.
        is_refunded: int64[n], 1 where everything went back to the resident.
    """

    seat: Int64s
    of: Int64s
    quantity: Int64s
    rate_fen: Int64s
    score_bp: Int64s
    segment: Int64s
    is_refunded: Int64s


@dataclass(frozen=True, slots=True)
class Crews:
    """People at shared nodes, those of one node beside each other.

    Attributes:
        line: int64[m], index into the shared nodes, from 0, rising without a gap.
        seat: int64[m], index into the stretch's seats.
        role: int64[m], index into the stretch's roles.
        scale: int64[m], by how much a role's share counts: equally among those of the role.
        served: int64[m], who comes first when remainders are equal, within the node.
    """

    line: Int64s
    seat: Int64s
    role: Int64s
    scale: Int64s
    served: Int64s


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders, one row each, those of one month beside each other.

    Attributes:
        month: int64[k], index into the stretch's months, rising.
        pack, team, segment: int64[k], index into the stretch's names.
        income_fen, cost_fen, platform_fen: int64[k]; income less refunds.
        is_on_time: int64[k], 1, 0, or -1 while that is not decided.
    """

    month: Int64s
    pack: Int64s
    team: Int64s
    segment: Int64s
    income_fen: Int64s
    cost_fen: Int64s
    platform_fen: Int64s
    is_on_time: Int64s


@dataclass(frozen=True, slots=True)
class Past:
    """Months of one or many sites, ready for any plan.

    Attributes:
        months: their facts without nodes and orders, which are in the arrays.
        seats: (month, seat), those of a month beside each other.
        nodes_of_packs, roles, segments, packs, teams: what the indexes stand for.
        single: nodes that one person did, by seat.
        shared, crews: nodes that a crew did; `seat` of `shared` is not used.
        orders: by month.
    """

    months: tuple[Facts, ...]
    seats: tuple[tuple[int, Seat], ...]
    nodes_of_packs: tuple[NodeOfPack, ...]
    roles: tuple[str, ...]
    segments: tuple[str, ...]
    packs: tuple[str, ...]
    teams: tuple[str, ...]
    single: Nodes
    shared: Nodes
    crews: Crews
    orders: Orders

    @property
    def lines(self) -> int:
        """Count the nodes."""
        return len(self.single.seat) + len(self.shared.seat)


class Index(Generic[KeyT]):
    """Numbers keys in the order in which they first come."""

    def __init__(self) -> None:
        self._numbers: dict[KeyT, int] = {}

    def number(self, key: KeyT) -> int:
        """Give the number of a key."""
        return self._numbers.setdefault(key, len(self._numbers))

    def keys(self) -> tuple[KeyT, ...]:
        """List the keys by number."""
        return tuple(self._numbers)


def by_seat(nodes: Nodes) -> Nodes:
    """Sort nodes so that those of a seat lie beside each other."""
    order = np.argsort(nodes.seat, kind="stable")
    columns = (getattr(nodes, name) for name in Nodes.__slots__)
    return Nodes(*(np.ascontiguousarray(column[order]) for column in columns))


def to_past(months: Sequence[Facts]) -> Past:
    """Put months into arrays."""
    names = _Names()
    single: list[tuple[int, ...]] = []
    shared: list[tuple[int, ...]] = []
    crews: list[tuple[int, ...]] = []
    orders: list[tuple[int, ...]] = []
    for number, facts in enumerate(months):
        refunded = {o.order_id for o in facts.orders if 0 < o.income_fen <= o.refund_fen}
        for earning in facts.earnings:
            is_refunded = earning.is_refunded or earning.order_id in refunded
            row = names.row(number, earning, is_refunded)
            if earning.crew:
                crews += names.crew(number, earning, len(shared))
                shared.append(row)
            else:
                single.append(row)
        orders += [names.order(number, order) for order in facts.orders]
    return Past(
        months=tuple(replace(facts, earnings=(), orders=()) for facts in months),
        seats=names.seats.keys(),
        nodes_of_packs=names.of.keys(),
        roles=names.roles.keys(),
        segments=names.segments.keys(),
        packs=names.packs.keys(),
        teams=names.teams.keys(),
        single=by_seat(Nodes(*_columns(single, 7))),
        shared=Nodes(*_columns(shared, 7)),
        crews=Crews(*_columns(crews, 5)),
        orders=Orders(*_columns(orders, 8)),
    )


class _Names:
    """The names of a stretch, and rows that refer to them."""

    def __init__(self) -> None:
        self.seats: Index[tuple[int, Seat]] = Index()
        self.of: Index[NodeOfPack] = Index()
        self.roles: Index[str] = Index()
        self.segments: Index[str] = Index()
        self.packs: Index[str] = Index()
        self.teams: Index[str] = Index()

    def row(self, month: int, earning: Earning, is_refunded: bool) -> tuple[int, ...]:
        """Give the row of a node."""
        seat = Seat(earning.worker, earning.role, earning.team)
        return (
            0 if earning.crew else self.seats.number((month, seat)),
            self.of.number((earning.pack, earning.node)),
            earning.quantity,
            earning.rate_fen,
            earning.score_bp,
            self.segments.number(earning.segment),
            int(is_refunded),
        )

    def crew(self, month: int, earning: Earning, line: int) -> list[tuple[int, ...]]:
        """Give a row for everybody at a shared node."""
        members = {Member(earning.worker, earning.role), *earning.crew}
        crew = sorted(members, key=lambda m: (m.worker, m.role))
        counts = Counter(member.role for member in crew)
        whole = prod(counts.values())
        digests = [sha256(f"{m.worker}/{m.role}".encode()).digest() for m in crew]
        served = sorted(digests)
        return [
            (
                line,
                self.seats.number((month, Seat(member.worker, member.role, earning.team))),
                self.roles.number(member.role),
                whole // counts[member.role],
                served.index(digest),
            )
            for member, digest in zip(crew, digests, strict=True)
        ]

    def order(self, month: int, order: OrderFact) -> tuple[int, ...]:
        """Give the row of an order."""
        return (
            month,
            self.packs.number(order.pack),
            self.teams.number(order.team),
            self.segments.number(order.segment),
            order.income_fen - order.refund_fen,
            order.supplier_cost_fen,
            order.platform_fen,
            -1 if order.is_on_time is None else int(order.is_on_time),
        )


def _columns(rows: list[tuple[int, ...]], width: int) -> list[Int64s]:
    table = np.array(rows, dtype=np.int64).reshape(len(rows), width)
    return [np.ascontiguousarray(table[:, i]) for i in range(width)]
