"""The REST interface on a real store, without a network."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cloud.api.app import make_app
from cloud.api.desk import Desk
from cloud.broker import Account, box_account
from cloud.database.fleet import BoxName
from tests.cloud.world import LATER, World

TOKEN = "t" * 64


class Client:
    """Asks an application in this process, as a browser or a program would."""

    def __init__(self, app: FastAPI, headers: dict[str, str] | None = None) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(transport=transport, base_url="http://hq", headers=headers)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, url, **more))

    def get(self, url: str, **more: Any) -> httpx.Response:
        return self.request("GET", url, **more)

    def post(self, url: str, **more: Any) -> httpx.Response:
        return self.request("POST", url, **more)

    def put(self, url: str, **more: Any) -> httpx.Response:
        return self.request("PUT", url, **more)

    def delete(self, url: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", url, **more)

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@dataclass
class Office:
    """A client that shows the token, and the world behind it."""

    world: World
    client: Client
    desk: Desk
    wakes: list[int] = field(default_factory=list)


def make_desk(world: World, wakes: list[int], *, is_open: bool = True) -> Desk:
    def login(name: BoxName, number: int) -> tuple[str, Account]:
        return "mqtt://127.0.0.1:1883", box_account(*name, f"password-{number}")

    return Desk(
        engine=world.engine,
        company="acme",
        now_ms=lambda: LATER,
        random_bytes=lambda count: bytes(range(count)),
        make_code=lambda: next(world.codes),
        login=login,
        wake=lambda: wakes.append(1),
        token=TOKEN,
        is_open=is_open,
    )


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    wakes: list[int] = []
    desk = make_desk(world, wakes)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    client = Client(make_app(desk), headers)
    yield Office(world, client, desk, wakes)
    client.close()
