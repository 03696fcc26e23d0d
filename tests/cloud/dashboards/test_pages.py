from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

import cloud.dashboards
from cloud.dashboards.live import LiveStream
from tests.cloud.dashboards.conftest import Clock, app_of

ODD = ("None", "{{", "{%", "<built-in", "object at 0x", "Undefined", "nan", "()</")
PATHS = (
    "/",
    "/orders",
    "/orders?state=at_risk",
    "/orders?state=missed&day=2026-05-20&page=1",
    "/orders/yuhuayuan/R0089",
    "/orders/binjiang/P0137",
    "/orders/binjiang/R0004",
    "/workers",
    "/workers/w01",
    "/workers/w03",
    "/workers/w11",
    "/boxes",
    "/settlement",
    "/settlement/yuhuayuan/2026-05",
    "/settlement/yuhuayuan/2026-05/commission:w01",
    "/settlement/binjiang/2026-05/commission:w03",
    "/ledger?site=yuhuayuan&at=2026-05-20&known=2026-06-01",
    "/boxes/binjiang/box-1",
    "/boxes/binjiang/box-new",
    "/boxes/yuhuayuan/box-1",
    "/nothing",
)


@pytest.mark.parametrize("spoken", ["zh", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_every_page_renders_without_odd_text(client: httpx.Client, path: str, spoken: str) -> None:
    answer = client.get(path, headers={"accept-language": spoken})
    assert answer.status_code == (404 if path == "/nothing" else 200)
    text = answer.text
    assert "</html>" in text
    assert [odd for odd in ODD if odd in text] == []


def test_static_files_are_kept_by_browsers_under_their_version(client: httpx.Client) -> None:
    page = client.get("/").text
    version = page.split("style.css?v=")[1][:12]
    for name in ("style.css", "live.js", "seal.svg"):
        answer = client.get(f"/static/{name}?v={version}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert "immutable" not in client.get(f"/static/{name}").headers.get("cache-control", "")


def test_the_weight_of_the_first_page_is_small(client: httpx.Client) -> None:
    names = ("/", "/static/style.css", "/static/live.js", "/static/seal.svg")
    assert sum(len(client.get(name).content) for name in names) < 120_000


def test_the_application_offers_its_stream_to_be_closed(engine: Engine) -> None:
    app = app_of(engine, Clock())
    assert isinstance(app.state.live, LiveStream)
    assert isinstance(app, FastAPI)


def test_the_script_is_short_and_asks_nobody_else() -> None:
    script = (Path(cloud.dashboards.__file__).parent / "static/live.js").read_text()
    assert len(script.splitlines()) < 100
    assert "http" not in script
