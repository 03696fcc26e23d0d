"""Who may write, and who may read when others can reach the port."""

import hmac
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from agreed.words import say
from cloud.api.troubles import PREFIX, answer

COOKIE: Final = "duifu_token"
PARAMETER: Final = "token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_WEEK_S: Final = 7 * 24 * 3600


class TokenGate:
    """Asks for the token: always to write, and to read unless only this machine reaches us.

    A program sends "Authorization: Bearer TOKEN". A person opens an address with ?token=TOKEN
    once; a cookie remembers it, for reading only.
    """

    def __init__(self, app: ASGIApp, token: str, *, is_open: bool) -> None:
        self._app = app
        self._token = token
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = self._answer(Request(scope))
        await (response or self._app)(scope, receive, send)

    def _answer(self, request: Request) -> Response | None:
        is_reading = request.method in _SAFE
        shown = request.query_params.get(PARAMETER)
        if is_reading and shown is not None and _is_same(shown, self._token):
            return _remembered(request, self._token)
        scheme, _, carried = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _is_same(carried.strip(), self._token):
            return None
        cookie = request.cookies.get(COOKIE, "")
        if is_reading and (self._is_open or _is_same(cookie, self._token)):
            return None
        return _refused(request)


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
