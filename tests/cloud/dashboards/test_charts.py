from xml.etree import ElementTree as ET

import pytest

from agreed.promises import NO_CLOCK, Verdict
from cloud.dashboards import charts
from cloud.dashboards.charts import Axis, Hour, Lane
from tests.cloud.dashboards.example import DAY_MS, HOUR_MS, MINUTE_MS

NINE = DAY_MS + 9 * HOUR_MS


def a_lane(promised_ms: int = NINE, actual_ms: int | None = NINE, bound_ms: int = 200) -> Lane:
    return Lane(
        opens_at_ms=promised_ms - 45 * MINUTE_MS,
        promised_at_ms=promised_ms,
        tolerance_ms=10 * MINUTE_MS,
        hard_ms=60 * MINUTE_MS,
        actual_at_ms=actual_ms,
        bound_ms=bound_ms,
        verdict=Verdict.OPEN if actual_ms is None else Verdict.KEPT,
        unknown_ms=(NINE, NINE + HOUR_MS) if actual_ms is None else None,
    )


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (5, 6), (9, 10), (11, 20), (39, 40), (81, 100), (101, 200)]
)
def test_the_scale_ends_at_a_round_number(most: int, top: int) -> None:
    assert charts.nice_top(most) == top


def test_hours_draw_a_rectangle_for_every_verdict_that_occurs() -> None:
    hours = [Hour(NINE, {Verdict.KEPT: 3, Verdict.LATE: 1}), Hour(NINE + HOUR_MS, {})]
    drawn = charts.hours(hours, NINE + HOUR_MS // 2)
    root = ET.fromstring(drawn)
    assert len([g for g in root.iter("g") if g.find("rect") is not None]) == 1
    assert "url(#p-late)" in drawn
    assert "c-now" in drawn
    assert 'role="img"' in drawn
    assert "kept 3" in drawn
    assert "style=" not in drawn  # the policy forbids inline styles


def test_hours_without_columns_are_still_a_chart() -> None:
    ET.fromstring(charts.hours([], NINE))


@pytest.mark.parametrize(
    ("amount", "most", "share"), [(50, 100, "50.00%"), (0, 0, "0.00%"), (-20, 10, "100.00%")]
)
def test_a_bar_is_never_longer_than_its_track(amount: int, most: int, share: str) -> None:
    drawn = charts.bar(amount, most)
    assert f'width="{share}"' in drawn
    assert ("c-minus" in drawn) == (amount < 0)


@pytest.mark.parametrize("bound_ms", [0, 200, NO_CLOCK])
def test_a_lane_stays_within_its_width(bound_ms: int) -> None:
    row = a_lane(actual_ms=NINE + 3 * HOUR_MS, bound_ms=bound_ms)
    root = ET.fromstring(charts.lane(row, charts.axes([row])[0]))
    shown = [
        float(value.rstrip("%"))
        for element in root.iter()
        for key, value in element.attrib.items()
        if key in {"x", "x1", "x2"} and value.endswith("%")
    ]
    assert shown
    assert all(0 <= x <= 100 for x in shown)


def test_an_open_lane_shows_what_is_not_known_yet() -> None:
    row = a_lane(actual_ms=None)
    drawn = charts.lane(row, charts.axes([row])[0])
    assert "l-unknown" in drawn
    assert "l-bound" not in drawn


def test_lanes_share_an_axis_unless_that_crushes_the_shortest() -> None:
    near = charts.axes([a_lane(), a_lane(NINE + HOUR_MS)])
    assert near[0] == near[1]
    far = charts.axes([a_lane(), a_lane(NINE + 72 * HOUR_MS)])
    assert far[0] != far[1]
    assert charts.axes([]) == []


def test_ticks_are_round_local_times_away_from_the_ends() -> None:
    axis = Axis(NINE - 7 * MINUTE_MS, NINE + 118 * MINUTE_MS)
    assert [(tick - DAY_MS) / HOUR_MS for tick in axis.ticks()] == [9, 10]
    assert axis.is_short
    long = Axis(NINE, NINE + 90 * 24 * HOUR_MS)
    assert not long.is_short
    assert 0 < len(long.ticks()) <= 5
