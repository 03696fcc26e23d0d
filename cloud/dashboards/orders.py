"""Orders: the list with its filters in the address, and one order as a timeline with evidence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from agreed.promises import NO_CLOCK, Verdict
from agreed.words import say
from cloud import reads
from cloud.dashboards import queries, tables, wording
from cloud.dashboards.charts import Axis, Lane, axes
from cloud.dashboards.desk import BadAddressError, Desk, NotFoundError, days, page_number
from cloud.dashboards.formats import exact
from cloud.dashboards.queries import OrderFilter, OrderLine
from cloud.database.views import NodeView, OrderView

PER_PAGE: Final = 50
AT_RISK: Final = "at_risk"
COLUMNS: Final = (
    "site",
    "order",
    "pack",
    "pack_version",
    "worker",
    "resident",
    "status",
    "booked_from",
    "booked_until",
    "missed",
    "late",
    "undecidable",
    "open",
    "kept",
    "earned_fen",
)


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """What an address asks for, as text: empty for all."""

    site: str = ""
    worker: str = ""
    text: str = ""
    state: str = ""
    first: str = ""
    last: str = ""
    page: int = 1

    def address(self, page: int = 1, ending: str = "") -> str:
        """Give the address that asks for the same, on another page or as a file."""
        named = {
            "site": self.site,
            "worker": self.worker,
            "text": self.text,
            "state": self.state,
            "from": self.first,
            "until": self.last,
            "page": "" if page == 1 else str(page),
        }
        query = urlencode({name: value for name, value in named.items() if value})
        return f"/orders{ending}{'?' if query else ''}{query}"

    def filter(self, now_ms: int) -> OrderFilter:
        """Turn it into a filter of the store.

        Raises:
            BadAddressError: a state that there is not, or a date that cannot be read.
        """
        if self.state not in {"", AT_RISK, *wording.VERDICTS_BY_NAME}:
            raise BadAddressError(self.state)
        from_ms, until_ms = days(self.first, self.last) if self.first else (None, None)
        return OrderFilter(
            site=self.site,
            worker=self.worker,
            text=self.text,
            verdict=wording.VERDICTS_BY_NAME.get(self.state),
            is_at_risk=self.state == AT_RISK,
            from_ms=from_ms,
            until_ms=until_ms,
            now_ms=now_ms,
        )


def routes(desk: Desk) -> APIRouter:
    """Serve the orders."""
    router = APIRouter(include_in_schema=False)

    @router.get("/orders")
    def listed(request: Request) -> HTMLResponse:
        return _list_page(desk, request)

    @router.get("/orders.csv")
    def as_csv(request: Request) -> StreamingResponse:
        return tables.as_csv("orders", COLUMNS, _export(desk, order_query(request)))

    @router.get("/orders.json")
    def as_json(request: Request) -> StreamingResponse:
        return tables.as_json("orders", COLUMNS, _export(desk, order_query(request)))

    @router.get("/orders/{site}/{order_id:path}")
    def one(request: Request, site: str, order_id: str) -> HTMLResponse:
        return _order_page(desk, request, site, order_id)

    return router


def order_query(request: Request) -> OrderQuery:
    """Read what the address asks for.

    Raises:
        BadAddressError: a page that is no number.
    """
    asked = request.query_params
    first = asked.get("day") or asked.get("from") or asked.get("until") or ""
    return OrderQuery(
        site=asked.get("site", ""),
        worker=asked.get("worker", ""),
        text=asked.get("text", "").strip(),
        state=asked.get("state", ""),
        first=first,
        last=asked.get("day") or asked.get("until") or first,
        page=page_number(request),
    )


def lane_of(node: NodeView, covered_until_ms: int, now_ms: int) -> Lane:
    """Take what the timeline draws from a node."""
    is_open = node.verdict is Verdict.OPEN
    decided = node.decided
    bound_ms = decided.bound_ms if decided else None
    return Lane(
        opens_at_ms=node.opens_at_ms,
        promised_at_ms=node.promised_at_ms,
        tolerance_ms=node.tolerance_ms,
        hard_ms=node.hard_ms,
        actual_at_ms=decided.actual_at_ms if decided else None,
        bound_ms=NO_CLOCK if bound_ms is None else bound_ms,
        verdict=node.verdict,
        unknown_ms=(min(covered_until_ms, now_ms), now_ms) if is_open else None,
    )


def waiting_word(node: NodeView, view: OrderView, now_ms: int) -> str:
    """Say why an open node is open: unknown and undone are not the same."""
    if now_ms < node.due_at_ms:
        return say("There is still time.")
    if view.covered_until_ms < node.due_at_ms:
        return say(
            "It was due, but the records of the site have not arrived this far: "
            "whether it was done is unknown, not yet synced."
        )
    return say("It was due and is not done; until the hard limit it still earns a part.")


def _list_page(desk: Desk, request: Request) -> HTMLResponse:
    wanted = order_query(request)
    now_ms = desk.now_ms()
    with desk.reading() as connection:
        chosen = wanted.filter(now_ms)
        found, meant = queries.count_orders(connection, desk.company, chosen)
        offset = (wanted.page - 1) * PER_PAGE
        listed = queries.list_orders(connection, desk.company, chosen, offset, PER_PAGE)
        sites = {site.site: site.name for site in reads.sites(connection, desk.company, now_ms)}
        return desk.page(
            request,
            "orders.html",
            as_of_ms=now_ms,
            wanted=wanted,
            orders=listed,
            found=found,
            meant=meant,
            pages=max(1, -(-found // PER_PAGE)),
            site_names=sites,
            worker_names=queries.worker_names(connection, desk.company),
        )


def _order_page(desk: Desk, request: Request, site: str, order_id: str) -> HTMLResponse:
    now_ms = desk.now_ms()
    with desk.reading() as connection:
        view = reads.order_view(connection, desk.company, site, order_id, now_ms)
        if view is None:
            raise NotFoundError(say("order {name}", name=order_id))
        return desk.page(
            request,
            "order.html",
            as_of_ms=now_ms,
            view=view,
            order=view.order,
            pack_title=wording.chosen(view.order.pack_name_zh, view.order.pack_name_en),
            nodes=_node_rows(view, now_ms),
            segment_word=wording.segment_word,
            site_names={s.site: s.name for s in reads.sites(connection, desk.company, now_ms)},
            worker_names=queries.worker_names(connection, desk.company),
        )


def _node_rows(view: OrderView, now_ms: int) -> list[tuple[NodeView, Lane, Axis, str]]:
    lanes = [lane_of(node, view.covered_until_ms, now_ms) for node in view.nodes]
    return [
        (node, lane, axis, "" if node.verdict else waiting_word(node, view, now_ms))
        for node, lane, axis in zip(view.nodes, lanes, axes(lanes), strict=True)
    ]


def _export(desk: Desk, wanted: OrderQuery) -> Iterator[tuple[tables.Cell, ...]]:
    with desk.reading():
        chosen = wanted.filter(desk.now_ms())  # a bad address is refused before the file begins
    return _rows(desk, chosen)


def _rows(desk: Desk, chosen: OrderFilter) -> Iterator[tuple[tables.Cell, ...]]:
    with desk.reading() as connection:
        for order in queries.every_order(connection, desk.company, chosen):
            yield _cells(order)


def _cells(order: OrderLine) -> tuple[tables.Cell, ...]:
    counts = order.promises
    return (
        order.site,
        order.order_id,
        order.pack,
        order.pack_version,
        order.worker,
        order.resident,
        order.status,
        exact(order.booked_from_ms),
        exact(order.booked_until_ms),
        counts.missed,
        counts.late,
        counts.undecidable,
        counts.open,
        counts.kept,
        order.earned_fen,
    )
