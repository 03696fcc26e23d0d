"""Routes for the pool, the books and statements."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel

from agreed.limits import WALL_MS_MAX
from cloud import reads
from cloud.api.desk import Desk, FromMs, Limit, SiteName, SiteWanted, UntilMs, WordWanted
from cloud.api.troubles import RESPONSES
from cloud.database.views import AccountView, LedgerCheck, Statement, TransferView
from cloud.fields import Word
from cloud.office import money as acts
from cloud.office.money import AccountHeld, FundingRequest, FundsRequest
from cloud.office.wagers import Released, release_wager

_FUNDING = {"key": "2026-03 new profit", "amount_fen": 500_000, "note": "March"}
_STAKE = {
    "key": "spring stake",
    "into": "senior_stake",
    "wager": "spring",
    "period": "2026-03",
    "amount_fen": 40_000,
}


class Pool(BaseModel):
    """What a site's pool can still pay, fen."""

    site: str
    pool_fen: int


def money_routes(desk: Desk) -> APIRouter:
    """Make the routes for the pool, the books and statements."""
    router = APIRouter(tags=["money"], responses=RESPONSES)
    _add_books(router, desk)

    @router.post(
        "/sites/{site}/pool",
        status_code=201,
        summary="Fund a site's pool; the same key again changes nothing",
    )
    def fund(site: SiteName, request: Annotated[FundingRequest, Body(examples=[_FUNDING])]) -> Pool:
        held_fen = acts.fund_pool(desk.engine, desk.place(site), request, desk.now_ms())
        return Pool(site=site, pool_fen=held_fen)

    @router.post(
        "/sites/{site}/funds",
        status_code=201,
        summary="Fund one of a site's funds, or a wager's escrow; the same key changes nothing",
    )
    def fund_account(
        site: SiteName, request: Annotated[FundsRequest, Body(examples=[_STAKE])]
    ) -> AccountHeld:
        return acts.fund_account(desk.engine, desk.place(site), request, desk.now_ms())

    @router.post(
        "/sites/{site}/wagers/{wager}/release",
        summary="Give back the stakes of a wager that is over or withdrawn; again, nothing",
    )
    def release(site: SiteName, wager: Annotated[Word, Path(examples=["spring"])]) -> Released:
        return release_wager(desk.engine, desk.place(site), wager, desk.now_ms())

    @router.get("/statements/{worker:path}", summary="What moved a worker's pay, line by line")
    def statement(
        worker: Annotated[Word, Path(examples=["w-07"])],
        from_ms: FromMs = 0,
        until_ms: UntilMs = WALL_MS_MAX,
    ) -> Statement:
        with desk.reading() as connection:
            return reads.statement(connection, desk.company, worker, from_ms, until_ms)

    return router


def _add_books(router: APIRouter, desk: Desk) -> None:
    @router.get("/accounts", summary="Accounts with their balances")
    def accounts(site: SiteWanted = None) -> list[AccountView]:
        with desk.reading() as connection:
            return reads.accounts(connection, desk.company, site=site)

    @router.get("/postings", summary="Ledger transfers, the newest first")
    def postings(
        site: SiteWanted = None,
        account: WordWanted = None,
        order_id: WordWanted = None,
        before: Annotated[int, Query(ge=1, le=2**62)] = 2**62,
        limit: Limit = 100,
    ) -> list[TransferView]:
        wanted = reads.TransferFilter(site, account, order_id, before, limit)
        with desk.reading() as connection:
            return reads.transfers(connection, desk.company, wanted)

    @router.get("/ledger/check", summary="Check the books and every chain from its first block")
    def check() -> LedgerCheck:
        with desk.reading() as connection:
            return reads.ledger_check(connection, desk.company)
