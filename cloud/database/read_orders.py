"""Reads orders, their nodes, verdicts and the records behind them."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Row, and_, select

from agreed.checks import order_scores_bp
from agreed.directives import Code
from agreed.promises import Match, Verdict
from agreed.records import ClockState, Evidence, Record
from cloud.database import schema
from cloud.database.fleet import BoxName, Place, at
from cloud.database.read_fleet import node_names, to_counts
from cloud.database.read_statements import line_view
from cloud.database.views import (
    Counts,
    CrewView,
    EvidenceView,
    LineView,
    NodeView,
    OrderRow,
    OrderView,
    RefundView,
    VerdictView,
)

PAGE_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders to list; None means all.

    Attributes:
        verdict: only orders with a node of that verdict.
        from_ms, until_ms: start of the booked window, ms, half-open.
        offset, limit: how many to pass over, how many at most, up to PAGE_MAX.
    """

    site: str | None = None
    status: str | None = None
    verdict: Verdict | None = None
    worker: str | None = None
    from_ms: int = 0
    until_ms: int = 2**62
    offset: int = 0
    limit: int = 100


def orders(
    connection: Connection, company: str, wanted: OrderFilter | None = None
) -> list[OrderRow]:
    """List orders, those booked last first."""
    wanted = wanted or OrderFilter()
    table = schema.orders.c
    query = (
        select(schema.orders, schema.packs.c.content)
        .join_from(schema.orders, schema.packs)
        .where(table.company == company, *_conditions(wanted))
        .order_by(table.booked_from_ms.desc(), table.site, table.order_id)
        .offset(wanted.offset)
        .limit(min(wanted.limit, PAGE_MAX))
    )
    found = connection.execute(query).all()
    nodes = _promises_of(connection, company, [(row.site, row.order_id) for row in found])
    return [_order_row(row, nodes.get((row.site, row.order_id), [])) for row in found]


def order_view(
    connection: Connection, company: str, site: str, order_id: str, now_ms: int
) -> OrderView | None:
    """Read one order with everything behind it; None if there is none of that id."""
    row = connection.execute(
        select(schema.orders, schema.packs.c.content, schema.sites.c.covered_until_ms)
        .join_from(schema.orders, schema.packs)
        .join(
            schema.sites,
            and_(
                schema.sites.c.company == schema.orders.c.company,
                schema.sites.c.site == schema.orders.c.site,
            ),
        )
        .where(
            schema.orders.c.company == company,
            schema.orders.c.site == site,
            schema.orders.c.order_id == order_id,
        )
    ).one_or_none()
    if row is None:
        return None
    nodes = _promises_of(connection, company, [(site, order_id)]).get((site, order_id), [])
    history = _verdicts_of(connection, company, site, order_id)
    moved = _lines_of(connection, company, site, order_id)
    views = [
        _node_view(connection, row, node, history.get(node.node, []), now_ms) for node in nodes
    ]
    return OrderView(
        order=_order_row(row, nodes),
        codes=[Code.model_validate_json(code) for code in row.codes],
        nodes=[replace(v, lines=[m for m in moved if m.node == v.node]) for v in views],
        earned_fen=sum(line.amount_fen for line in moved if line.status == "posted"),
        covered_until_ms=row.covered_until_ms,
        created_at_ms=row.created_at_ms,
        ended_at_ms=row.ended_at_ms,
        refunds=refunds_of(connection, Place(company, site), order_id),
    )


def refunds_of(connection: Connection, place: Place, order_id: str) -> list[RefundView]:
    """List what went back of an order's income, oldest first."""
    refunds = schema.refunds
    query = select(refunds).where(at(refunds, place), refunds.c.order_id == order_id)
    return [
        RefundView(row.refund, row.amount_fen, row.cause, row.at_ms, row.period)
        for row in connection.execute(query.order_by(refunds.c.refund))
    ]


def verdicts(
    connection: Connection,
    company: str,
    *,
    site: str | None = None,
    since_ms: int = 0,
    offset: int = 0,
    limit: int = 100,
) -> list[VerdictView]:
    """List decisions made at headquarters since then, every revision, the newest first."""
    table = schema.verdicts.c
    query = select(schema.verdicts).where(table.company == company, table.decided_at_ms >= since_ms)
    if site is not None:
        query = query.where(table.site == site)
    query = (
        query.order_by(
            table.decided_at_ms.desc(), table.order_id, table.node, table.revision.desc()
        )
        .offset(offset)
        .limit(min(limit, PAGE_MAX))
    )
    return [_verdict_view(row) for row in connection.execute(query)]


def evidence(
    connection: Connection, company: str, site: str, box: str, epoch: str, sequence: int
) -> EvidenceView | None:
    """Find one device record and its block; `epoch` is hex. None if headquarters has it not."""
    row = connection.execute(
        select(
            schema.records,
            schema.blocks.c.hash,
            schema.blocks.c.previous,
            schema.blocks.c.last,
            schema.blocks.c.received_at_ms,
            schema.corrections.c.wall_ms.label("corrected_wall_ms"),
            schema.corrections.c.bound_ms.label("corrected_bound_ms"),
            schema.corrections.c.clock_state.label("corrected_state"),
        )
        .join_from(
            schema.records,
            schema.blocks,
            and_(
                *(
                    schema.records.c[name] == schema.blocks.c[name]
                    for name in ("company", "site", "box", "epoch")
                ),
                schema.blocks.c.first == schema.records.c.block_first,
            ),
        )
        .outerjoin(
            schema.corrections,
            and_(
                *(
                    schema.records.c[name] == schema.corrections.c[name]
                    for name in ("company", "site", "box", "epoch", "sequence")
                )
            ),
        )
        .where(
            schema.records.c.company == company,
            schema.records.c.site == site,
            schema.records.c.box == box,
            schema.records.c.epoch == bytes.fromhex(epoch),
            schema.records.c.sequence == sequence,
        )
    ).one_or_none()
    if row is None:
        return None
    return EvidenceView(
        site=site,
        box=box,
        epoch=epoch,
        record=_record(row),
        block_hash=row.hash.hex(),
        block_previous=row.previous.hex(),
        block_first=row.block_first,
        block_last=row.last,
        received_at_ms=row.received_at_ms,
        corrected_wall_ms=row.corrected_wall_ms,
        corrected_bound_ms=(
            None if row.corrected_state == ClockState.UNSET else row.corrected_bound_ms
        ),
    )


def records_between(
    connection: Connection, name: BoxName, epoch: bytes, first: int, last: int
) -> list[Record]:
    """Read the records of a journal with sequences first..last, in order."""
    records = schema.records
    query = select(records).where(
        at(records, name), records.c.epoch == epoch, records.c.sequence.between(first, last)
    )
    return [_record(row) for row in connection.execute(query.order_by(records.c.sequence))]


def _record(row: Any) -> Record:
    return Record(
        sequence=row.sequence,
        mono_ns=row.mono_ns,
        wall_ms=row.wall_ms,
        bound_ms=row.bound_ms,
        clock_state=ClockState(row.clock_state),
        evidence=Evidence(row.evidence),
        device=row.device,
        node_kind=row.node_kind,
        subject=row.subject,
        reference=row.reference,
        detail=row.detail,
    )


def _conditions(wanted: OrderFilter) -> list[Any]:
    table = schema.orders.c
    conditions = [table.booked_from_ms >= wanted.from_ms, table.booked_from_ms < wanted.until_ms]
    conditions += [table.site == wanted.site] if wanted.site is not None else []
    conditions += [table.status == wanted.status] if wanted.status is not None else []
    conditions += [table.worker == wanted.worker] if wanted.worker is not None else []
    if wanted.verdict is not None:
        has_node = _is_of_order(schema.promises), schema.promises.c.verdict == wanted.verdict
        conditions.append(select(1).select_from(schema.promises).where(*has_node).exists())
    return conditions


def _is_of_order(table: Any) -> Any:
    return and_(
        *(table.c[name] == schema.orders.c[name] for name in ("company", "site", "order_id"))
    )


def _promises_of(
    connection: Connection, company: str, wanted: list[tuple[str, str]]
) -> dict[tuple[str, str], list[Row[Any]]]:
    by_site: dict[str, list[str]] = {}
    for site, order_id in wanted:
        by_site.setdefault(site, []).append(order_id)
    found: dict[tuple[str, str], list[Row[Any]]] = {}
    for site, order_ids in by_site.items():
        query = (
            select(schema.promises)
            .where(
                schema.promises.c.company == company,
                schema.promises.c.site == site,
                schema.promises.c.order_id.in_(order_ids),
            )
            .order_by(schema.promises.c.position)
        )
        for row in connection.execute(query):
            found.setdefault((site, row.order_id), []).append(row)
    return found


def _order_row(row: Any, nodes: list[Row[Any]]) -> OrderRow:
    numbers: dict[int, int] = {}
    for node in nodes:
        numbers[node.verdict] = numbers.get(node.verdict, 0) + 1
    return OrderRow(
        site=row.site,
        order_id=row.order_id,
        pack=row.pack,
        pack_version=row.pack_version,
        pack_name_zh=row.content["name_zh"],
        pack_name_en=row.content["name_en"],
        worker=row.worker,
        resident=row.resident,
        status=row.status,
        booked_from_ms=row.booked_from_ms,
        booked_until_ms=row.booked_until_ms,
        income_fen=row.income_fen,
        promises=to_counts(numbers) if nodes else Counts(),
        score_bp=None if not nodes or Verdict.OPEN in numbers else _order_score_bp(nodes),
        segment=row.segment,
    )


def _order_score_bp(nodes: list[Row[Any]]) -> int:
    score = order_scores_bp(
        np.array([node.score_bp for node in nodes], np.int32),
        np.array([node.weight for node in nodes], np.int64),
        np.array([node.is_critical for node in nodes], np.bool_),
        np.zeros(len(nodes), np.int64),
        1,
    )
    return int(score[0])


def _node_view(
    connection: Connection, order: Any, node: Any, history: list[VerdictView], now_ms: int
) -> NodeView:
    decided = history[-1] if history else None
    proof = None
    if decided and decided.box is not None and decided.epoch and decided.sequence is not None:
        proof = evidence(
            connection, order.company, order.site, decided.box, decided.epoch, decided.sequence
        )
    names = node_names(order.content, node.node)
    is_open = node.verdict == Verdict.OPEN and not node.is_withdrawn
    return NodeView(
        node=node.node,
        name_zh=names[0],
        name_en=names[1],
        worker=node.worker,
        node_kind=node.node_kind,
        match=Match(node.match),
        opens_at_ms=node.opens_at_ms,
        promised_at_ms=node.promised_at_ms,
        due_at_ms=node.due_at_ms,
        hard_at_ms=node.hard_at_ms,
        tolerance_ms=node.tolerance_ms,
        hard_ms=node.hard_ms,
        weight=node.weight,
        is_critical=node.is_critical,
        rate_fen=node.rate_fen,
        verdict=Verdict(node.verdict),
        score_bp=node.score_bp,
        is_at_risk=is_open and node.at_risk_at_ms <= now_ms < node.hard_at_ms,
        decided=decided,
        history=history,
        evidence=proof,
        lines=[],
        role=node.role,
        quantity=node.quantity,
        crew=[CrewView(member["worker"], member["role"]) for member in node.crew],
    )


def _verdicts_of(
    connection: Connection, company: str, site: str, order_id: str
) -> dict[str, list[VerdictView]]:
    table = schema.verdicts.c
    query = (
        select(schema.verdicts)
        .where(table.company == company, table.site == site, table.order_id == order_id)
        .order_by(table.node, table.revision)
    )
    found: dict[str, list[VerdictView]] = {}
    for row in connection.execute(query):
        found.setdefault(row.node, []).append(_verdict_view(row))
    return found


def _verdict_view(row: Any) -> VerdictView:
    return VerdictView(
        site=row.site,
        order_id=row.order_id,
        node=row.node,
        revision=row.revision,
        verdict=Verdict(row.verdict),
        actual_at_ms=row.actual_at_ms,
        bound_ms=row.bound_ms,
        deviation_ms=row.deviation_ms,
        score_bp=row.score_bp,
        covered_until_ms=row.covered_until_ms,
        decided_at_ms=row.decided_at_ms,
        box=row.box,
        epoch=None if row.epoch is None else row.epoch.hex(),
        sequence=row.sequence,
        block_hash=None if row.block_hash is None else row.block_hash.hex(),
    )


def _lines_of(connection: Connection, company: str, site: str, order_id: str) -> list[LineView]:
    table = schema.lines.c
    query = (
        select(schema.lines)
        .where(table.company == company, table.site == site, table.order_id == order_id)
        .order_by(table.recorded_at_ms, table.node, table.revision, table.kind)
    )
    return [line_view(row) for row in connection.execute(query)]
