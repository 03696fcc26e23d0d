"""Error pages: the problem, its cause, the next step, and a code to name on the telephone."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from agreed.words import language, say
from cloud.dashboards.desk import BadAddressError, NotFoundError
from cloud.dashboards.language import language_of
from cloud.dashboards.rendering import Pages


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that went wrong, as a person reads it."""

    status: int
    code: str
    problem: str
    cause: str
    step: str


def add_handlers(app: FastAPI, pages: Pages) -> None:
    """Answer browsers with error pages; programs keep the API's own answers."""
    of_the_api: Any = app.exception_handlers.get(HTTPException, http_exception_handler)

    async def not_here(request: Request, error: HTTPException) -> Any:
        if not _is_browser(request):
            return await of_the_api(request, error)
        return answer(pages, request, _of_http(error))

    async def not_found(request: Request, error: NotFoundError) -> Response:
        return answer(pages, request, _nothing(str(error)))

    async def not_read(request: Request, error: BadAddressError) -> Response:
        return answer(pages, request, bad_address(str(error)))

    async def not_readable(request: Request, error: Exception) -> Response:
        language.set(language_of(request.scope))
        if not _is_browser(request):
            return PlainTextResponse("Internal Server Error", 500)
        return answer(pages, request, _of_failure(error))

    handlers: list[tuple[Any, Any]] = [
        (HTTPException, not_here),
        (NotFoundError, not_found),
        (BadAddressError, not_read),
        (Exception, not_readable),
    ]
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)


def answer(pages: Pages, request: Request, trouble: Trouble) -> Response:
    """Render an error page."""
    return pages.page(request, "trouble.html", trouble.status, trouble=trouble)


def bad_address(text: str) -> Trouble:
    """Describe an address whose filter cannot be read."""
    return Trouble(
        400,
        "P400",
        say("The address asks for something that cannot be read: {text}", text=text),
        say("A date, a page number or a state in it was typed or cut off wrongly."),
        say("Go back and choose it again, or start from one of the pages above."),
    )


def _nothing(what: str) -> Trouble:
    return Trouble(
        404,
        "P404",
        say("There is no {what} here.", what=what) if what else say("There is no page here."),
        say("The address was typed or cut off wrongly, or it belongs to another company."),
        say("Look for it from one of the pages above."),
    )


def _of_http(error: HTTPException) -> Trouble:
    if error.status_code == 404:
        return _nothing("")
    return Trouble(
        error.status_code,
        f"P{error.status_code}",
        say("This page cannot be shown: {text}", text=error.detail),
        say("The request was refused."),
        say("Go back and try again from one of the pages above."),
    )


def _of_failure(error: Exception) -> Trouble:
    if isinstance(error, OperationalError):
        return Trouble(
            500,
            "P510",
            say("The store of headquarters does not answer."),
            say("Its disk is full or slow, or the database is being restarted."),
            say("Wait a minute and reload. If it stays, run duifu cloud ledger check there."),
        )
    if isinstance(error, LookupError):
        return Trouble(
            500,
            "P511",
            say("Headquarters does not know its company yet."),
            say("It was started for a company that nobody has created."),
            say("Create it with the command duifu cloud, or start it with another --company."),
        )
    return Trouble(
        500,
        "P500",
        say("Headquarters made a mistake on this page."),
        say("This is a fault of the software; no record and no money is touched by it."),
        say("Reload once. If it stays, send the log of headquarters with this code and the time."),
    )


def _is_browser(request: Request) -> bool:
    wanted = request.headers.get("accept", "")
    return "text/html" in wanted and not request.url.path.startswith("/api/")
