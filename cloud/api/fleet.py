"""Routes for sites and boxes."""

from typing import Annotated, Final

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from agreed.words import say
from cloud import reads
from cloud.api.desk import BoxKey, Desk, Login, SiteName, SiteWanted
from cloud.api.troubles import RESPONSES
from cloud.database.views import BoxView, IncidentView, Overview, PreviewView, SiteView
from cloud.office import boxes as box_acts
from cloud.office.refusals import UnknownError
from cloud.office.sites import SiteRequest, open_site

PREVIEWS_SHOWN: Final = 100
FINGERPRINT_PATTERN: Final = r"^[0-9a-fA-F]{4}(-[0-9a-fA-F]{4}){4}$"
KEY_SEEN: Final = {"fingerprint": "3f2a-91bc-07de-45a8-c6f0"}
FingerprintSeen = Annotated[
    str | None,
    Query(
        pattern=FINGERPRINT_PATTERN,
        description="Refuse unless the box has named this key: as `duifu edge key` shows it.",
    ),
]


class Accepted(BaseModel):
    """A box that was taken into service; login is None where another broker is used."""

    site: str
    box: str
    login: Login | None


class KeySeen(BaseModel):
    """The fingerprint that a person has seen at the box itself: `duifu edge key`."""

    model_config = ConfigDict(extra="forbid")

    fingerprint: Annotated[str, Field(pattern=FINGERPRINT_PATTERN)]


class Resolved(BaseModel):
    """How many incidents a person has looked at."""

    resolved: int


def fleet_routes(desk: Desk) -> APIRouter:
    """Make the routes for sites and boxes."""
    router = APIRouter(tags=["sites and boxes"], responses=RESPONSES)
    _add_reads(router, desk)
    _add_acts(router, desk)
    return router


def _add_reads(router: APIRouter, desk: Desk) -> None:
    @router.get("/overview", summary="The company now")
    def overview() -> Overview:
        with desk.reading() as connection:
            return reads.overview(connection, desk.company, desk.now_ms())

    @router.get("/sites", summary="Sites with their figures of today")
    def sites() -> list[SiteView]:
        with desk.reading() as connection:
            return reads.sites(connection, desk.company, desk.now_ms())

    @router.get("/boxes", summary="Boxes and how far they were heard")
    def boxes(site: SiteWanted = None) -> list[BoxView]:
        with desk.reading() as connection:
            return reads.boxes(connection, desk.company, site=site)

    @router.get("/boxes/{site}/{box}", summary="One box")
    def box(site: SiteName, box: BoxKey) -> BoxView:
        with desk.reading() as connection:
            found = reads.box(connection, desk.company, site, box)
        if found is None:
            raise UnknownError("box", say("There is no box {box} at {site}.", box=box, site=site))
        return found

    @router.get(
        "/boxes/{site}/{box}/previews",
        summary="Records seen ahead of a backlog and not committed yet: shown, never paid from",
    )
    def previews(site: SiteName, box: BoxKey) -> list[PreviewView]:
        with desk.reading() as connection:
            return reads.last_previews(connection, desk.box(site, box), PREVIEWS_SHOWN)

    @router.get("/incidents", summary="What a person must look at, or has")
    def incidents(site: SiteWanted = None) -> list[IncidentView]:
        with desk.reading() as connection:
            return reads.incidents(connection, desk.company, site=site)


def _add_acts(router: APIRouter, desk: Desk) -> None:
    @router.post("/sites", status_code=201, summary="Open a site; the same again changes nothing")
    def create_site(
        request: Annotated[
            SiteRequest, Body(examples=[{"site": "sunrise-garden", "name": "晨曦花园"}])
        ],
    ) -> SiteRequest:
        open_site(desk.engine, desk.company, request, desk.now_ms())
        return request

    @router.put("/boxes/{site}/{box}", status_code=201, summary="Add a box; it is pending")
    def add_box(site: SiteName, box: BoxKey, response: Response) -> BoxView:
        name = desk.box(site, box)
        if not box_acts.add_box(desk.engine, name, desk.random_bytes(16), desk.now_ms()):
            response.status_code = 200
        with desk.reading() as connection:
            found = reads.box(connection, desk.company, site, box)
        assert found is not None
        return found

    @router.post(
        "/boxes/{site}/{box}/accept",
        summary="Take a box into service; again, it gets another password and learns all anew",
    )
    def accept_box(site: SiteName, box: BoxKey, fingerprint: FingerprintSeen = None) -> Accepted:
        name = desk.box(site, box)
        number = box_acts.accept_box(
            desk.engine, name, desk.random_bytes(16), desk.now_ms(), fingerprint
        )
        desk.wake()
        login = desk.login(name, number)
        shown = login and Login(url=login[0], user=login[1].user, password=login[1].password)
        return Accepted(site=site, box=box, login=shown)

    @router.post(
        "/boxes/{site}/{box}/key",
        status_code=204,
        summary="Know a box by the other key that it names: it was replaced, or lost its key",
    )
    def accept_key(
        site: SiteName, box: BoxKey, request: Annotated[KeySeen, Body(examples=[KEY_SEEN])]
    ) -> None:
        name = desk.box(site, box)
        box_acts.accept_key(desk.engine, name, request.fingerprint, desk.now_ms())
        desk.wake()

    @router.post("/boxes/{site}/{box}/retire", status_code=204, summary="Take a box out of service")
    def retire_box(site: SiteName, box: BoxKey) -> None:
        box_acts.retire_box(desk.engine, desk.box(site, box), desk.now_ms())
        desk.wake()

    @router.post("/boxes/{site}/{box}/resolve", summary="Say that a person has looked")
    def resolve(site: SiteName, box: BoxKey) -> Resolved:
        done = box_acts.resolve_incidents(desk.engine, desk.box(site, box), desk.now_ms())
        return Resolved(resolved=done)
