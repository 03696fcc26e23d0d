from dataclasses import replace

import pytest
from sqlalchemy import Connection

from agreed.promises import Verdict
from cloud import reads
from cloud.dashboards import queries
from cloud.dashboards.queries import OrderFilter
from cloud.database.views import Counts, Overview
from tests.cloud.dashboards.example import COMPANY, DAY_MS, HOUR_MS, NAMES, NOW_MS

DAY = (DAY_MS, DAY_MS + 24 * HOUR_MS)
TODAY = OrderFilter(from_ms=DAY[0], until_ms=DAY[1], now_ms=NOW_MS)


@pytest.fixture
def seen(connection: Connection) -> Overview:
    return reads.overview(connection, COMPANY, NOW_MS)


def by_name(counts: Counts) -> dict[Verdict, int]:
    return {verdict: getattr(counts, verdict.name.lower()) for verdict in Verdict}


def test_hours_add_up_to_the_day(connection: Connection, seen: Overview) -> None:
    counted = queries.promises_by_hour(connection, COMPANY, *DAY)
    for verdict, count in by_name(seen.promises).items():
        assert sum(hour.get(verdict, 0) for hour in counted.values()) == count
    assert all((at_ms - DAY_MS) % HOUR_MS == 0 for at_ms in counted)


def test_earners_add_up_to_what_the_company_earned(connection: Connection, seen: Overview) -> None:
    earners = queries.earners(connection, COMPANY, *DAY)
    assert sum(e.earned_fen for e in earners) == seen.earned_fen > 0
    assert sum(e.held_fen for e in earners) == seen.held_fen > 0
    assert {e.name for e in earners} == set(NAMES)
    assert earners[-1].earned_fen == 0  # who promised nothing is listed all the same
    assert [e.earned_fen for e in earners] == sorted((e.earned_fen for e in earners), reverse=True)


def test_every_figure_of_the_day_counts_the_rows_behind_it(
    connection: Connection, seen: Overview
) -> None:
    for verdict, count in by_name(seen.promises).items():
        found, meant = queries.count_orders(connection, COMPANY, replace(TODAY, verdict=verdict))
        assert meant == count
        assert 0 < found <= meant
    at_risk = OrderFilter(is_at_risk=True, now_ms=NOW_MS)
    assert queries.count_orders(connection, COMPANY, at_risk)[1] == seen.at_risk > 0


def test_pages_of_a_list_are_disjoint_and_complete(connection: Connection) -> None:
    found, _ = queries.count_orders(connection, COMPANY, TODAY)
    pages = [
        order.order_id
        for offset in range(0, found, 50)
        for order in queries.list_orders(connection, COMPANY, TODAY, offset, 50)
    ]
    assert len(pages) == len(set(pages)) == found == 160
    assert pages == [o.order_id for o in queries.every_order(connection, COMPANY, TODAY)]


def test_an_order_in_the_list_is_the_order_on_its_page(connection: Connection) -> None:
    for line in queries.list_orders(connection, COMPANY, TODAY, 40, 20):
        view = reads.order_view(connection, COMPANY, line.site, line.order_id, NOW_MS)
        assert view is not None
        assert view.earned_fen == line.earned_fen
        assert view.order.promises == line.promises


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (OrderFilter(text="C0"), 32),
        (OrderFilter(text="%"), 0),
        (OrderFilter(text="_"), 0),
        (OrderFilter(worker="w11"), 0),
        (OrderFilter(site="nowhere"), 0),
        (OrderFilter(until_ms=DAY_MS), 0),
        (OrderFilter(), 160),
    ],
)
def test_filters_narrow(connection: Connection, wanted: OrderFilter, count: int) -> None:
    assert queries.count_orders(connection, COMPANY, wanted)[0] == count
    assert len(queries.list_orders(connection, COMPANY, wanted, 0, 500)) == count


def test_the_opening_of_tomorrow_is_what_today_earned(connection: Connection) -> None:
    statement = reads.statement(connection, COMPANY, "w01", *DAY)
    assert queries.earned_before(connection, COMPANY, "w01", DAY[0]) == 0
    assert queries.earned_before(connection, COMPANY, "w01", DAY[1]) == statement.earned_fen
    assert statement.earned_fen == statement.balance_fen


def test_last_blocks_come_newest_first(connection: Connection) -> None:
    blocks = queries.last_blocks(connection, COMPANY, "yuhuayuan", "box-1", 5)
    assert len(blocks) == 5
    assert [b.first for b in blocks] == sorted((b.first for b in blocks), reverse=True)
    assert queries.last_blocks(connection, COMPANY, "yuhuayuan", "box-2", 5) == []


def test_workers_have_names(connection: Connection) -> None:
    assert queries.worker_names(connection, COMPANY)["w01"] == "李强"
