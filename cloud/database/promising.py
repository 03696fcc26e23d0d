"""Writes orders, promises and verdicts, and finds which promises new facts could touch."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, insert, select, update

from agreed.directives import Code, PromisedNode
from agreed.promises import Match, Promise, Verdict
from agreed.records import Evidence
from cloud.database import schema
from cloud.database.fleet import Place, at
from cloud.database.inbox import chunks
from cloud.fulfilment.deciding import Decision

NodeKey = tuple[str, str]
"""Order and node: what a promise is known by within a site."""

_TERMS: Final = (
    "worker",
    "node_kind",
    "opens_at_ms",
    "promised_at_ms",
    "tolerance_ms",
    "hard_ms",
    "at_risk_ms",
    "early_bp_per_hour",
    "early_bp_max",
    "weight",
    "is_critical",
    "place",
)


@dataclass(frozen=True, slots=True)
class NodeWork:
    """What is paid for a node, and to whom besides its worker: see `schema.promises`.

    Attributes:
        rate_fen: for one piece at full score.
        quantity: pieces, >= 1.
        role: as what the worker does it; "" for the usual role.
        crew: workers with their roles, without the worker.
    """

    rate_fen: int
    quantity: int = 1
    role: str = ""
    crew: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be stored: see `schema.orders`; `works` says of each node what is paid."""

    order_id: str
    pack: str
    pack_version: int
    worker: str
    resident: str
    booked_from_ms: int
    booked_until_ms: int
    income_fen: int
    nodes: list[PromisedNode]
    works: list[NodeWork]
    codes: list[Code]
    segment: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A promise with what was last decided about it.

    Attributes:
        decided: None before the first verdict.
        revision: 0 before the first verdict.
        rate_fen, quantity, pack, pack_version, pack_content: what its pay follows from.
    """

    promise: Promise
    revision: int
    decided: Row[Any] | None
    rate_fen: int
    quantity: int
    pack: str
    pack_version: int
    pack_content: dict[str, Any]

    @property
    def key(self) -> NodeKey:
        """Give what it is known by."""
        return self.promise.order, self.promise.node


def add_orders(connection: Connection, place: Place, added: list[NewOrder], now_ms: int) -> None:
    """Store orders with their promises; they must be new."""
    if added:
        rows = [_order_row(place, order, now_ms) for order in added]
        connection.execute(insert(schema.orders), rows)
        promises = [row for order in added for row in _promise_rows(place, order)]
        connection.execute(insert(schema.promises), promises)


def known_orders(connection: Connection, place: Place, order_ids: list[str]) -> set[str]:
    """Find out which of the ids are in use."""
    orders = schema.orders
    found: set[str] = set()
    for chunk in chunks(order_ids):
        query = select(orders.c.order_id).where(at(orders, place), orders.c.order_id.in_(chunk))
        found |= set(connection.execute(query).scalars())
    return found


def find_order(connection: Connection, place: Place, order_id: str) -> Row[Any] | None:
    """Read the row of an order."""
    return connection.execute(
        select(schema.orders).where(at(schema.orders, place), schema.orders.c.order_id == order_id)
    ).one_or_none()


def end_orders(
    connection: Connection, place: Place, order_ids: list[str], status: str, now_ms: int
) -> None:
    """Mark orders as done or cancelled; the promises of cancelled ones are withdrawn."""
    for chunk in chunks(order_ids):
        connection.execute(
            update(schema.orders)
            .where(at(schema.orders, place), schema.orders.c.order_id.in_(chunk))
            .values(status=status, ended_at_ms=now_ms)
        )
        if status == "cancelled":
            connection.execute(
                update(schema.promises)
                .where(at(schema.promises, place), schema.promises.c.order_id.in_(chunk))
                .values(is_withdrawn=True)
            )


def open_orders(connection: Connection, place: Place) -> list[Row[Any]]:
    """Read the orders whose codes are still good."""
    query = select(schema.orders).where(at(schema.orders, place), schema.orders.c.status == "open")
    return list(connection.execute(query.order_by(schema.orders.c.created_at_ms)))


def promised_nodes(
    connection: Connection, place: Place, order_ids: list[str]
) -> dict[str, list[PromisedNode]]:
    """Read the nodes of orders as they travel to a box."""
    promises = schema.promises
    found: dict[str, list[PromisedNode]] = {}
    for chunk in chunks(order_ids):
        query = select(promises).where(at(promises, place), promises.c.order_id.in_(chunk))
        for row in connection.execute(query.order_by(promises.c.order_id, promises.c.position)):
            node = PromisedNode(node=row.node, **_terms(row))
            found.setdefault(row.order_id, []).append(node)
    return found


def touched_by_orders(connection: Connection, place: Place, order_ids: list[str]) -> set[NodeKey]:
    """Find the promises that a record with one of these references could prove."""
    found: set[NodeKey] = set()
    for chunk in chunks(order_ids):
        found |= _keys(
            connection,
            place,
            schema.promises.c.order_id.in_(chunk),
            schema.promises.c.match == Match.BY_ORDER,
        )
    return found


def touched_by_workers(
    connection: Connection, place: Place, workers: list[str], from_ms: int, until_ms: int
) -> set[NodeKey]:
    """Find the promises by worker whose window meets [from_ms, until_ms]."""
    found: set[NodeKey] = set()
    for chunk in chunks(workers):
        found |= _keys(
            connection,
            place,
            schema.promises.c.worker.in_(chunk),
            schema.promises.c.match != Match.BY_ORDER,
            schema.promises.c.opens_at_ms <= until_ms,
            schema.promises.c.hard_at_ms >= from_ms,
        )
    return found


def touched_in_turn(connection: Connection, place: Place, keys: set[NodeKey]) -> set[NodeKey]:
    """Find the promises in turn that could want a record of these, directly or through others.

    Such have the worker, node kind and place in common, and windows that meet or are joined by
    others that do.
    """
    promises = schema.promises.c
    found: set[NodeKey] = set()
    for chunk in chunks(sorted({order_id for order_id, _node in keys})):
        query = select(
            promises.order_id,
            promises.node,
            promises.worker,
            promises.node_kind,
            promises.place,
            promises.opens_at_ms,
            promises.hard_at_ms,
        ).where(
            at(schema.promises, place),
            promises.order_id.in_(chunk),
            promises.match == Match.BY_TURN,
        )
        for row in connection.execute(query):
            if (row.order_id, row.node) in keys - found:
                found |= _joined(connection, place, row)
    return found


def _joined(connection: Connection, place: Place, turn: Any) -> set[NodeKey]:
    """Widen the span of a promise in turn by whatever meets it until it grows no more."""
    promises = schema.promises.c
    span = turn.opens_at_ms, turn.hard_at_ms
    while True:
        query = select(
            promises.order_id, promises.node, promises.opens_at_ms, promises.hard_at_ms
        ).where(
            at(schema.promises, place),
            promises.is_withdrawn.is_(False),
            promises.match == Match.BY_TURN,
            promises.worker == turn.worker,
            promises.node_kind == turn.node_kind,
            promises.place == turn.place,
            promises.opens_at_ms <= span[1],
            promises.hard_at_ms >= span[0],
        )
        rows = connection.execute(query).all()
        wider = (
            min([span[0], *(row.opens_at_ms for row in rows)]),
            max([span[1], *(row.hard_at_ms for row in rows)]),
        )
        if wider == span:
            return {(row.order_id, row.node) for row in rows}
        span = wider


def touched_by_coverage(
    connection: Connection, place: Place, covered_until_ms: int
) -> set[NodeKey]:
    """Find the open promises whose hard limit is now covered."""
    return _keys(
        connection,
        place,
        schema.promises.c.verdict == Verdict.OPEN,
        schema.promises.c.hard_at_ms <= covered_until_ms,
    )


def standings(connection: Connection, place: Place, keys: set[NodeKey]) -> list[Standing]:
    """Read promises with their verdicts in force, in order of order and node."""
    promises, verdicts = schema.promises, schema.verdicts
    columns = ("company", "site", "order_id", "node", "revision")
    in_force = and_(*(verdicts.c[name] == promises.c[name] for name in columns))
    found = []
    for chunk in chunks(sorted({order_id for order_id, _node in keys})):
        verdict_columns = [c.label(f"was_{c.name}") for c in verdicts.c]
        query = (
            select(
                promises,
                schema.orders.c.pack,
                schema.orders.c.pack_version,
                schema.packs.c.content,
                *verdict_columns,
            )
            .join_from(promises, schema.orders)
            .join(schema.packs)
            .outerjoin(verdicts, in_force)
            .where(at(promises, place), promises.c.order_id.in_(chunk))
            .order_by(promises.c.order_id, promises.c.node)
        )
        found += [
            _standing(row) for row in connection.execute(query) if (row.order_id, row.node) in keys
        ]
    return found


def add_verdicts(
    connection: Connection,
    place: Place,
    changed: list[tuple[Standing, Decision, bytes | None]],
    covered_until_ms: int,
    now_ms: int,
) -> None:
    """Store new verdicts, each as the next revision; with the hash of the proving block."""
    if not changed:
        return
    rows = [
        place._asdict()
        | {
            "order_id": decision.order,
            "node": decision.node,
            "revision": standing.revision + 1,
            "verdict": int(decision.verdict),
            "actual_at_ms": decision.witness.wall_ms if decision.witness else None,
            "bound_ms": decision.bound_ms,
            "deviation_ms": decision.deviation_ms,
            "score_bp": decision.score_bp,
            "covered_until_ms": covered_until_ms,
            "box": decision.witness.box if decision.witness else None,
            "epoch": decision.witness.epoch if decision.witness else None,
            "sequence": decision.witness.sequence if decision.witness else None,
            "block_hash": block_hash,
            "decided_at_ms": now_ms,
        }
        for standing, decision, block_hash in changed
    ]
    connection.execute(insert(schema.verdicts), rows)
    promises = schema.promises
    connection.execute(
        update(promises)
        .where(
            at(promises, place),
            promises.c.order_id == bindparam("of_order"),
            promises.c.node == bindparam("of_node"),
        )
        .values(
            verdict=bindparam("to_verdict"),
            revision=bindparam("to_revision"),
            score_bp=bindparam("to_score_bp"),
        ),
        [
            {
                "of_order": row["order_id"],
                "of_node": row["node"],
                "to_verdict": row["verdict"],
                "to_revision": row["revision"],
                "to_score_bp": row["score_bp"],
            }
            for row in rows
        ],
    )


def verdicts_of_open_orders(
    connection: Connection, place: Place, order_ids: list[str]
) -> dict[str, list[tuple[Match, Verdict]]]:
    """Read the verdicts of all nodes of those of the orders that are open."""
    promises, orders = schema.promises, schema.orders
    found: dict[str, list[tuple[Match, Verdict]]] = {}
    for chunk in chunks(order_ids):
        query = (
            select(promises.c.order_id, promises.c.match, promises.c.verdict)
            .join_from(promises, orders)
            .where(at(promises, place), promises.c.order_id.in_(chunk), orders.c.status == "open")
        )
        for order_id, match, verdict in connection.execute(query):
            found.setdefault(order_id, []).append((Match(match), Verdict(verdict)))
    return found


def _order_row(place: Place, order: NewOrder, now_ms: int) -> dict[str, Any]:
    return place._asdict() | {
        "order_id": order.order_id,
        "pack": order.pack,
        "pack_version": order.pack_version,
        "worker": order.worker,
        "resident": order.resident,
        "status": "open",
        "booked_from_ms": order.booked_from_ms,
        "booked_until_ms": order.booked_until_ms,
        "income_fen": order.income_fen,
        "codes": [code.model_dump_json() for code in order.codes],
        "created_at_ms": now_ms,
        "segment": order.segment,
    }


def _promise_rows(place: Place, order: NewOrder) -> list[dict[str, Any]]:
    return [
        place._asdict()
        | {name: getattr(node, name) for name in _TERMS}
        | {
            "order_id": order.order_id,
            "node": node.node,
            "position": position,
            "match": int(node.match),
            "weakest_evidence": int(node.weakest_evidence),
            "rate_fen": work.rate_fen,
            "quantity": work.quantity,
            "role": work.role,
            "crew": [{"worker": worker, "role": role} for worker, role in work.crew],
            "at_risk_at_ms": node.promised_at_ms + node.tolerance_ms - node.at_risk_ms,
            "due_at_ms": node.promised_at_ms + node.tolerance_ms,
            "hard_at_ms": node.promised_at_ms + node.hard_ms,
        }
        for position, (node, work) in enumerate(zip(order.nodes, order.works, strict=True))
    ]


def _terms(row: Any) -> dict[str, Any]:
    terms = {name: getattr(row, name) for name in _TERMS}
    evidence = Evidence(row.weakest_evidence)
    return terms | {"match": Match(row.match), "weakest_evidence": evidence}


def _keys(connection: Connection, place: Place, *conditions: Any) -> set[NodeKey]:
    promises = schema.promises.c
    query = select(promises.order_id, promises.node).where(
        at(schema.promises, place), promises.is_withdrawn.is_(False), *conditions
    )
    return {(row.order_id, row.node) for row in connection.execute(query)}


def _standing(row: Any) -> Standing:
    return Standing(
        promise=Promise(order=row.order_id, node=row.node, **_terms(row)),
        revision=row.revision,
        decided=row if row.was_revision is not None else None,
        rate_fen=row.rate_fen,
        quantity=row.quantity,
        pack=row.pack,
        pack_version=row.pack_version,
        pack_content=row.content,
    )
