from datetime import UTC

import pytest

from agreed.limits import WALL_MS_MAX
from agreed.promises import NO_CLOCK
from agreed.words import language
from cloud.dashboards import formats
from tests.cloud.dashboards.example import DAY_MS, NOW_MS


def test_times_are_local_to_the_company() -> None:
    assert formats.stamp(NOW_MS) == "2026-05-20 15:32:07"
    assert formats.exact(NOW_MS) == "2026-05-20 15:32:07.450+08:00"
    token = formats.zone.set(UTC)
    formats.use_offset(0)
    assert (formats.day(NOW_MS), formats.minute(NOW_MS)) == ("2026-05-20", "07:32")
    formats.zone.reset(token)
    assert formats.clock(NOW_MS) == "15:32:07"


def test_the_end_of_time_is_written_and_breaks_no_page() -> None:
    assert formats.day(WALL_MS_MAX).startswith("9999-12-")
    assert formats.clock(WALL_MS_MAX)


def test_a_day_is_its_local_midnights() -> None:
    assert formats.day_range("2026-05-20") == (DAY_MS, DAY_MS + formats.DAY_MS)
    with pytest.raises(ValueError, match="month"):
        formats.day_range("2026-13-01")


@pytest.mark.parametrize(
    ("length_ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_600_000, "1 h"),
        (3_660_000, "1 h 1 min"),
        (-42 * 60_000, "42 min"),
        (172_800_000, "2 days"),
    ],
)
def test_spans_are_said_as_people_say_them(length_ms: int, text: str) -> None:
    assert formats.span(length_ms) == text


def test_ages_below_ten_seconds_are_now() -> None:
    assert formats.age(9_999) == "just now"
    assert formats.age(10_000) == "10 s"


@pytest.mark.parametrize(
    ("bound_ms", "text"),
    [(12, "±12 ms"), (480, "±0.5 s"), (90_000, "±1 min"), (NO_CLOCK, "clock never set")],
)
def test_a_clock_error_is_written_with_its_sign(bound_ms: int, text: str) -> None:
    assert formats.bound(bound_ms) == text


def test_deviations_say_before_or_after() -> None:
    assert formats.deviation(-120_000) == "2 min before the promised time"
    assert formats.deviation(0) == "at the promised time"
    assert formats.deviation(120_000) == "2 min after the promised time"


def test_scores_and_exact_amounts() -> None:
    assert [formats.percent(bp) for bp in (0, 968, 9_250, 10_000)] == [
        "0%",
        "9.68%",
        "92.5%",
        "100%",
    ]
    assert formats.exact_yuan(1_995, 9_691) == "19.333545"
    assert formats.exact_yuan(150, 10_000) == "1.50"
    assert formats.seconds(-61_500) == "-61.5"
    assert formats.seconds(3_600_000) == "3,600"


def test_weekdays_are_named_in_both_languages() -> None:
    assert formats.weekday(DAY_MS) == "Wednesday"
    language.set("zh")
    assert formats.weekday(DAY_MS) == "星期三"
