"""Months in a company's own time zone, and which of them a posting belongs to."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

LOOK_BACK_MONTHS: Final = 3
"""Closed months that late records still restate by themselves; older ones wait for a person."""

_DAY_MS: Final = 86_400_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_PERIOD: Final = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")


def is_period(text: str) -> bool:
    """Say whether a text names a month as 2026-03."""
    return _PERIOD.fullmatch(text) is not None


def period_of(at_ms: int, utc_offset_minutes: int) -> str:
    """Name the local month of a time, ms since the epoch: "2026-03"."""
    return _month_of_day((at_ms + utc_offset_minutes * 60_000) // _DAY_MS)


@lru_cache(maxsize=1024)
def _month_of_day(day: int) -> str:
    """Name the month of a day, counted from 1970-01-01; the deeds of a batch share few days."""
    return f"{date.fromordinal(_EPOCH_DAY + day):%Y-%m}"


def after(period: str, months: int = 1) -> str:
    """Name the month that many later; a negative number goes back."""
    year, month = map(int, period.split("-"))
    count = year * 12 + month - 1 + months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def span_ms(period: str, utc_offset_minutes: int) -> tuple[int, int]:
    """Give [from, until) of a month, ms since the epoch."""
    return _begin_ms(period, utc_offset_minutes), _begin_ms(after(period), utc_offset_minutes)


def _begin_ms(period: str, utc_offset_minutes: int) -> int:
    year, month = map(int, period.split("-"))
    zone = timezone(timedelta(minutes=utc_offset_minutes))
    return int(datetime(year, month, 1, tzinfo=zone).timestamp()) * 1000


@dataclass(frozen=True, slots=True)
class Calendar:
    """How far a site's months are closed.

    Attributes:
        utc_offset_minutes: of the company.
        closed_through: the last closed month; "" for none.
    """

    utc_offset_minutes: int
    closed_through: str

    def belongs_to(self, at_ms: int) -> str:
        """Name the month that a deed is posted in: its own, or the first one that is open."""
        own = period_of(at_ms, self.utc_offset_minutes)
        return own if own > self.closed_through else after(self.closed_through)

    def is_closed(self, period: str) -> bool:
        """Say whether nothing more is posted in a month."""
        return period <= self.closed_through

    def is_too_old(self, at_ms: int) -> bool:
        """Say whether a deed is older than what late records restate by themselves."""
        if not self.closed_through:
            return False
        own = period_of(at_ms, self.utc_offset_minutes)
        return own <= after(self.closed_through, -LOOK_BACK_MONTHS)


NEVER_CLOSED: Final = Calendar(480, "")
"""A site whose first month is open."""
