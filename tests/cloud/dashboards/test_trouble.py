from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from cloud.dashboards.pages import add_pages
from cloud.database.engine import reading
from tests.cloud.dashboards import example
from tests.cloud.dashboards.conftest import Clock, client_of, served


def failing() -> AbstractContextManager[Connection]:
    raise OperationalError("SELECT 1", {}, Exception("disk I/O error"))


def broken() -> AbstractContextManager[Connection]:
    raise RuntimeError("our mistake")


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        ("/nothing", "P404", 404),
        ("/orders/yuhuayuan/none", "P404", 404),
        ("/orders/nowhere/P0000", "P404", 404),
        ("/workers/nobody", "P404", 404),
        ("/boxes/yuhuayuan/none", "P404", 404),
        ("/orders?page=0", "P400", 400),
        ("/orders?page=²", "P400", 400),
        ("/orders?state=done", "P400", 400),
        ("/orders?from=20-05-2026", "P400", 400),
        ("/workers?day=tomorrow", "P400", 400),
        ("/orders.csv?state=done", "P400", 400),
    ],
)
def test_a_wrong_address_is_answered_with_problem_cause_and_step(
    client: httpx.Client, path: str, code: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert code in answer.text
    assert "<dt>Why</dt>" in answer.text
    assert "<dt>What to do</dt>" in answer.text


def test_programs_get_no_page(client: httpx.Client) -> None:
    answer = client.get("/nothing", headers={"accept": "application/json"})
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found"}
    assert client.get("/api/nothing", headers={"accept": "text/html"}).json() == answer.json()
    refused = client.post("/orders")
    assert refused.status_code == 405
    assert "P405" in refused.text


@pytest.mark.parametrize(("read", "code"), [(failing, "P510"), (broken, "P500")])
@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_a_failure_is_a_page_in_the_reader_s_language(
    read: Callable[[], AbstractContextManager[Connection]], code: str, spoken: str
) -> None:
    app = FastAPI()
    add_pages(app, read, Clock(), example.COMPANY)
    with served(app) as address, client_of(address, spoken) as client:
        client.headers["connection"] = "close"  # the server drops it after a failure
        answer = client.get("/")
        assert answer.status_code == 500
        assert code in answer.text
        assert f'<html lang="{"zh-CN" if spoken == "zh" else "en"}">' in answer.text
        plain = client.get("/", headers={"accept": "application/json"})
        assert plain.text == "Internal Server Error"


def test_a_company_that_nobody_created_is_said_so(engine: Engine) -> None:
    app = FastAPI()
    add_pages(app, lambda: reading(engine), Clock(), "nobody")
    with served(app) as address, client_of(address) as client:
        assert "P511" in client.get("/").text
