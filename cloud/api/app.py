"""Puts the REST interface and the pages into one application."""

from functools import partial
from importlib.util import find_spec
from typing import Final

from fastapi import FastAPI

from cloud.api.desk import Desk
from cloud.api.fleet import fleet_routes
from cloud.api.money import money_routes
from cloud.api.orders import order_routes
from cloud.api.people import people_routes
from cloud.api.plans import plan_routes
from cloud.api.settling import settling_routes
from cloud.api.statements import statement_routes
from cloud.api.tokens import TokenGate
from cloud.api.troubles import add_troubles
from cloud.office.people import person_of

VERSION_PATH: Final = "/api/v1"
_DESCRIPTION: Final = (
    "Orders in; verdicts, books and statements out. Money is whole fen, times are ms since 1970. "
    "Writing asks for “Authorization: Bearer TOKEN”; “duifu cloud token” prints it."
)

_ROUTES: Final = (
    fleet_routes,
    people_routes,
    order_routes,
    money_routes,
    plan_routes,
    settling_routes,
    statement_routes,
)


def make_app(desk: Desk) -> FastAPI:
    """Make the application for one headquarters."""
    app = FastAPI(
        title="兑付 Duifu",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    add_troubles(app)
    for routes in _ROUTES:
        app.include_router(routes(desk), prefix=VERSION_PATH)
    # The pages are a room of their own; headquarters works without them.
    if find_spec("cloud.dashboards.pages") is not None:
        from cloud.dashboards.pages import add_pages  # noqa: PLC0415

        add_pages(app, desk.reading, desk.now_ms, desk.company)
    known = partial(person_of, desk.engine, desk.company)
    app.add_middleware(TokenGate, token=desk.token, person_of=known, is_open=desk.is_open)
    return app
