"""What follows from new facts, in the transaction that brings them: verdicts, pay, ended orders."""

from dataclasses import dataclass

from sqlalchemy import Connection

from agreed.directives import EndOrder
from agreed.promises import Match, Verdict
from cloud.database.books import calendar, held_lines, owed_by_node, paid_lines, pool_fen, store
from cloud.database.fleet import (
    Place,
    accepted_boxes,
    cover_site,
    direct,
    lock_site,
    site_coverage,
)
from cloud.database.inbox import hashes_of_blocks, witnesses_of_orders, witnesses_of_workers
from cloud.database.promising import (
    NodeKey,
    Standing,
    add_verdicts,
    end_orders,
    standings,
    touched_by_coverage,
    touched_by_orders,
    touched_by_workers,
    touched_in_turn,
    verdicts_of_open_orders,
)
from cloud.database.read_fleet import node_names
from cloud.fulfilment.deciding import Decision, Witness, decide, is_done
from cloud.settlement.paying import Due, settle
from cloud.settlement.reasons import ProvenBy

Changed = tuple[Standing, Decision, bytes | None]


@dataclass(frozen=True, slots=True)
class News:
    """What new records could touch.

    Attributes:
        references: orders that they carry.
        subjects: who did it.
        from_ms, until_ms: when, both ends inclusive; nothing when from_ms > until_ms.
    """

    references: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    from_ms: int = 0
    until_ms: int = -1


@dataclass(frozen=True, slots=True)
class Effects:
    """What changed at a site.

    Attributes:
        verdicts: how many verdicts were decided anew.
        is_directed: whether directives were added.
    """

    verdicts: int = 0
    is_directed: bool = False


def follow(connection: Connection, place: Place, news: News, now_ms: int) -> Effects:
    """Decide and settle everything that new records of a site touch.

    The caller holds the site's lock and has stored the records and the journals' coverage.
    """
    before_ms = lock_site(connection, place) or 0
    # What a box says of the future proves nothing: its clock is wrong.
    covered_ms = max(before_ms, min(site_coverage(connection, place), now_ms))
    touched = touched_by_orders(connection, place, sorted(news.references))
    touched |= touched_by_workers(
        connection, place, sorted(news.subjects), news.from_ms, news.until_ms
    )
    if covered_ms > before_ms:
        cover_site(connection, place, covered_ms)
        touched |= touched_by_coverage(connection, place, covered_ms)
    return judge_again(connection, place, touched, covered_ms, now_ms)


def judge_again(
    connection: Connection, place: Place, keys: set[NodeKey], covered_ms: int, now_ms: int
) -> Effects:
    """Recompute promises from all their records; store, settle and end what changed."""
    if not keys:
        return Effects()
    keys |= touched_in_turn(connection, place, keys)
    standing = standings(connection, place, keys)
    decisions = decide(
        [s.promise for s in standing], _witnesses(connection, place, standing), covered_ms
    )
    pairs = [(s, d) for s, d in zip(standing, decisions, strict=True) if _is_new(s, d)]
    if not pairs:
        return Effects()
    hashes = hashes_of_blocks(
        connection, place, {_block_key(d.witness) for _, d in pairs if d.witness}
    )
    changed = [(s, d, hashes[_block_key(d.witness)] if d.witness else None) for s, d in pairs]
    add_verdicts(connection, place, changed, covered_ms, now_ms)
    _settle(connection, place, changed, covered_ms, now_ms)
    return Effects(len(changed), _end_orders(connection, place, changed, now_ms))


def pay_what_waits(connection: Connection, place: Place, now_ms: int) -> None:
    """Pay held lines after the pool was funded."""
    held, months = held_lines(connection, place), calendar(connection, place)
    settled = settle(pool_fen(connection, place), [], [], held, months)
    store(connection, place, settled, now_ms)


def _witnesses(connection: Connection, place: Place, standing: list[Standing]) -> list[Witness]:
    promises = [s.promise for s in standing]
    by_order = sorted({p.order for p in promises if p.match is Match.BY_ORDER})
    spans: dict[str, tuple[int, int]] = {}
    for p in promises:
        if p.match is not Match.BY_ORDER:
            start_ms, end_ms = spans.get(p.worker, (p.opens_at_ms, 0))
            ends_ms = max(end_ms, p.promised_at_ms + p.hard_ms)
            spans[p.worker] = min(start_ms, p.opens_at_ms), ends_ms
    found = witnesses_of_orders(connection, place, by_order)
    found += witnesses_of_workers(connection, place, spans, {p.node_kind for p in promises})
    return list({witness.identity: witness for witness in found}.values())


def _is_new(standing: Standing, decision: Decision) -> bool:
    was, witness = standing.decided, decision.witness
    if was is None:
        return decision.verdict is not Verdict.OPEN
    return (
        was.was_verdict,
        was.was_deviation_ms,
        was.was_score_bp,
        was.was_bound_ms,
        was.was_box,
        was.was_epoch,
        was.was_sequence,
    ) != (
        decision.verdict,
        decision.deviation_ms,
        decision.score_bp,
        decision.bound_ms,
        witness.box if witness else None,
        witness.epoch if witness else None,
        witness.sequence if witness else None,
    )


def _block_key(witness: Witness) -> tuple[str, bytes, int]:
    return witness.box, witness.epoch, witness.block_first


def _settle(
    connection: Connection, place: Place, changed: list[Changed], covered_ms: int, now_ms: int
) -> None:
    earlier = {standing.key: standing.revision for standing, _, _ in changed if standing.revision}
    paid = paid_lines(connection, place, earlier)
    replaced = {line.key for line in paid}
    held = [line for line in held_lines(connection, place) if line.key not in replaced]
    dues = [_due(*change, covered_ms) for change in changed]
    months = calendar(connection, place)
    owed_fen = owed_by_node(connection, place, set(earlier)) if months.closed_through else {}
    settled = settle(pool_fen(connection, place), dues, paid, held, months, owed_fen)
    store(connection, place, settled, now_ms)


def _due(standing: Standing, decision: Decision, block_hash: bytes | None, covered_ms: int) -> Due:
    promise, witness = standing.promise, decision.witness
    names = node_names(standing.pack_content, promise.node)
    evidence = None
    if witness and block_hash:
        evidence = ProvenBy(
            box=witness.box,
            epoch=witness.epoch.hex(),
            sequence=witness.sequence,
            block_hash=block_hash.hex(),
        )
    return Due(
        order_id=promise.order,
        node=promise.node,
        revision=standing.revision + 1,
        worker=promise.worker,
        verdict=decision.verdict,
        pack=standing.pack,
        pack_version=standing.pack_version,
        name_zh=names[0],
        name_en=names[1],
        promised_at_ms=promise.promised_at_ms,
        tolerance_ms=promise.tolerance_ms,
        hard_ms=promise.hard_ms,
        early_bp_per_hour=promise.early_bp_per_hour,
        early_bp_max=promise.early_bp_max,
        actual_at_ms=witness.wall_ms if witness else None,
        bound_ms=decision.bound_ms,
        deviation_ms=decision.deviation_ms,
        score_bp=decision.score_bp,
        rate_fen=standing.rate_fen,
        quantity=standing.quantity,
        covered_until_ms=covered_ms,
        evidence=evidence,
    )


def _end_orders(connection: Connection, place: Place, changed: list[Changed], now_ms: int) -> bool:
    order_ids = sorted({decision.order for _, decision, _ in changed})
    nodes = verdicts_of_open_orders(connection, place, order_ids)
    done = [order_id for order_id, decided in nodes.items() if is_done(decided)]
    if not done:
        return False
    end_orders(connection, place, done, "done", now_ms)
    boxes = accepted_boxes(connection, place)
    direct(connection, boxes, [EndOrder(order=order_id) for order_id in done], now_ms)
    return bool(boxes)
