"""Which language a request is answered in: the address, else the cookie, else the browser."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agreed.words import LANGUAGES, language

COOKIE: Final = "duifu_language"
TAGS: Final = {"zh": "zh-CN", "en": "en"}
_YEAR_S: Final = 365 * 86_400
_ACCEPTED_MAX: Final = 10


class LanguageMiddleware:
    """Put the language of each request in force, and remember one that was asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = _asked(scope)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and asked:
                MutableHeaders(scope=message).append(
                    "set-cookie", f"{COOKIE}={asked}; Path=/; Max-Age={_YEAR_S}; SameSite=Lax"
                )
            await send(message)

        token = language.set(language_of(scope))
        try:
            await self._app(scope, receive, send_with_cookie)
        finally:
            language.reset(token)


def language_of(scope: Scope) -> str:
    """Choose the language of a request: zh unless something asks for another we speak."""
    headers = Headers(scope=scope)
    remembered = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    choices = [_asked(scope), remembered, *_accepted(headers.get("accept-language", ""))]
    return next((choice for choice in choices if choice in LANGUAGES), LANGUAGES[0])


def switched(path: str, query: str, wanted: str) -> str:
    """Give the address of the same page, filters kept, in another language."""
    pairs = [(k, v) for k, v in parse_qsl(query, keep_blank_values=True) if k != "lang"]
    return f"{path}?{urlencode([*pairs, ('lang', wanted)])}"


def _asked(scope: Scope) -> str:
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    asked = query.get("lang", "")
    return asked if asked in LANGUAGES else ""


def _accepted(header: str) -> list[str]:
    """Read Accept-Language: primary tags, the most wanted first."""
    weighed = []
    for part in header.split(",")[:_ACCEPTED_MAX]:
        tag, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=") or "1"
        if weight.replace(".", "", 1).isdigit():
            weighed.append((-float(weight), tag.strip().partition("-")[0].lower()))
    return [tag for weight, tag in sorted(weighed, key=lambda pair: pair[0]) if weight < 0]
