"""A filled store, its pages in one process, and a browser that looks at them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Connection, Engine

from agreed.words import language
from cloud.dashboards.pages import add_pages
from cloud.database.engine import reading
from tests.cloud.dashboards import example, filled

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Clock:
    """A time that a test may move."""

    now_ms: int = example.NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    token = language.set("en")
    yield
    language.reset(token)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = filled.filled_engine(tmp_path_factory.mktemp("filled"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = filled.empty_engine(tmp_path_factory.mktemp("empty"))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with reading(engine) as connection:
        yield connection


def app_of(engine: Engine, clock: Clock) -> FastAPI:
    app = FastAPI()
    add_pages(app, filled.reader(engine), clock, example.COMPANY)
    return app


def client_of(address: str, spoken: str = "en") -> httpx.Client:
    headers = {"accept": "text/html", "accept-language": spoken}
    return httpx.Client(base_url=address, headers=headers, timeout=90, trust_env=False)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port; gives its address."""
    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 90
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=60)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def address(engine: Engine) -> Iterator[str]:
    with served(app_of(engine, Clock())) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with client_of(address) as client:
        yield client


@pytest.fixture(scope="module")  # it keeps an event loop running, which others must not find
def browser() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
