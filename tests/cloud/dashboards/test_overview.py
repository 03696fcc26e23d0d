import json
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import Engine

from agreed.money import yuan
from agreed.promises import Verdict
from cloud import reads
from cloud.dashboards import signals
from cloud.dashboards.live import LiveStream
from cloud.dashboards.overview import BOXES_SHOWN, FRAGMENTS, boxes_by_site, hour_columns
from cloud.database.engine import reading
from tests.cloud.dashboards.conftest import Clock, app_of, client_of, served
from tests.cloud.dashboards.example import COMPANY, DAY_MS, HOUR_MS, NOW_MS
from tests.cloud.dashboards.test_signals import AWAY, BOX, NOW


def test_the_page_shows_the_figures_of_the_store(client: httpx.Client, engine: Engine) -> None:
    with reading(engine) as connection:
        seen = reads.overview(connection, COMPANY, NOW_MS)
    text = client.get("/").text
    for name in ("kept", "late", "missed", "undecidable", "open"):
        assert f'<span class="value">{getattr(seen.promises, name)}</span>' in text
    assert f"¥ {yuan(seen.earned_fen)}" in text
    assert "due, not yet synced" in text
    assert "two histories for the same records" in text
    assert "Simulated time" not in text


def test_hours_without_promises_keep_their_place() -> None:
    columns = hour_columns({DAY_MS: {Verdict.KEPT: 1}, DAY_MS + 9 * HOUR_MS: {Verdict.OPEN: 2}})
    assert [c.total for c in columns] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert len(hour_columns({DAY_MS: {}})) == 8
    assert hour_columns({}) == []


def test_a_large_fleet_is_cut_to_its_worst_boxes() -> None:
    rows = signals.fleet([replace(BOX, site=f"s{i:04}") for i in range(2_000)], NOW, 1)
    rows = [*signals.fleet([AWAY], NOW, 1), *rows]
    shown = boxes_by_site(rows[:BOXES_SHOWN])
    assert next(iter(shown)) == AWAY.site
    assert sum(len(found) for found in shown.values()) == BOXES_SHOWN


def test_an_empty_company_is_calm_and_says_what_comes_next(empty: Engine) -> None:
    with served(app_of(empty, Clock())) as address, client_of(address) as client:
        text = client.get("/").text
        assert "Nothing needs anybody now" in text
        assert "No site yet" in text
        assert "Orders appear here once" in text
        for path in ("/orders", "/workers", "/boxes"):
            assert client.get(path).status_code == 200


@pytest.mark.parametrize("speed", [1, 900])
def test_a_simulated_day_is_said_on_every_page(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, speed: int
) -> None:
    monkeypatch.setenv("DUIFU_SIMULATED_DAY", f"0:0:{speed}")
    with served(app_of(engine, Clock())) as address, client_of(address, "zh") as client:
        for path in ("/", "/orders", "/workers", "/boxes"):
            assert f"模拟时间 ×{speed}" in client.get(path).text


def test_the_stream_sends_every_fragment_and_then_what_changed(engine: Engine) -> None:
    clock = Clock()
    with served(app_of(engine, clock)) as address, client_of(address) as client:
        with client.stream("GET", "/live/overview") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = (line for line in answer.iter_lines() if line.startswith("data: "))
            assert set(json.loads(next(lines)[6:])) == set(FRAGMENTS)
            clock.now_ms += HOUR_MS
            changed = json.loads(next(lines)[6:])
        assert "16:32:07" in changed["stamp"]
        assert "figures" in changed
        assert "<html" not in changed["figures"]


def test_a_browser_too_many_is_told_to_reload(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveStream, "is_full", property(lambda _: True))
    with served(app_of(engine, Clock())) as address, client_of(address) as client:
        answer = client.get("/live/overview")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "3"
