"""Who may write, and who may read when others can reach the port."""

import hmac
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from agreed.words import say
from cloud.api.troubles import PREFIX, answer
from cloud.office.people import OPERATOR, Duty, Person

COOKIE: Final = "duifu_token"
PARAMETER: Final = "token"
OF_PERSONS: Final = ("/api/v1/runs", "/api/v1/disputes")
"""What people with tokens of their own may write, as far as their roles go."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_WEEK_S: Final = 7 * 24 * 3600


class TokenGate:
    """Asks for the token: always to write, and to read unless only this machine reaches us.

    A program sends "Authorization: Bearer TOKEN". A person opens an address with ?token=TOKEN
    once; a cookie remembers it, for reading only.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        person_of: Callable[[str], Person | None],
        *,
        is_open: bool,
    ) -> None:
        self._app = app
        self._token = token
        self._person_of = person_of
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = await run_in_threadpool(self._answer, Request(scope))
        await (response or self._app)(scope, receive, send)

    def _answer(self, request: Request) -> Response | None:
        is_reading = request.method in _SAFE
        shown = request.query_params.get(PARAMETER)
        if is_reading and shown is not None and self._person(shown) is not None:
            return _remembered(request, shown)
        scheme, _, carried = request.headers.get("authorization", "").partition(" ")
        person = self._person(carried.strip()) if scheme.lower() == "bearer" else None
        if person is not None:
            return self._admitted(request, person)
        if is_reading and (self._is_open or self._person(request.cookies.get(COOKIE, ""))):
            return None
        return _refused(request)

    def _person(self, token: str) -> Person | None:
        if not token:
            return None
        return OPERATOR if _is_same(token, self._token) else self._person_of(token)

    @staticmethod
    def _admitted(request: Request, person: Person) -> Response | None:
        is_own = request.url.path.startswith(OF_PERSONS) or request.method in _SAFE
        if not is_own and Duty.OPERATOR not in person.duties:
            message = say("{name} may settle, not change this.", name=person.name)
            return answer(403, "authorization", message, say("Ask an operator to do it."))
        request.state.person = person
        return None


def _is_same(shown: str, token: str) -> bool:
    return hmac.compare_digest(shown.encode(errors="replace"), token.encode())


def _remembered(request: Request, token: str) -> Response:
    rest = [(k, v) for k, v in request.query_params.multi_items() if k != PARAMETER]
    response = RedirectResponse(request.url.path + (f"?{urlencode(rest)}" if rest else ""), 303)
    response.set_cookie(COOKIE, token, max_age=_WEEK_S, httponly=True, samesite="strict")
    return response


def _refused(request: Request) -> Response:
    message = say("This headquarters asks for a token.")
    remedy = say(
        "Send “Authorization: Bearer TOKEN”, or open the address once with ?token=TOKEN; "
        "“duifu cloud token” prints it."
    )
    if request.url.path.startswith(PREFIX):
        response: Response = answer(401, "authorization", message, remedy)
    else:
        response = PlainTextResponse(f"{message}\n{remedy}\n", 401)
    response.headers["WWW-Authenticate"] = "Bearer"
    return response
