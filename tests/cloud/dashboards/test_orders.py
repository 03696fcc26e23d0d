import csv
import io
import re

import httpx
import pytest
from sqlalchemy import Engine, select

from cloud.dashboards.orders import COLUMNS, OrderQuery
from cloud.database import schema
from cloud.database.engine import reading


def test_an_address_carries_its_filter_to_other_pages_and_files() -> None:
    wanted = OrderQuery(state="late", text="a&b", first="2026-05-20", last="2026-05-20", page=3)
    assert wanted.address(page=2) == (
        "/orders?text=a%26b&state=late&from=2026-05-20&until=2026-05-20&page=2"
    )
    assert OrderQuery().address(ending=".csv") == "/orders.csv"


def test_the_list_is_paged_on_the_server(client: httpx.Client) -> None:
    first, last = client.get("/orders").text, client.get("/orders?page=4").text
    assert "160 orders" in first
    assert first.count('<tr>\n  <th scope="row"') == 50
    assert last.count('<tr>\n  <th scope="row"') == 10
    assert 'rel="next"' in first
    assert 'rel="next"' not in last
    assert "No order fits" in client.get("/orders?page=5").text


def test_files_hold_the_whole_filtered_set(client: httpx.Client) -> None:
    text = client.get("/orders.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 160
    assert tuple(rows[0]) == COLUMNS
    late = client.get("/orders.json?state=late&day=2026-05-20").json()
    assert len(late) == 11
    assert all(row["late"] > 0 for row in late)
    assert sum(int(row["late"]) for row in rows) == sum(row["late"] for row in late)


def order_with(engine: Engine, verdict: int, node: str) -> str:
    table = schema.promises.c
    with reading(engine) as connection:
        query = select(table.site, table.order_id).where(
            table.verdict == verdict, table.node == node
        )
        row = connection.execute(query.limit(1)).one()
    return f"/orders/{row.site}/{row.order_id}"


@pytest.mark.parametrize(("verdict", "word"), [(1, "kept"), (2, "late"), (4, "undecidable")])
def test_a_decided_step_shows_window_fact_and_evidence(
    client: httpx.Client, engine: Engine, verdict: int, word: str
) -> None:
    text = client.get(order_with(engine, verdict, "start")).text
    assert f'chip {word}"' in text
    assert "Evidence: record" in text
    assert re.search(r'data-copy="Block hash">[0-9a-f]{64}<', text)
    assert re.search(r'data-copy="Record">\w+/box-1/[0-9a-f]{32}/\d+<', text)
    assert "set by a time source now" in text or "runs free" in text
    assert "version 2" in text


def test_a_missed_step_says_that_the_box_was_recording(
    client: httpx.Client, engine: Engine
) -> None:
    text = client.get(order_with(engine, 3, "start")).text
    assert "nothing seen" in text
    assert "the box was recording, and nothing happened" in text


def test_unknown_is_told_apart_from_undone(client: httpx.Client) -> None:
    unknown = client.get("/orders/binjiang/P0137").text
    assert "whether it was done is unknown, not yet synced" in unknown
    undone = client.get("/orders/yuhuayuan/R0114").text
    assert "It was due and is not done" in undone
    ahead = client.get("/orders?state=open").text
    last = re.search(r'href="(/orders/[a-z]+/\w+)"', ahead)
    assert last
    assert "There is still time." in client.get(last[1]).text


def test_codes_that_open_doors_are_not_shown(client: httpx.Client) -> None:
    assert "codes" not in client.get("/orders/binjiang/P0137").text
