"""Settlement: runs from preview to payout, statements by month, balances of a past moment."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response

from agreed.words import say
from cloud import reads
from cloud.dashboards import formats, queries
from cloud.dashboards.accounts import account_word
from cloud.dashboards.desk import Desk, NotFoundError, days
from cloud.dashboards.formats import exact, stamp
from cloud.database.fleet import Place
from cloud.database.month_statements import MonthStatement, month_statement
from cloud.database.views import AccountView
from cloud.exports import listing
from cloud.exports.listing import MEDIA, Row
from cloud.office.people import list_users
from cloud.office.refusals import UnknownError
from cloud.office.run_words import (
    empty_word,
    rule_word,
    stake_word,
    status_word,
    step_word,
    why,
)
from cloud.office.settling import (
    APPROVED,
    PREVIEWED,
    REVIEWED,
    Run,
    find_run,
    list_runs,
    next_step,
)
from cloud.settlement.periods import is_period, span_ms
from cloud.settlement.running import PAYABLE

Form = Annotated[Literal["csv", "xlsx", "pdf", "json"], Path()]

LEVELS: Final = {"posted": "good", "paid": "good", "discarded": "unknown"}


def routes(desk: Desk) -> APIRouter:
    """Serve runs, monthly statements and past balances."""
    router = APIRouter(include_in_schema=False)
    _add_files(router, desk)

    @router.get("/settlement")
    def runs(request: Request) -> HTMLResponse:
        with desk.reading() as connection:
            found = list_runs(connection, desk.company)
            names = _site_names(desk, connection)
        return _page(desk, request, "settlement.html", runs=found, site_names=names)

    @router.get("/ledger")
    def ledger(request: Request) -> HTMLResponse:
        accounts, site, at, known = _balances(desk, request)
        with desk.reading() as connection:
            names = _site_names(desk, connection)
        values = {"accounts": accounts, "site": site, "at": at, "known": known}
        return _page(desk, request, "ledger.html", site_names=names, **values)

    @router.get("/settlement/{site}/{period}")
    def run(request: Request, site: str, period: str) -> HTMLResponse:
        found = _run(desk, site, period)
        with desk.reading() as connection:
            name = _site_names(desk, connection).get(site, site)
            view = reads.company(connection, desk.company)
            people = {p.user_id: p.name for p in list_users(connection, desk.company)}
        end_ms = span_ms(period, view.utc_offset_minutes if view else 480)[1]
        return _page(
            desk,
            request,
            "run.html",
            run=found,
            site_name=name,
            is_uncovered=found.covered_until_ms < end_ms,
            step=next_step(found),
            people=people,
        )

    @router.get("/settlement/{site}/{period}/{account:path}")
    def statement(request: Request, site: str, period: str, account: str) -> HTMLResponse:
        found = _statement(desk, site, period, account)
        with desk.reading() as connection:
            name = _site_names(desk, connection).get(site, site)
        return _page(
            desk,
            request,
            "month_statement.html",
            statement=found,
            site_name=name,
            emptiness=empty_word(found.emptiness) if found.emptiness else "",
            pending=pending_fen(found),
        )

    return router


def _add_files(router: APIRouter, desk: Desk) -> None:
    @router.get("/settlement.{form}")
    def runs(form: Form) -> Response:
        with desk.reading() as connection:
            rows = listing.run_rows(list_runs(connection, desk.company))
        return _file(desk, form, "settlement", say("Settlement"), listing.RUN_COLUMNS, rows)

    @router.get("/ledger.{form}")
    def ledger(request: Request, form: Form) -> Response:
        accounts, site, at, _known = _balances(desk, request)
        title = say("Balances of a past moment") + f" · {site} · {at}"
        rows = listing.account_rows(accounts)
        return _file(desk, form, f"balances-{site}", title, listing.ACCOUNT_COLUMNS, rows)

    @router.get("/settlement/{site}/{period}.{form}")
    def run(site: str, period: str, form: Form) -> Response:
        found = _run(desk, site, period)
        title = say("Settlement of {period}", period=period) + f" · {site} · {found.hash}"
        rows = listing.run_line_rows(found)
        name = f"run-{site}-{period}"
        return _file(desk, form, name, title, listing.RUN_LINE_COLUMNS, rows)

    @router.get("/settlement/{site}/{period}/payroll.{form}")
    def payroll(site: str, period: str, form: Form) -> Response:
        found = _run(desk, site, period)
        title = say("Payroll file") + f" · {site} · {period}"
        rows = listing.payroll_rows(found)
        name = f"payroll-{site}-{period}"
        return _file(desk, form, name, title, listing.PAYROLL_COLUMNS, rows)

    @router.get("/settlement/{site}/{period}/{account:path}.{form}")
    def statement(site: str, period: str, account: str, form: Form) -> Response:
        found = _statement(desk, site, period, account)
        title = say("Statement of {name}", name=found.name) + f" · {site} · {period}"
        rows = listing.statement_rows(found, exact)
        name = f"statement-{site}-{period}"
        return _file(desk, form, name, title, listing.STATEMENT_COLUMNS, rows)


def run_level(status: str) -> str:
    """Say how urgent a run is, as a colour and shape."""
    return LEVELS.get(status, "warn")


def transfer_word(kind: str) -> str:
    """Say what kind of transfer it is."""
    words: dict[str, Callable[[], str]] = {
        "commission": lambda: say("commission"),
        "commission_reversal": lambda: say("taken back"),
        "claim": lambda: say("owed, deducted later"),
        "recovery": lambda: say("deducted or set off"),
        "fence": lambda: say("fenced until it came back"),
        "settlement": lambda: say("by the plan"),
        "settlement_reversal": lambda: say("by the plan, taken back"),
        "adjustment": lambda: say("granted upon a dispute"),
        "funding": lambda: say("funding"),
        "income": lambda: say("income"),
        "waterfall": lambda: say("share of an order"),
        "income_reversal": lambda: say("order cancelled"),
        "wage": lambda: say("base wage"),
    }
    return words[kind]() if kind in words else kind


def pending_fen(statement: MonthStatement) -> int | None:
    """Say what a run that is not posted yet would make payable; None where the books say it."""
    if statement.status not in {PREVIEWED, REVIEWED, APPROVED}:
        return None
    return next((line.amount_fen for line in statement.rules if line.rule == PAYABLE), None)


def dispute_word(status: str) -> str:
    """Say what became of a dispute."""
    words = {"open": say("open"), "granted": say("granted"), "refused": say("turned down")}
    return words[status]


def _page(desk: Desk, request: Request, template: str, **values: Any) -> HTMLResponse:
    with desk.reading() as connection:
        names = queries.worker_names(connection, desk.company)
    words = {
        "account_word": partial(account_word, names),
        "stake_word": lambda moved: stake_word(moved.amount_fen, moved.other),
        "step_word": lambda step: step_word(step.status),
        "run_level": run_level,
        "run_word": status_word,
        "rule_word": rule_word,
        "why": why,
        "transfer_word": transfer_word,
        "dispute_word": dispute_word,
    }
    return desk.page(request, template, as_of_ms=desk.now_ms(), **words, **values)


def _file(  # a list with its names
    desk: Desk, form: str, name: str, title: str, columns: tuple[str, ...], rows: list[Row]
) -> Response:
    said = say("Data as of") + " " + stamp(desk.now_ms())
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{form}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    content = listing.written(form, title, said, columns, rows)
    return Response(content, media_type=MEDIA[form], headers=headers)


def _run(desk: Desk, site: str, period: str) -> Run:
    with desk.reading() as connection:
        try:
            return find_run(connection, Place(desk.company, site), period)
        except UnknownError as error:
            raise NotFoundError(str(error)) from None


def _statement(desk: Desk, site: str, period: str, account: str) -> MonthStatement:
    with desk.reading() as connection:
        known = reads.sites(connection, desk.company, desk.now_ms())
        if not is_period(period) or site not in {view.site for view in known}:
            raise NotFoundError(say("Settlement of {period}", period=period))
        return month_statement(connection, Place(desk.company, site), account, period)


def _balances(desk: Desk, request: Request) -> tuple[list[AccountView], str, str, str]:
    with desk.reading() as connection:
        names = _site_names(desk, connection)
        site = request.query_params.get("site") or next(iter(names), "")
        today = formats.day(desk.now_ms())
        at = request.query_params.get("at") or today
        known = request.query_params.get("known") or today
        at_ms, known_ms = days(at, at)[1] - 1, days(known, known)[1] - 1
        found = reads.balances_at(connection, desk.company, site, at_ms, known_ms)
    return found, site, at, known


def _site_names(desk: Desk, connection: Any) -> dict[str, str]:
    return {s.site: s.name for s in reads.sites(connection, desk.company, desk.now_ms())}
