"""Routes for packs, orders and verdicts."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel

from agreed.directives import Code
from agreed.limits import WALL_MS_MAX
from agreed.promises import Verdict
from agreed.words import say
from cloud import reads
from cloud.api.desk import (
    Desk,
    FromMs,
    Limit,
    Offset,
    SiteName,
    SiteWanted,
    UntilMs,
    WordWanted,
)
from cloud.api.troubles import RESPONSES
from cloud.database import masters
from cloud.database.views import EvidenceView, OrderRow, OrderView, VerdictView
from cloud.fields import Word
from cloud.office import orders as acts
from cloud.office.orders import OrderRequest
from cloud.office.refunding import Refunded, RefundRequest, refund_order
from cloud.office.refusals import UnknownError
from cloud.settlement.packs import Pack

OrderKey = Annotated[Word, Path(description="order", examples=["o-1001"])]
VerdictName = Literal["open", "kept", "late", "missed", "undecidable"]

_PACK = {
    "key": "aircon-cleaning",
    "name_zh": "空调清洗",
    "name_en": "Air conditioner cleaning",
    "supplier": "clean-co",
    "price_fen": 19_900,
    "supplier_cost_fen": 6_000,
    "platform_bp": 600,
    "pool_bp": 5_000,
    "nodes": [
        {
            "key": "arrive",
            "name_zh": "上门",
            "name_en": "Arrival",
            "node_kind": "gate_passed",
            "match": "worker",
            "tolerance_minutes": 10,
            "hard_minutes": 60,
            "rate_fen": 500,
        },
        {
            "key": "finish",
            "name_zh": "验收",
            "name_en": "Accepted by standard",
            "node_kind": "task_finished",
            "offset_minutes": 90,
            "tolerance_minutes": 15,
            "hard_minutes": 120,
            "is_critical": True,
            "rate_fen": 2_500,
            "code": "finish",
        },
    ],
}
_ORDER = {
    "order_id": "o-1001",
    "pack": "aircon-cleaning",
    "worker": "w-07",
    "resident": "r-1203",
    "booked_from_ms": 1_767_250_800_000,
    "booked_until_ms": 1_767_258_000_000,
}
_REFUND = {"key": "complaint 17", "amount_fen": 19_900, "cause": "the unit leaked again"}


class Published(BaseModel):
    """A pack in its newest version."""

    version: int
    pack: Pack


class Booked(BaseModel):
    """An order that was booked, with the codes to hand out."""

    order_id: str
    pack: str
    pack_version: int
    codes: list[Code]


def order_routes(desk: Desk) -> APIRouter:
    """Make the routes for packs, orders and verdicts."""
    router = APIRouter(tags=["packs and orders"], responses=RESPONSES)
    _add_packs(router, desk)
    _add_orders(router, desk)
    _add_refunds(router, desk)
    _add_facts(router, desk)
    return router


def _add_packs(router: APIRouter, desk: Desk) -> None:
    @router.get("/packs", summary="Packs, each in its newest version")
    def packs() -> list[Published]:
        with desk.reading() as connection:
            found = masters.newest_packs(connection, desk.company)
        return [Published(version=version, pack=pack) for version, pack in found]

    @router.post("/packs", status_code=201, summary="Publish a pack as its next version")
    def publish(request: Annotated[Pack, Body(examples=[_PACK])]) -> Published:
        acts.check_provable(request)
        version = acts.publish_pack(desk.engine, desk.company, request, desk.now_ms())
        return Published(version=version, pack=request)


def _add_orders(router: APIRouter, desk: Desk) -> None:
    @router.get("/orders", summary="Orders, those booked last first")
    def orders(  # noqa: PLR0913, PLR0917  # the filters of a list
        site: SiteWanted = None,
        status: Literal["open", "done", "cancelled"] | None = None,
        verdict: VerdictName | None = None,
        worker: WordWanted = None,
        from_ms: FromMs = 0,
        until_ms: UntilMs = WALL_MS_MAX,
        offset: Offset = 0,
        limit: Limit = 100,
    ) -> list[OrderRow]:
        wanted = reads.OrderFilter(
            site=site,
            status=status,
            verdict=None if verdict is None else Verdict[verdict.upper()],
            worker=worker,
            from_ms=from_ms,
            until_ms=until_ms,
            offset=offset,
            limit=limit,
        )
        with desk.reading() as connection:
            return reads.orders(connection, desk.company, wanted)

    @router.post(
        "/sites/{site}/orders",
        status_code=201,
        summary="Book an order: its promised nodes come from the pack, or as agreed",
    )
    def create(site: SiteName, request: Annotated[OrderRequest, Body(examples=[_ORDER])]) -> Booked:
        return _book(desk, site, [request])[0]

    @router.post("/sites/{site}/orders/batch", status_code=201, summary="Book orders, all or none")
    def create_many(
        site: SiteName,
        request: Annotated[
            list[OrderRequest], Body(min_length=1, max_length=1_000, examples=[[_ORDER]])
        ],
    ) -> list[Booked]:
        return _book(desk, site, request)

    @router.get("/orders/{site}/{order_id:path}", summary="One order with everything behind it")
    def order(site: SiteName, order_id: OrderKey) -> OrderView:
        with desk.reading() as connection:
            found = reads.order_view(connection, desk.company, site, order_id, desk.now_ms())
        if found is None:
            raise UnknownError("order_id", say("There is no order {order}.", order=order_id))
        return found

    @router.post(
        "/orders/{site}/{order_id:path}/cancel",
        status_code=204,
        summary="Cancel an order of which nothing was decided; its income goes back",
    )
    def cancel(site: SiteName, order_id: OrderKey) -> None:
        acts.cancel_order(desk.engine, desk.place(site), order_id, desk.now_ms())
        desk.wake()


def _add_refunds(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/orders/{site}/{order_id:path}/refund",
        status_code=201,
        summary="Give back a part of an order's income, or all; the same key changes nothing",
    )
    def refund(
        site: SiteName,
        order_id: OrderKey,
        request: Annotated[RefundRequest, Body(examples=[_REFUND])],
    ) -> Refunded:
        place = desk.place(site)
        return refund_order(desk.engine, place, order_id, request, desk.now_ms())


def _add_facts(router: APIRouter, desk: Desk) -> None:
    @router.get("/verdicts", summary="Decisions, every revision, the newest first")
    def verdicts(
        site: SiteWanted = None, since_ms: FromMs = 0, offset: Offset = 0, limit: Limit = 100
    ) -> list[VerdictView]:
        with desk.reading() as connection:
            return reads.verdicts(
                connection,
                desk.company,
                site=site,
                since_ms=since_ms,
                offset=offset,
                limit=limit,
            )

    @router.get(
        "/evidence/{site}/{box}/{epoch}/{sequence}",
        summary="One device record and the block that holds it",
    )
    def evidence(
        site: SiteName,
        box: Annotated[Word, Path()],
        epoch: Annotated[str, Path(pattern="^[0-9a-f]{32}$")],
        sequence: Annotated[int, Path(ge=1, le=2**62)],
    ) -> EvidenceView:
        with desk.reading() as connection:
            found = reads.evidence(connection, desk.company, site, box, epoch, sequence)
        if found is None:
            raise UnknownError(
                "sequence", say("Headquarters holds no record {sequence}.", sequence=sequence)
            )
        return found


def _book(desk: Desk, site: str, requests: list[OrderRequest]) -> list[Booked]:
    booked = acts.create_orders(
        desk.engine, desk.place(site), requests, desk.make_code, desk.now_ms()
    )
    desk.wake()
    return [
        Booked(
            order_id=order.order_id,
            pack=order.pack,
            pack_version=order.pack_version,
            codes=order.codes,
        )
        for order in booked
    ]
