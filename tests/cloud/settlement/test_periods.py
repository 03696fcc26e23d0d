"""Months begin and end at midnight of the company's own time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.settlement.periods import Calendar, after, is_period, period_of, span_ms

SHANGHAI = 480
# 2026-02-28 16:00 UTC is midnight of 1 March in China.
MARCH_MS = 1_772_294_400_000


def test_a_month_ends_at_local_midnight() -> None:
    assert period_of(MARCH_MS - 1, SHANGHAI) == "2026-02"
    assert period_of(MARCH_MS, SHANGHAI) == "2026-03"
    assert period_of(MARCH_MS, 0) == "2026-02"
    assert period_of(MARCH_MS, -720) == "2026-02"
    assert period_of(MARCH_MS - 1, 840) == "2026-03"


def test_a_leap_day_is_the_last_of_february() -> None:
    begin_ms, end_ms = span_ms("2028-02", SHANGHAI)
    assert end_ms - begin_ms == 29 * 86_400_000


@given(
    st.integers(0, 4_000_000_000_000),
    st.integers(-12 * 60, 14 * 60),
)
def test_every_moment_lies_in_its_month(at_ms: int, offset: int) -> None:
    begin_ms, end_ms = span_ms(period_of(at_ms, offset), offset)
    assert begin_ms <= at_ms < end_ms


@pytest.mark.parametrize(
    ("period", "months", "wanted"),
    [("2026-12", 1, "2027-01"), ("2026-01", -1, "2025-12"), ("2026-03", -15, "2024-12")],
)
def test_months_count_over_years(period: str, months: int, wanted: str) -> None:
    assert after(period, months) == wanted


def test_only_months_are_months() -> None:
    assert is_period("2026-12")
    assert not any(map(is_period, ("2026-13", "2026-00", "26-01", "2026-1", "2026-01-01", "")))


def test_a_deed_of_a_closed_month_belongs_to_the_first_open_one() -> None:
    closed = Calendar(SHANGHAI, "2026-03")
    assert closed.belongs_to(MARCH_MS) == "2026-04"
    assert closed.belongs_to(MARCH_MS + 70 * 86_400_000) == "2026-05"
    assert closed.is_closed("2026-03")
    assert not closed.is_closed("2026-04")
    assert Calendar(SHANGHAI, "").belongs_to(MARCH_MS) == "2026-03"


def test_what_was_closed_long_ago_waits_for_a_person() -> None:
    assert not Calendar(SHANGHAI, "").is_too_old(0)
    assert not Calendar(SHANGHAI, "2026-05").is_too_old(MARCH_MS)
    assert Calendar(SHANGHAI, "2026-06").is_too_old(MARCH_MS)
