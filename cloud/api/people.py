"""Routes for workers and cards."""

from typing import Annotated

from fastapi import APIRouter, Body, Path

from cloud import reads
from cloud.api.desk import Desk, SiteName, SiteWanted
from cloud.api.troubles import RESPONSES
from cloud.database.views import WorkerView
from cloud.fields import Word
from cloud.office import sites as acts
from cloud.office.sites import CredentialRequest, WorkerRequest

_WORKER = {"worker": "w-07", "name": "王师傅"}
_CARD = {
    "subject": "w-07",
    "role": "worker",
    "valid_from_ms": 1_767_225_600_000,
    "valid_until_ms": 1_798_761_600_000,
}
_CardNumber = Annotated[Word, Path(description="card number", examples=["04a1b2c3"])]


def people_routes(desk: Desk) -> APIRouter:
    """Make the routes for workers and cards."""
    router = APIRouter(tags=["people"], responses=RESPONSES)

    @router.get("/workers", summary="Workers with their commission accounts")
    def workers(site: SiteWanted = None) -> list[WorkerView]:
        with desk.reading() as connection:
            return reads.workers(connection, desk.company, site=site)

    @router.post("/sites/{site}/workers", status_code=201, summary="Add a worker, or rename")
    def put_worker(
        site: SiteName, request: Annotated[WorkerRequest, Body(examples=[_WORKER])]
    ) -> WorkerRequest:
        acts.put_workers(desk.engine, desk.place(site), [request], desk.now_ms())
        return request

    @router.put(
        "/sites/{site}/credentials/{card:path}",
        status_code=204,
        summary="Let a card open gates; replaces what it did before",
    )
    def put_credential(
        site: SiteName,
        card: _CardNumber,
        request: Annotated[CredentialRequest, Body(examples=[_CARD])],
    ) -> None:
        acts.put_credentials(desk.engine, desk.place(site), {card: request}, desk.now_ms())
        desk.wake()

    @router.delete("/sites/{site}/credentials/{card:path}", status_code=204, summary="End a card")
    def end_credential(site: SiteName, card: _CardNumber) -> None:
        acts.end_credential(desk.engine, desk.place(site), card, desk.now_ms())
        desk.wake()

    return router
