"""How times, spans, money and hashes are written on a page, in the language in force."""

from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final

from agreed.limits import WALL_MS_MAX
from agreed.promises import NO_CLOCK
from agreed.words import say

zone: ContextVar[tzinfo] = ContextVar("zone", default=timezone(timedelta(hours=8)))
"""The company's local time, put in force with every reading of the store."""

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
SECOND_MS: Final = 1_000
_MINUTE_MS: Final = 60_000


def use_offset(utc_offset_minutes: int) -> None:
    """Put a company's local time in force."""
    zone.set(timezone(timedelta(minutes=utc_offset_minutes)))


def local(at_ms: int) -> datetime:
    """Give the local date and time of ms since the epoch; the last days of 9999 are one."""
    shown_ms = min(at_ms, WALL_MS_MAX - 2 * DAY_MS)
    return datetime.fromtimestamp(shown_ms // 1000, UTC).astimezone(zone.get())


def clock(at_ms: int) -> str:
    """Write the time of day to the second."""
    return f"{local(at_ms):%H:%M:%S}"


def minute(at_ms: int) -> str:
    """Write the time of day to the minute."""
    return f"{local(at_ms):%H:%M}"


def day(at_ms: int) -> str:
    """Write the local date."""
    return f"{local(at_ms):%Y-%m-%d}"


def stamp(at_ms: int) -> str:
    """Write local date and time to the second."""
    return f"{local(at_ms):%Y-%m-%d %H:%M:%S}"


def exact(at_ms: int) -> str:
    """Write local date and time to the millisecond with its offset, for evidence and exports."""
    moment = local(at_ms).replace(microsecond=at_ms % 1000 * 1000)
    return moment.isoformat(sep=" ", timespec="milliseconds")


def weekday(at_ms: int) -> str:
    """Name the day of the week."""
    names = (
        say("Monday"),
        say("Tuesday"),
        say("Wednesday"),
        say("Thursday"),
        say("Friday"),
        say("Saturday"),
        say("Sunday"),
    )
    return names[local(at_ms).weekday()]


def day_range(day_text: str) -> tuple[int, int]:
    """Give [start, stop) of a local date in ms since the epoch.

    Raises:
        ValueError: not a date of the form 2026-05-31.
    """
    first = date.fromisoformat(day_text)
    return _midnight_ms(first), _midnight_ms(first + timedelta(days=1))


def _midnight_ms(which: date) -> int:
    return int(datetime(which.year, which.month, which.day, tzinfo=zone.get()).timestamp()) * 1000


def span(length_ms: int) -> str:
    """Write a length of time in the two largest units a person would say."""
    length_ms = abs(length_ms)
    if length_ms < SECOND_MS:
        return say("{count} ms", count=length_ms)
    if length_ms < _MINUTE_MS:
        return say("{count} s", count=length_ms // SECOND_MS)
    if length_ms < HOUR_MS:
        return say("{count} min", count=length_ms // _MINUTE_MS)
    if length_ms < 2 * DAY_MS:
        hours, rest = divmod(length_ms, HOUR_MS)
        minutes = rest // _MINUTE_MS
        if minutes:
            return say("{hours} h {minutes} min", hours=hours, minutes=minutes)
        return say("{hours} h", hours=hours)
    return say("{count} days", count=length_ms // DAY_MS)


def age(length_ms: int) -> str:
    """Write how long ago something was; below ten seconds that is now."""
    return say("just now") if length_ms < 10 * SECOND_MS else span(length_ms)


def deviation(length_ms: int) -> str:
    """Write a signed deviation from a promised time: early, on the dot or after."""
    if length_ms < 0:
        return say("{span} before the promised time", span=span(length_ms))
    if length_ms == 0:
        return say("at the promised time")
    return say("{span} after the promised time", span=span(length_ms))


def bound(bound_ms: int) -> str:
    """Write the error a clock may have."""
    if bound_ms >= NO_CLOCK:
        return say("clock never set")
    if bound_ms < 100:
        return say("±{count} ms", count=bound_ms)
    if bound_ms < _MINUTE_MS:
        return say("±{seconds} s", seconds=f"{bound_ms / 1000:.1f}")
    return "±" + span(bound_ms)


def percent(score_bp: int) -> str:
    """Write basis points as a percentage without needless zeros."""
    whole, rest = divmod(score_bp, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


def exact_yuan(amount_fen: int, score_bp: int) -> str:
    """Write amount x score exactly, in yuan with all the decimals there are, before rounding."""
    whole, rest = divmod(abs(amount_fen) * score_bp, 1_000_000)
    decimals = f"{rest:06d}"
    return f"{whole:,}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def seconds(length_ms: int) -> str:
    """Write a length in seconds with the decimals it has, for a formula."""
    whole, rest = divmod(abs(length_ms), SECOND_MS)
    text = f"{whole:,}.{rest:03d}".rstrip("0").rstrip(".")
    return f"-{text}" if length_ms < 0 else text
