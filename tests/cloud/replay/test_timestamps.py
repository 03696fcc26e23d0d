from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.limits import WALL_MS_MAX
from cloud.replay.timestamps import (
    DateOnly,
    DateOrder,
    EpochUnit,
    TimeForm,
    TimeReadError,
    read_time_ms,
)

PLAIN = TimeForm()
SHANGHAI = TimeForm(zone=ZoneInfo("Asia/Shanghai"))
AMSTERDAM = TimeForm(zone=ZoneInfo("Europe/Amsterdam"))
NOON_MS = 1_318_333_545_000  # 2011-10-11 11:45:45 UTC


@pytest.mark.parametrize(
    ("text", "more_ms"),
    [
        ("2011-10-11 13:45:45+02:00", 0),
        ("2011-10-11T13:45:45+02:00", 0),
        ("  2011-10-11  13:45:45 +02:00 ", 0),
        ("2011-10-11 13:45:45+0200", 0),
        ("2011-10-11 13:45:45+02", 0),
        ("2011-10-11 11:45:45Z", 0),
        ("2011-10-11T11:45:45z", 0),
        ("2011-10-11 11:45:45 UTC", 0),
        ("2011-10-11 06:15:45-05:30", 0),
        ("2011-10-11 13:45:45.5+02:00", 500),
        ("2011-10-11 13:45:45.276+02:00", 276),
        ("2011-10-11 13:45:45,276+02:00", 276),
        ("2011-10-11 13:45:45.276000+02:00", 276),
        ("2011-10-11 13:45:45.276999+02:00", 276),
        ("2011-10-11 13:45:45.999999999+02:00", 999),
        ("2011-10-11 13:45+02:00", -45_000),
        ("2011/10/11 13:45:45+02:00", 0),
        ("2011.10.11 13:45:45+02:00", 0),
        ("2011年10月11日 13:45:45+02:00", 0),
        ("20111011T134545+0200", 0),
        ("20111011 114545Z", 0),
        ("20111011134545.276+0200", 276),
    ],
)
def test_forms_with_an_offset(text: str, more_ms: int) -> None:
    assert read_time_ms(text, PLAIN) == NOON_MS + more_ms


@pytest.mark.parametrize(
    ("text", "form", "at_ms"),
    [
        ("2011-10-11 19:45:45", SHANGHAI, NOON_MS),
        ("2011/10/11 19:45:45", SHANGHAI, NOON_MS),
        ("2011年10月11日 19:45:45", SHANGHAI, NOON_MS),
        ("20111011194545", SHANGHAI, NOON_MS),
        ("2011-10-11 13:45:45", AMSTERDAM, NOON_MS),
        ("2011-01-01 00:00:00", AMSTERDAM, 1_293_836_400_000),
        ("2011-10-10 24:00:00+00:00", PLAIN, NOON_MS - 42_345_000),
        ("1318333545", TimeForm(epoch=EpochUnit.SECONDS), NOON_MS),
        ("1318333545.2769", TimeForm(epoch=EpochUnit.SECONDS), NOON_MS + 276),
        ("1318333545276", TimeForm(epoch=EpochUnit.MILLISECONDS), NOON_MS + 276),
        ("1318333545276999", TimeForm(epoch=EpochUnit.MICROSECONDS), NOON_MS + 276),
        ("1318333545276999999", TimeForm(epoch=EpochUnit.NANOSECONDS), NOON_MS + 276),
        ("11/10/2011 11:45:45Z", TimeForm(date_order=DateOrder.DAY_FIRST), NOON_MS),
        ("10/11/2011 11:45:45Z", TimeForm(date_order=DateOrder.MONTH_FIRST), NOON_MS),
        ("1970-01-01 00:00:00Z", PLAIN, 0),
        ("9999-12-31 23:59:59.999Z", PLAIN, WALL_MS_MAX),
    ],
)
def test_forms_that_the_mapping_explains(text: str, form: TimeForm, at_ms: int) -> None:
    assert read_time_ms(text, form) == at_ms


def test_a_day_means_its_start_or_its_end_as_the_mapping_says() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    start = read_time_ms("2024-02-29", TimeForm(zone=zone, date_only=DateOnly.START))
    end = read_time_ms("2024年2月29日", TimeForm(zone=zone, date_only=DateOnly.END))
    assert start == 1_709_136_000_000
    assert end - start == 86_400_000


@pytest.mark.parametrize(
    ("text", "form", "why"),
    [
        ("2011-10-11 13:45:45", PLAIN, "time_zone"),
        ("11/10/2011 13:45:45Z", PLAIN, "date_order"),
        ("2011-10-11", SHANGHAI, "date_only"),
        ("1318333545", PLAIN, "time.epoch"),
        ("2011-02-29 13:45:45Z", PLAIN, "day that does not exist"),
        ("2011-13-01 13:45:45Z", PLAIN, "day that does not exist"),
        ("2011-10-11 25:00:00Z", PLAIN, "time of day"),
        ("2011-10-11 24:00:01Z", PLAIN, "time of day"),
        ("2011-10-11 13:60:00Z", PLAIN, "time of day"),
        ("2011-10-11 23:59:60Z", PLAIN, "time of day"),
        ("2011-10-11 13:45:45+16:00", PLAIN, "offset that does not exist"),
        ("2011-10-11 13:45:45+01:60", PLAIN, "offset that does not exist"),
        ("2011-10-11 13:45:45 CEST", PLAIN, "known form"),
        ("2011-10/11 13:45:45Z", PLAIN, "known form"),
        ("yesterday", PLAIN, "known form"),
        ("", PLAIN, "known form"),
        ("٢٠١١-10-11 13:45:45Z", PLAIN, "known form"),
        ("1969-12-31 23:59:59Z", PLAIN, "1970 to 9999"),
        ("9999-12-31 23:59:59-05:00", PLAIN, "1970 to 9999"),
        ("9999-12-31 24:00:00", SHANGHAI, "1970 to 9999"),
        ("999999999999", TimeForm(epoch=EpochUnit.SECONDS), "1970 to 9999"),
        ("2011-10-30 02:30:00", AMSTERDAM, "clock change of Europe/Amsterdam"),
        ("2011-03-27 02:30:00", AMSTERDAM, "clock change of Europe/Amsterdam"),
        ("2" * 65, PLAIN, "too long"),
    ],
)
def test_what_is_no_certain_time_says_why(text: str, form: TimeForm, why: str) -> None:
    with pytest.raises(TimeReadError, match=why):
        read_time_ms(text, form)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001
    st.integers(-15 * 60 + 1, 15 * 60 - 1),
)
def test_agrees_with_the_standard_library(naive: datetime, offset_minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert read_time_ms(moment.isoformat(" "), PLAIN) == exact


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_says_why_not(text: str) -> None:
    form = TimeForm(ZoneInfo("Asia/Shanghai"), EpochUnit.SECONDS, DateOrder.DAY_FIRST, DateOnly.END)
    for each in (PLAIN, form):
        try:
            assert 0 <= read_time_ms(text, each) <= WALL_MS_MAX
        except TimeReadError as error:
            assert str(error)  # noqa: PT017
