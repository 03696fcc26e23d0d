"""Today: what needs somebody, promises by verdict and hour, money earned, boxes; live."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from sqlalchemy import Connection

from agreed.promises import Verdict
from agreed.words import language, say
from cloud import reads
from cloud.dashboards import queries, signals
from cloud.dashboards.charts import Hour
from cloud.dashboards.desk import Desk
from cloud.dashboards.formats import HOUR_MS
from cloud.dashboards.live import RETRY_MS, LiveStream
from cloud.database.views import SiteView

FRAGMENTS: Final = ("stamp", "attention", "figures", "hours", "money", "boxes")
BOXES_SHOWN: Final = 60
"""The worst ones; a page that is sent every second does not carry a whole fleet."""

SITES_SHOWN: Final = 60
TROUBLED_SHOWN: Final = 10
_HOURS_MIN: Final = 8


def routes(desk: Desk, stream: LiveStream) -> APIRouter:
    """Serve the overview and its live stream."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def overview(request: Request) -> HTMLResponse:
        with desk.reading() as connection:
            return desk.page(request, "overview.html", **values(desk, connection))

    @router.get("/live/overview")
    async def live_overview() -> Response:
        if stream.is_full:
            text = say("Too many pages listen at once; this one shows what a reload shows.")
            return PlainTextResponse(text, 503, {"Retry-After": str(RETRY_MS // 1000)})
        return StreamingResponse(
            stream.events(language.get()),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


def fragments(desk: Desk, spoken: str) -> Mapping[str, str]:
    """Render every part of the overview that may change, in a language."""
    token = language.set(spoken)
    try:
        with desk.reading() as connection:
            found = values(desk, connection)
        return {name: desk.pages.fragment(f"live_{name}.html", **found) for name in FRAGMENTS}
    finally:
        language.reset(token)


def values(desk: Desk, connection: Connection) -> dict[str, object]:
    """Read what the overview shows, all of it at one instant.

    Raises:
        LookupError: the company does not exist yet.
    """
    seen = reads.overview(connection, desk.company, desk.now_ms())
    rows = signals.fleet(seen.boxes, seen.as_of_ms, desk.speed)
    day = (seen.day_from_ms, seen.day_until_ms)
    counted = queries.promises_by_hour(connection, desk.company, *day)
    names = queries.worker_names(connection, desk.company)
    site_names = {site.site: site.name for site in seen.sites}
    earned = queries.earners(connection, desk.company, *day)
    return {
        "seen": seen,
        "boxes_by_site": boxes_by_site(rows[:BOXES_SHOWN]),
        "boxes_left": len(rows[BOXES_SHOWN:]),
        "sites": worst_sites(seen.sites, rows),
        "troubled": [row for row in rows if signals.needs_somebody(row)][:TROUBLED_SHOWN],
        "hours": hour_columns(counted),
        "earners": [earner for earner in earned if earner.earned_fen],
        "worker_names": names,
        "site_names": site_names,
        "signals": signals,
        "figure_notes": figure_notes(),
    }


def hour_columns(counted: Mapping[int, Mapping[Verdict, int]]) -> list[Hour]:
    """Give a column to every hour from the first promise to the last, empty ones included."""
    if not counted:
        return []
    first, last = min(counted), max(counted)
    last = max(last, first + (_HOURS_MIN - 1) * HOUR_MS)
    return [Hour(at_ms, counted.get(at_ms, {})) for at_ms in range(first, last + 1, HOUR_MS)]


def boxes_by_site(rows: list[signals.Row]) -> dict[str, list[signals.Row]]:
    """Put the boxes under their sites, in the same order."""
    found: dict[str, list[signals.Row]] = {}
    for row in rows:
        found.setdefault(row[0].site, []).append(row)
    return found


def worst_sites(sites: list[SiteView], rows: list[signals.Row]) -> list[SiteView]:
    """Order the sites by their worst box, and give no more than are shown."""
    places = {site: place for place, site in enumerate(boxes_by_site(rows))}
    return sorted(sites, key=lambda site: places.get(site.site, len(places)))[:SITES_SHOWN]


def figure_notes() -> dict[str, str]:
    """Say in a few words what each figure means."""
    return {
        "kept": say("proven in time"),
        "late": say("proven too late"),
        "missed": say("never done"),
        "undecidable": say("clock too uncertain, paid"),
        "open": say("not yet known"),
    }
