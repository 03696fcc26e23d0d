"""Adds headquarters' web pages to its HTTP application."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from importlib.resources import files
from typing import Final

from fastapi import FastAPI
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from agreed.machine import parse_simulated_day
from cloud.dashboards import boxes, orders, overview, settlement, trouble, workers
from cloud.dashboards.desk import Desk
from cloud.dashboards.language import LanguageMiddleware
from cloud.dashboards.live import LiveStream
from cloud.dashboards.rendering import Pages

SIMULATED_DAY: Final = "DUIFU_SIMULATED_DAY"


def add_pages(
    app: FastAPI,
    read: Callable[[], AbstractContextManager[Connection]],
    now_ms: Callable[[], int],
    company: str,
) -> None:
    """Add the pages, their files, their error pages and the choice of language.

    `app.state.live` is the live stream: await its `close` before the server waits for
    connections to end, or open pages hold it up.

    Args:
        app: before it serves.
        read: opens one read transaction, as `cloud.database.engine.reading` does.
        now_ms: the time, ms since the epoch.
        company: key of the company that is shown.
    """
    day = os.environ.get(SIMULATED_DAY)
    speed = parse_simulated_day(day).speed if day else 0
    pages = Pages(company, speed)
    desk = Desk(pages, read, now_ms, company, speed or 1)
    stream = LiveStream(partial(overview.fragments, desk))
    app.state.live = stream
    app.add_middleware(LanguageMiddleware)
    app.mount("/static", _Static(directory=str(files("cloud.dashboards") / "static")))
    app.include_router(overview.routes(desk, stream))
    for room in (orders, workers, settlement, boxes):
        app.include_router(room.routes(desk))
    trouble.add_handlers(app, pages)


class _Static(StaticFiles):
    """Static files; their addresses change with their content, so a browser may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["X-Content-Type-Options"] = "nosniff"
        if b"v=" in scope.get("query_string", b""):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
