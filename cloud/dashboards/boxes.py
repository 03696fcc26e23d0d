"""Boxes: how each is connected, how far its records are here, and what went wrong at it."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from agreed.words import say
from cloud import reads
from cloud.dashboards import incidents, queries, signals
from cloud.dashboards.desk import Desk, NotFoundError, page_number
from cloud.database.fleet import BoxName

BLOCKS_SHOWN: Final = 20
PREVIEWS_SHOWN: Final = 10
PER_PAGE: Final = 100


def routes(desk: Desk) -> APIRouter:
    """Serve the boxes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/boxes")
    def listed(request: Request) -> HTMLResponse:
        now_ms = desk.now_ms()
        page = page_number(request)
        with desk.reading() as connection:
            rows = signals.fleet(reads.boxes(connection, desk.company), now_ms, desk.speed)
            return desk.page(
                request,
                "boxes.html",
                as_of_ms=now_ms,
                boxes=rows[(page - 1) * PER_PAGE : page * PER_PAGE],
                page=page,
                pages=max(1, -(-len(rows) // PER_PAGE)),
                site_names={s.site: s.name for s in reads.sites(connection, desk.company, now_ms)},
                signals=signals,
            )

    @router.get("/boxes/{site}/{name}")
    def one(request: Request, site: str, name: str) -> HTMLResponse:
        return _box_page(desk, request, site, name)

    return router


def _box_page(desk: Desk, request: Request, site: str, name: str) -> HTMLResponse:
    now_ms = desk.now_ms()
    with desk.reading() as connection:
        box = reads.box(connection, desk.company, site, name)
        if box is None:
            raise NotFoundError(say("box {name}", name=name))
        place = BoxName(desk.company, site, name)
        return desk.page(
            request,
            "box.html",
            as_of_ms=now_ms,
            box=box,
            link=signals.link(box, now_ms, desk.speed),
            data=signals.data(box, now_ms, desk.speed),
            signals=signals,
            stories=incidents,
            previews=reads.last_previews(connection, place, PREVIEWS_SHOWN),
            previews_count=reads.count_previews(connection, place),
            incidents=reads.incidents(connection, desk.company, site=site, box=name),
            blocks=queries.last_blocks(connection, desk.company, site, name, BLOCKS_SHOWN),
            site_names={s.site: s.name for s in reads.sites(connection, desk.company, now_ms)},
        )
