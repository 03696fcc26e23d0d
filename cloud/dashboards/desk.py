"""What every page needs at hand: the store to read, the time, the templates, the company."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from cloud import reads
from cloud.dashboards import formats
from cloud.dashboards.rendering import Pages
from cloud.database.views import CompanyView

PAGE_MAX: Final = 1_000_000

Read = Callable[[], AbstractContextManager[Connection]]


class NotFoundError(LookupError):
    """There is nothing at this address; the message says what was looked for."""


class BadAddressError(ValueError):
    """Something in the address cannot be read; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The means of every page.

    Attributes:
        pages: the templates.
        read: opens one read transaction.
        now_ms: the time, ms since the epoch.
        company: key of the company.
        speed: of a simulated day, 1 in life.
    """

    pages: Pages
    read: Read
    now_ms: Callable[[], int]
    company: str
    speed: int

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read at one instant, with the company's name and local time in force."""
        with self.read() as connection:
            known = reads.company(connection, self.company)
            view = known or CompanyView(self.company, self.company, 480)
            formats.use_offset(view.utc_offset_minutes)
            self.pages.company_name = view.name
            yield connection

    def page(self, request: Request, template: str, **values: object) -> HTMLResponse:
        """Render a page."""
        return self.pages.page(request, template, **values)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole local days that a page speaks of.

    Attributes:
        first, last: dates as text, inclusive.
        from_ms, until_ms: the same in ms, half-open.
    """

    first: str
    last: str
    from_ms: int
    until_ms: int

    @property
    def query(self) -> str:
        """Write it for an address."""
        return f"from={self.first}&until={self.last}"


def page_number(request: Request) -> int:
    """Read which page of a list is asked for; 1 is the first.

    Raises:
        BadAddressError: no number, or one beyond any list.
    """
    page = request.query_params.get("page") or "1"
    if not (page.isascii() and page.isdigit() and 1 <= int(page) <= PAGE_MAX):
        raise BadAddressError(page)
    return int(page)


def period(request: Request, desk: Desk) -> Period:
    """Read a period from an address: one day, or from one to another; else today.

    Raises:
        BadAddressError: a text that is no date, or an end before its start.
    """
    asked = request.query_params
    today = formats.day(desk.now_ms())
    first = asked.get("day") or asked.get("from") or asked.get("until") or today
    last = asked.get("day") or asked.get("until") or first
    return Period(first, last, *days(first, last))


def days(first: str, last: str) -> tuple[int, int]:
    """Give [from, until) in ms of whole local days.

    Raises:
        BadAddressError: a text that is no date, or an end before its start.
    """
    try:
        from_ms, until_ms = formats.day_range(first)[0], formats.day_range(last)[1]
    except (ValueError, OverflowError):
        raise BadAddressError(f"{first} – {last}") from None
    if until_ms <= from_ms:
        raise BadAddressError(f"{first} – {last}")
    return from_ms, until_ms
