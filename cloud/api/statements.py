"""Routes for monthly statements, disputes, and every list of money as a file."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Body, Path, Response

from agreed.limits import WALL_MS_MAX
from cloud import reads
from cloud.api.desk import Desk, SiteName, SiteWanted, WordWanted
from cloud.api.settling import AtMs, PeriodName, Who
from cloud.api.troubles import RESPONSES
from cloud.database import month_statements, read_journal
from cloud.database.month_statements import DisputeView, MonthStatement
from cloud.exports import listing
from cloud.exports.listing import MEDIA, Row
from cloud.office.disputing import DecisionRequest, DisputeRequest, decide_dispute, open_dispute
from cloud.office.settling import Settling, list_runs
from cloud.settlement.journal_text import journal

_DISPUTE: Final = {
    "worker": "w-07",
    "period": "2026-03",
    "line": "o-1001/finish/1",
    "claim": "The kiosk was down; the resident signed at 10:30.",
}
_DECISION: Final = {"amount_fen": 500, "decision": "The signature proves it."}

Form = Annotated[Literal["csv", "xlsx", "pdf", "json"], Path()]
AccountName = Annotated[str, Path(description="account", examples=["commission:w-07"])]


def statement_routes(desk: Desk) -> APIRouter:
    """Make the routes for statements, disputes and files."""
    router = APIRouter(tags=["statements"], responses=RESPONSES)
    _add_reads(router, desk)
    _add_disputes(router, desk)
    _add_files(router, desk)
    _add_books(router, desk)
    return router


def _add_reads(router: APIRouter, desk: Desk) -> None:
    @router.get(
        "/month-statements/{site}/{period}", summary="Whose statements a month has, by account"
    )
    def payees(site: SiteName, period: PeriodName) -> list[str]:
        with desk.reading() as connection:
            return month_statements.payees(connection, desk.place(site), period)

    @router.get(
        "/month-statements/{site}/{period}/{account:path}",
        summary="One payee's month: opening + lines + adjustments = payable",
    )
    def statement(site: SiteName, period: PeriodName, account: AccountName) -> MonthStatement:
        with desk.reading() as connection:
            place = desk.place(site)
            return month_statements.month_statement(connection, place, account, period)


def _add_disputes(router: APIRouter, desk: Desk) -> None:
    @router.get("/disputes/{site}", summary="Disputes of a site, the newest first")
    def disputes(site: SiteName, worker: WordWanted = None) -> list[DisputeView]:
        with desk.reading() as connection:
            return month_statements.disputes(connection, desk.place(site), worker, None)

    @router.post("/disputes/{site}", status_code=201, summary="Dispute a line of a statement")
    def dispute(
        site: SiteName, who: Who, request: Annotated[DisputeRequest, Body(examples=[_DISPUTE])]
    ) -> DisputeView:
        return open_dispute(desk.engine, desk.place(site), request, who, desk.now_ms())

    @router.post("/disputes/{site}/{number}/decide", summary="Decide a dispute; it is posted")
    def decide(
        site: SiteName,
        number: Annotated[int, Path(ge=1, le=2**53)],
        who: Who,
        request: Annotated[DecisionRequest, Body(examples=[_DECISION])],
    ) -> DisputeView:
        place = desk.place(site)
        return decide_dispute(desk.engine, place, number, request, who, desk.now_ms())


def _add_files(router: APIRouter, desk: Desk) -> None:
    @router.get("/exports/runs.{form}", summary="Runs as a file")
    def runs(form: Form, site: SiteWanted = None) -> Response:
        with desk.reading() as connection:
            rows = listing.run_rows(list_runs(connection, desk.company, site))
        return answered(form, "runs", listing.RUN_COLUMNS, rows)

    @router.get("/exports/runs/{site}/{period}.{form}", summary="A run's lines as a file")
    def run(site: SiteName, period: PeriodName, form: Form) -> Response:
        with desk.reading() as connection:
            found = Settling(desk.engine, desk.place(site)).show(connection, period)
        name = f"run-{site}-{period}"
        return answered(form, name, listing.RUN_LINE_COLUMNS, listing.run_line_rows(found))

    @router.get("/exports/payroll/{site}/{period}.{form}", summary="What payroll pays")
    def payroll(site: SiteName, period: PeriodName, form: Form) -> Response:
        with desk.reading() as connection:
            found = Settling(desk.engine, desk.place(site)).show(connection, period)
        name = f"payroll-{site}-{period}"
        return answered(form, name, listing.PAYROLL_COLUMNS, listing.payroll_rows(found))

    @router.get(
        "/exports/statements/{site}/{period}/{account:path}.{form}", summary="A statement as a file"
    )
    def statement(site: SiteName, period: PeriodName, account: AccountName, form: Form) -> Response:
        with desk.reading() as connection:
            place = desk.place(site)
            found = month_statements.month_statement(connection, place, account, period)
            rows = listing.statement_rows(found, listing.local_stamp(_offset(desk)))
        return answered(form, f"statement-{period}", listing.STATEMENT_COLUMNS, rows)


def _add_books(router: APIRouter, desk: Desk) -> None:
    @router.get("/exports/balances/{site}.{form}", summary="Balances of a moment as a file")
    def balances(
        site: SiteName, form: Form, at_ms: AtMs = WALL_MS_MAX, known_at_ms: AtMs = WALL_MS_MAX
    ) -> Response:
        with desk.reading() as connection:
            found = reads.balances_at(connection, desk.company, site, at_ms, known_at_ms)
        return answered(form, "balances", listing.ACCOUNT_COLUMNS, listing.account_rows(found))

    @router.get("/exports/transfers.{form}", summary="Ledger transfers as a file, all of them")
    def transfers(
        form: Form,
        site: SiteWanted = None,
        account: WordWanted = None,
        order_id: WordWanted = None,
    ) -> Response:
        wanted = reads.TransferFilter(site, account, order_id)
        with desk.reading() as connection:
            found = reads.all_transfers(connection, desk.company, wanted)
        rows = listing.transfer_rows(found, listing.local_stamp(_offset(desk)))
        return answered(form, "transfers", listing.TRANSFER_COLUMNS, rows)

    @router.get("/exports/journal.beancount", summary="The books in Beancount's syntax")
    def beancount(site: SiteWanted = None) -> Response:
        with desk.reading() as connection:
            entries = read_journal.entries(connection, desk.company, site)
        text = "".join(journal(entries, _offset(desk)))
        return download("journal.beancount", "text/plain; charset=utf-8", text.encode())


def answered(form: str, name: str, columns: tuple[str, ...], rows: list[Row]) -> Response:
    """Answer with a list as a file."""
    content = listing.written(form, name, "", columns, rows)
    return download(f"{name}.{form}", MEDIA[form], content)


def download(name: str, media_type: str, content: bytes) -> Response:
    """Answer with a file that is kept nowhere on the way."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=media_type, headers=headers)


def _offset(desk: Desk) -> int:
    with desk.reading() as connection:
        view = reads.company(connection, desk.company)
    return view.utc_offset_minutes if view is not None else 480
