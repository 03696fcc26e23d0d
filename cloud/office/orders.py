"""Publishes packs, books orders with their promised nodes, and cancels them."""

from collections.abc import Callable, Iterator
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import Connection, Engine

from agreed.directives import Code, CodeAction, EndOrder, PromisedNode
from agreed.limits import AMOUNT_FEN_MAX, NODES_PER_ORDER_MAX
from agreed.promises import Verdict
from agreed.records import OF_A_SERVICE
from agreed.words import say
from agreed.wrong_fields import explain
from cloud.consequences import judge_again, pay_what_waits
from cloud.database import books, masters, promising
from cloud.database.engine import writing
from cloud.database.fleet import Place, accepted_boxes, direct
from cloud.fields import MS_PER_MINUTE, Fen, MaybeWord, Minutes, WallMs, Word
from cloud.office.boxes import put_order_directives
from cloud.office.refunding import CANCELLED, give_back
from cloud.office.refusals import ConflictError, InvalidError, UnknownError
from cloud.office.sites import hold_site
from cloud.settlement.packs import MatchBy, Pack, PackNode
from cloud.settlement.waterfall import waterfall

QUANTITY_MAX: Final = 10_000
"""Pieces of one node."""
CREW_MAX: Final = 20

_BY_WORKER_ACTIONS = (CodeAction.START, CodeAction.DEPOSIT)


class CrewMember(BaseModel):
    """Somebody who shares the work of a node, and as what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    worker: Word
    role: Word


class NodeTerms(BaseModel):
    """What was agreed for one node at booking; what is left out comes from the pack.

    Attributes:
        worker: who promises it; the order's when left out.
        role: as what; "" for the role that the plan gives the worker.
        quantity: pieces; each pays the rate.
        crew: who shares the work besides; the plan's split says how the pay is shared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Word
    promised_at_ms: WallMs | None = None
    opens_at_ms: WallMs | None = None
    tolerance_minutes: Minutes | None = None
    hard_minutes: Minutes | None = None
    worker: MaybeWord | None = None
    role: MaybeWord = ""
    quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX)] = 1
    crew: Annotated[list[CrewMember], Field(max_length=CREW_MAX)] = []

    @model_validator(mode="after")
    def _check(self) -> "NodeTerms":
        if len(set(self.crew)) != len(self.crew):
            raise ValueError(say("crew: name each worker once in each role"))
        return self


class OrderRequest(BaseModel):
    """An order to book.

    Attributes:
        order_id: unique within the site; made up when left out.
        pack: the newest version is used.
        worker: who promises every node that names nobody else; "" for nobody.
        segment: of the resident: vulnerable, or another of yours; "" where unknown.
        booked_from_ms: what the pack's offsets count from.
        booked_until_ms: end of the booked window; the last promised time when left out.
        income_fen: what the resident paid; the pack's price when left out.
        nodes: exactly these nodes, with what was agreed; all of the pack when left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_id: Word | None = None
    pack: Word
    worker: MaybeWord = ""
    resident: MaybeWord = ""
    segment: MaybeWord = ""
    booked_from_ms: WallMs
    booked_until_ms: WallMs | None = None
    income_fen: Fen | None = None
    nodes: (
        Annotated[list[NodeTerms], Field(min_length=1, max_length=NODES_PER_ORDER_MAX)] | None
    ) = None

    @model_validator(mode="after")
    def _check(self) -> "OrderRequest":
        if self.booked_until_ms is not None and self.booked_until_ms < self.booked_from_ms:
            raise ValueError(say("booked_until_ms: must not be before booked_from_ms"))
        keys = [node.key for node in self.nodes or []]
        if len(set(keys)) != len(keys):
            raise ValueError(say("nodes: name each node once"))
        return self


def check_provable(pack: Pack) -> None:
    """Refuse a node that no record of a box can ever prove.

    Raises:
        InvalidError: names the node.
    """
    for number, node in enumerate(pack.nodes):
        if node.node_kind not in OF_A_SERVICE:
            field = f"nodes.{number}.node_kind"
            raise InvalidError(
                field,
                say(
                    "{field}: no box ever records {kind}; choose one of {kinds}.",
                    field=field,
                    kind=node.node_kind,
                    kinds=", ".join(sorted(OF_A_SERVICE)),
                ),
            )


def publish_pack(engine: Engine, company: str, pack: Pack, now_ms: int) -> int:
    """Publish a pack as its next version, and give that; the same content makes no new one."""
    with writing(engine) as connection:
        return masters.add_pack(connection, company, pack, now_ms)


def create_orders(
    engine: Engine,
    place: Place,
    requests: list[OrderRequest],
    make_code: Callable[[], str],
    now_ms: int,
) -> list[promising.NewOrder]:
    """Book orders, lead their income to the pool, and tell the boxes; all of them or none.

    Facts that are there already count: an order that comes after its records is judged at once.

    Args:
        engine: the store.
        place: the site.
        requests: as validated.
        make_code: gives an unguessable code each time, 6 to 64 bytes.
        now_ms: ms.

    Raises:
        UnknownError: no such site, pack, node or worker.
        ConflictError: an order_id is in use.
        InvalidError: the terms cannot be kept as written.
    """
    with writing(engine) as connection:
        covered_ms = hold_site(connection, place)
        packs = _packs(connection, place.company, {request.pack for request in requests})
        booked = [_book(request, *packs[request.pack], make_code) for request in requests]
        order_ids = [order.order_id for order in booked]
        _refuse_known(order_ids, promising.known_orders(connection, place, order_ids))
        _refuse_strangers(connection, place, booked)
        promising.add_orders(connection, place, booked, now_ms)
        moves = [
            move
            for order in booked
            for move in waterfall(
                packs[order.pack][1], order.pack_version, order.order_id, order.income_fen, now_ms
            )
        ]
        books.post(connection, place, moves, now_ms)
        directives = put_order_directives(booked)
        direct(connection, accepted_boxes(connection, place), directives, now_ms)
        keys = {(order.order_id, node.node) for order in booked for node in order.nodes}
        judge_again(connection, place, keys, covered_ms, now_ms)
        pay_what_waits(connection, place, now_ms)
        return booked


def cancel_order(engine: Engine, place: Place, order_id: str, now_ms: int) -> None:
    """Cancel an open order of which nothing was decided; its income goes back.

    Raises:
        UnknownError: no such site or order.
        ConflictError: it is closed, a node is decided, or its income is spent.
    """
    with writing(engine) as connection:
        hold_site(connection, place)
        _refuse_cancelling(connection, place, order_id)
        promising.end_orders(connection, place, [order_id], CANCELLED, now_ms)
        give_back(connection, place, order_id, CANCELLED, now_ms)
        boxes = accepted_boxes(connection, place)
        direct(connection, boxes, [EndOrder(order=order_id)], now_ms)


def _refuse_cancelling(connection: Connection, place: Place, order_id: str) -> None:
    order = promising.find_order(connection, place, order_id)
    if order is None:
        raise UnknownError("order_id", say("There is no order {order}.", order=order_id))
    if order.status != "open":
        raise ConflictError("order_id", say("Order {order} is not open any more.", order=order_id))
    decided = promising.verdicts_of_open_orders(connection, place, [order_id])[order_id]
    if any(verdict is not Verdict.OPEN for _match, verdict in decided):
        raise ConflictError(
            "order_id",
            say("Work on {order} is proved already; it cannot be cancelled.", order=order_id),
        )


def _packs(connection: Connection, company: str, keys: set[str]) -> dict[str, tuple[int, Pack]]:
    found = {}
    for key in keys:
        version, pack = masters.newest_pack(connection, company, key)
        if pack is None:
            raise UnknownError("pack", say("There is no pack {pack}; publish it first.", pack=key))
        found[key] = version, pack
    return found


def _refuse_known(order_ids: list[str], known: set[str]) -> None:
    for order_id in order_ids:
        if order_id in known:
            raise ConflictError(
                "order_id", say("Order {order} exists already; choose another id.", order=order_id)
            )
        known.add(order_id)


def _refuse_strangers(
    connection: Connection, place: Place, booked: list[promising.NewOrder]
) -> None:
    """Refuse a worker whom the site does not know: a misspelt one would be paid for the work."""
    named = [(field, worker) for order in booked for field, worker in _workers_of(order) if worker]
    known = masters.known_workers(connection, place, {worker for _, worker in named})
    for field, worker in named:
        if worker not in known:
            raise UnknownError(
                field,
                say(
                    "{field}: {site} has no worker {worker}; correct the id, or add the worker "
                    "first.",
                    field=field,
                    site=place.site,
                    worker=worker,
                ),
            )


def _workers_of(order: promising.NewOrder) -> Iterator[tuple[str, str]]:
    yield "worker", order.worker
    for node, work in zip(order.nodes, order.works, strict=True):
        yield f"nodes.{node.node}.worker", node.worker
        for worker, _role in work.crew:
            yield f"nodes.{node.node}.crew", worker


def _book(
    request: OrderRequest, version: int, pack: Pack, make_code: Callable[[], str]
) -> promising.NewOrder:
    chosen = [_chosen(pack, terms) for terms in request.nodes or _all_of(pack)]
    nodes = [_promised(request, node, terms) for node, terms in chosen]
    latest_ms = max(request.booked_from_ms, *(node.promised_at_ms for node in nodes))
    return promising.NewOrder(
        order_id=request.order_id or f"o-{make_code().lower()}",
        pack=pack.key,
        pack_version=version,
        worker=request.worker,
        resident=request.resident,
        booked_from_ms=request.booked_from_ms,
        booked_until_ms=request.booked_until_ms or latest_ms,
        income_fen=pack.price_fen if request.income_fen is None else request.income_fen,
        segment=request.segment,
        nodes=nodes,
        works=[_work(node, terms) for node, terms in chosen],
        codes=[
            _code(node.code, promised.worker, request, make_code())
            for (node, _terms), promised in zip(chosen, nodes, strict=True)
            if node.code is not None
        ],
    )


def _all_of(pack: Pack) -> list[NodeTerms]:
    return [NodeTerms(key=node.key) for node in pack.nodes]


def _chosen(pack: Pack, terms: NodeTerms) -> tuple[PackNode, NodeTerms]:
    node = pack.node(terms.key)
    if node is None:
        raise UnknownError(
            "nodes.key", say("Pack {pack} has no node {node}.", pack=pack.key, node=terms.key)
        )
    return node, terms


def _promised(request: OrderRequest, node: PackNode, terms: NodeTerms) -> PromisedNode:
    promised_at_ms = terms.promised_at_ms
    if promised_at_ms is None:
        promised_at_ms = request.booked_from_ms + node.offset_minutes * MS_PER_MINUTE
    opens_at_ms = terms.opens_at_ms
    if opens_at_ms is None:
        opens_at_ms = max(0, promised_at_ms - node.opens_minutes * MS_PER_MINUTE)
    worker = request.worker if terms.worker is None else terms.worker
    tolerance, hard = terms.tolerance_minutes, terms.hard_minutes
    tolerance = node.tolerance_minutes if tolerance is None else tolerance
    hard = node.hard_minutes if hard is None else hard
    _check_by_whom(node, worker)
    _check_times(node, (opens_at_ms, promised_at_ms), (tolerance, hard))
    try:
        return PromisedNode(
            node=node.key,
            worker=worker,
            node_kind=node.node_kind,
            match=node.match.match,
            opens_at_ms=opens_at_ms,
            promised_at_ms=promised_at_ms,
            tolerance_ms=tolerance * MS_PER_MINUTE,
            hard_ms=hard * MS_PER_MINUTE,
            at_risk_ms=node.at_risk_minutes * MS_PER_MINUTE,
            early_bp_per_hour=node.early_bp_per_hour,
            early_bp_max=node.early_bp_max,
            weight=node.weight,
            is_critical=node.is_critical,
            place=node.place,
            weakest_evidence=node.weakest_evidence.evidence,
        )
    except ValidationError as error:
        raise InvalidError(*explain(error.errors()[0], f"nodes.{node.key}", "")) from None


def _check_by_whom(node: PackNode, worker: str) -> None:
    if not worker and node.match is not MatchBy.ORDER:
        raise InvalidError(
            f"nodes.{node.key}.worker",
            say("{node} is recognised by its worker; name who does it.", node=node.key),
        )


def _check_times(node: PackNode, window_ms: tuple[int, int], minutes: tuple[int, int]) -> None:
    tolerance, hard = minutes
    if hard <= tolerance:
        raise InvalidError(
            f"nodes.{node.key}.hard_minutes",
            say("{node}: hard_minutes must exceed tolerance_minutes.", node=node.key),
        )
    opens_at_ms, promised_at_ms = window_ms
    if opens_at_ms > promised_at_ms:
        raise InvalidError(
            f"nodes.{node.key}.opens_at_ms",
            say("{node}: opens_at_ms must not be after promised_at_ms.", node=node.key),
        )


def _work(node: PackNode, terms: NodeTerms) -> promising.NodeWork:
    if node.rate_fen * terms.quantity > AMOUNT_FEN_MAX:
        raise InvalidError(
            f"nodes.{node.key}.quantity", say("The pay of {node} is too large.", node=node.key)
        )
    crew = tuple((member.worker, member.role) for member in terms.crew)
    return promising.NodeWork(node.rate_fen, terms.quantity, terms.role, crew)


def _code(action: CodeAction, worker: str, request: OrderRequest, code: str) -> Code:
    holder = worker if action in _BY_WORKER_ACTIONS else request.resident
    return Code(code=code, action=action, subject=holder or "unnamed")
