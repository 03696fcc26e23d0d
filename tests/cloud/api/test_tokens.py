from collections.abc import Callable, Iterator

import pytest

from cloud.api.app import make_app
from cloud.api.tokens import COOKIE
from tests.cloud.api.conftest import TOKEN, Client, make_desk
from tests.cloud.world import World

SITES = "/api/v1/sites"
SITE = {"site": "south", "name": "South"}


Ask = Callable[[bool], Client]


@pytest.fixture
def client(small_world: World) -> Iterator[Ask]:
    made: list[Client] = []

    def ask(is_open: bool) -> Client:
        made.append(Client(make_app(make_desk(small_world, [], is_open=is_open))))
        return made[-1]

    yield ask
    for one in made:
        one.close()


def test_writing_always_needs_the_token(client: Ask) -> None:
    for is_open in (True, False):
        visitor = client(is_open)
        for shown in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            assert visitor.post(SITES, json=SITE, headers=shown).status_code == 401
        shown = {"Authorization": f"Bearer {TOKEN}"}
        assert visitor.post(SITES, json=SITE, headers=shown).status_code == 201


def test_reading_needs_it_only_from_elsewhere(client: Ask) -> None:
    assert client(True).get(SITES).status_code == 200
    refused = client(False).get(SITES)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "token" in refused.json()["errors"][0]["remedy"].lower()
    assert client(False).get("/").text.count("\n") == 2


def test_a_browser_shows_it_once(client: Ask) -> None:
    browser = client(False)
    first = browser.get(SITES, params={"token": TOKEN, "site": "north"})
    assert first.status_code == 303
    assert first.headers["location"] == f"{SITES}?site=north"
    assert browser.cookies[COOKIE] == TOKEN
    assert browser.get(SITES).status_code == 200
    # The cookie only reads: another site's form cannot write with it.
    assert browser.post(SITES, json=SITE).status_code == 401
    assert browser.get(SITES, params={"token": "wrong"}).status_code == 200
    assert client(False).get(SITES, params={"token": "x"}).status_code == 401
