"""Turn a template and its values into an answer: one environment, one set of headers."""

from hashlib import sha256
from importlib.resources import files
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from agreed.money import yuan
from agreed.words import language, say, say_count
from cloud.dashboards import charts, explaining, formats, wording
from cloud.dashboards.language import TAGS, switched

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie, Accept-Language",
    "Cache-Control": "no-store",
}
"""What every page says to the browser: nothing from elsewhere, nothing inline."""


class Pages:
    """The templates, and what every one of them may use.

    Args:
        company_name: what stands in the head until the company's own name has been read.
        speed: of a simulated day, 0 in life.
    """

    def __init__(self, company_name: str, speed: int) -> None:
        self.company_name = company_name
        self._environment = Environment(
            loader=PackageLoader("cloud.dashboards"),
            undefined=StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # an upgrade beneath a running headquarters must not mix with it
        )
        self._environment.globals.update(
            company_name=lambda: self.company_name,
            speed=speed,
            version=_static_version(),
            say=say,
            say_count=say_count,
            yuan=yuan,
            charts=charts,
            formats=formats,
            wording=wording,
            titled=wording.titled,
            line_word=explaining.line_word,
            score_words=explaining.score_words,
            pay_words=explaining.pay_words,
            posted=explaining.posted,
            totals=explaining.totals,
        )

    def fragment(self, template: str, **values: object) -> str:
        """Render a part of a page."""
        return self._environment.get_template(template).render(values)

    def page(
        self, request: Request, template: str, status: int = 200, /, **values: object
    ) -> HTMLResponse:
        """Render a page for a request."""
        spoken = language.get()
        other = "en" if spoken == "zh" else "zh"
        content = self._environment.get_template(template).render(
            values,
            path=request.url.path,
            tag=TAGS[spoken],
            other_tag=TAGS[other],
            other_url=switched(request.url.path, request.url.query, other),
        )
        return HTMLResponse(content, status, HEADERS | {"Content-Language": TAGS[spoken]})


def _static_version() -> str:
    """Change when a static file changes, so that browsers may keep them for long."""
    digest = sha256()
    for entry in sorted((files("cloud.dashboards") / "static").iterdir(), key=lambda e: e.name):
        digest.update(entry.read_bytes())
    return digest.hexdigest()[:12]
