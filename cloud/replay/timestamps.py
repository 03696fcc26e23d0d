"""Times as logs write them, turned into whole milliseconds without a float and without a guess."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from re import Match
from typing import Final
from zoneinfo import ZoneInfo

from agreed.limits import WALL_MS_MAX
from agreed.words import say

_MS_PER_DAY: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the wall clock of any zone
_EPOCH_DAY: Final = _EPOCH.toordinal()
_CACHE_TIMES: Final = 1 << 16
_TEXT_CHARACTERS_MAX: Final = 64

_CHINESE: Final = str.maketrans({"年": "-", "月": "-", "日": " "})
_CLOCK: Final = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})"
    r"(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
)
_OFFSET: Final = r" ?(?P<offset>Z|z|UTC|GMT|(?P<sign>[+-])(?P<oh>[0-9]{2})(?::?(?P<om>[0-9]{2}))?)"
_YEAR_FIRST: Final = re.compile(
    r"(?P<year>[0-9]{4})(?P<separator>[-/.])(?P<month>[0-9]{1,2})(?P=separator)(?P<day>[0-9]{1,2})"
    rf"(?:[T ]{_CLOCK}(?:{_OFFSET})?)?"
)
_YEAR_LAST: Final = re.compile(
    r"(?P<one>[0-9]{1,2})(?P<separator>[-/.])(?P<two>[0-9]{1,2})(?P=separator)(?P<year>[0-9]{4})"
    rf"(?:[T ]{_CLOCK}(?:{_OFFSET})?)?"
)
_COMPACT: Final = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?:[T ]?(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})"
    rf"(?:[.,](?P<fraction>[0-9]{{1,9}}))?(?:{_OFFSET})?)?"
)
_NUMBER: Final = re.compile(r"(?P<whole>[0-9]{1,19})(?:[.,](?P<fraction>[0-9]{1,9}))?")


class TimeReadError(ValueError):
    """A text is not one certain time; the message says why and what would make it one."""


class EpochUnit(StrEnum):
    """What a bare number counts since 1970."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"


class DateOrder(StrEnum):
    """How a date with the year last is meant."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


class DateOnly(StrEnum):
    """Which instant a date without a time of day means."""

    START = "start"
    END = "end"


_PER_SECOND: Final = {
    EpochUnit.SECONDS: 1,
    EpochUnit.MILLISECONDS: 10**3,
    EpochUnit.MICROSECONDS: 10**6,
    EpochUnit.NANOSECONDS: 10**9,
}


@dataclass(frozen=True)
class TimeForm:
    """What a mapping says about times that do not say it themselves; None is never guessed.

    Attributes:
        zone: where clocks without an offset stand.
        epoch: what a bare number counts.
        date_order: how 03/04/2024 is meant.
        date_only: what a date without a time of day means.
    """

    zone: ZoneInfo | None = None
    epoch: EpochUnit | None = None
    date_order: DateOrder | None = None
    date_only: DateOnly | None = None


@lru_cache(maxsize=_CACHE_TIMES)
def read_time_ms(text: str, form: TimeForm) -> int:
    """Read one time exactly; what is finer than a millisecond is cut off, never rounded up.

    Args:
        text: as it stands in the log.
        form: what the mapping says.

    Returns:
        ms since the epoch, UTC, [0, WALL_MS_MAX].

    Raises:
        TimeReadError: no certain time.

    Source: docs/replay.md#times.
    """
    bare = " ".join(text.translate(_CHINESE).split())
    if len(bare) > _TEXT_CHARACTERS_MAX:
        raise TimeReadError(say("is too long for a time"))
    if form.epoch is not None and (number := _NUMBER.fullmatch(bare)):
        return _in_range(_epoch_ms(number, form.epoch))
    parts = _YEAR_FIRST.fullmatch(bare) or _COMPACT.fullmatch(bare)
    if parts:
        return _in_range(_instant_ms(parts, parts["month"], parts["day"], form))
    if parts := _YEAR_LAST.fullmatch(bare):
        return _in_range(_instant_ms(parts, *_month_and_day(parts, form), form))
    if _NUMBER.fullmatch(bare):
        raise TimeReadError(say("is a bare number; say time.epoch = “s” or “ms” in the mapping"))
    raise TimeReadError(say("is not a time in a known form"))


def _epoch_ms(number: Match[str], unit: EpochUnit) -> int:
    fraction = number["fraction"] or ""
    per_second = _PER_SECOND[unit] * int("1" + "0" * len(fraction))
    return int(number["whole"] + fraction) * 1000 // per_second


def _month_and_day(parts: Match[str], form: TimeForm) -> tuple[str, str]:
    if form.date_order is None:
        raise TimeReadError(
            say("has the year last; say time.date_order = “day first” or “month first”")
        )
    is_day_first = form.date_order is DateOrder.DAY_FIRST
    return (parts["two"], parts["one"]) if is_day_first else (parts["one"], parts["two"])


def _instant_ms(parts: Match[str], month: str, day: str, form: TimeForm) -> int:
    try:
        on = date(int(parts["year"]), int(month), int(day))
    except ValueError:
        raise TimeReadError(say("is a day that does not exist")) from None
    within_day_ms = _clock_ms(parts, form)
    local_ms = (on.toordinal() - _EPOCH_DAY) * _MS_PER_DAY + within_day_ms
    if parts["hour"] is not None and parts["offset"] is not None:
        return local_ms - _offset_ms(parts)
    if form.zone is None:
        raise TimeReadError(say("has no offset; say time.time_zone in the mapping"))
    return local_ms - _zone_offset_ms(local_ms, form.zone)


def _clock_ms(parts: Match[str], form: TimeForm) -> int:
    if parts["hour"] is None:
        if form.date_only is None:
            raise TimeReadError(
                say("has no time of day; say time.date_only = “start” or “end” in the mapping")
            )
        return 0 if form.date_only is DateOnly.START else _MS_PER_DAY
    hour, minute, second = int(parts["hour"]), int(parts["minute"]), int(parts["second"] or 0)
    fraction_ms = int((parts["fraction"] or "").ljust(3, "0")[:3])
    at_ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction_ms
    is_end_of_day = hour == 24 and at_ms == _MS_PER_DAY
    if minute > 59 or second > 59 or (hour > 23 and not is_end_of_day):
        raise TimeReadError(say("is a time of day that does not exist"))
    return at_ms


def _offset_ms(parts: Match[str]) -> int:
    if parts["sign"] is None:
        return 0
    hours, minutes = int(parts["oh"]), int(parts["om"] or 0)
    if hours > 15 or minutes > 59:
        raise TimeReadError(say("has an offset that does not exist"))
    size_ms = (hours * 60 + minutes) * 60_000
    return -size_ms if parts["sign"] == "-" else size_ms


@lru_cache(maxsize=_CACHE_TIMES)
def _zone_offset_ms(local_ms: int, zone: ZoneInfo) -> int:
    try:
        naive = _EPOCH + timedelta(seconds=local_ms // 1000)
        offsets = {naive.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
        if len(offsets) > 1:
            raise TimeReadError(
                say("falls into a clock change of {zone}: twice or never there", zone=zone.key)
            )
    except OverflowError:
        raise TimeReadError(say("is outside the years 1970 to 9999")) from None
    offset = offsets.pop()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def _in_range(at_ms: int) -> int:
    if not 0 <= at_ms <= WALL_MS_MAX:
        raise TimeReadError(say("is outside the years 1970 to 9999"))
    return at_ms
