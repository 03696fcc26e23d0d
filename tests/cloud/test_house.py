import asyncio
import json
from pathlib import Path

import pytest

from cloud.database.engine import open_engine
from cloud.database.migrate import migrate
from cloud.folder import Folder
from cloud.house import House, reachable
from cloud.opening import Settings
from tests.cloud.world import BOX, World


@pytest.fixture
def house(small_world: World, tmp_path: Path) -> House:
    folder = Folder(tmp_path)
    folder.prepare().close()
    return House(Settings(tmp_path, mqtt_port=0), folder, small_world.engine, "acme")


def test_boxes_get_the_password_that_the_broker_knows(house: House, tmp_path: Path) -> None:
    broker, address = asyncio.run(house.broker())
    assert broker is not None
    settings = json.loads((tmp_path / "broker" / "broker.conf").read_text())
    users = {u["user"]: u["password"] for u in settings["authorization"]["users"]}
    login = house.login(BOX, 1)
    assert login is not None
    assert users["acme/north/gate-box"] == login[1].password
    assert users["headquarters"] == address.password
    assert login[0] == house.mqtt_url == f"mqtt://127.0.0.1:{address.port}"
    other = house.login(BOX, 2)
    assert other is not None
    assert other[1].password != login[1].password


def test_another_broker_is_not_ours(tmp_path: Path) -> None:
    engine = open_engine("sqlite://")
    migrate(engine)
    settings = Settings(tmp_path, broker="mqtt://u:p@h:7", host="0.0.0.0")
    house = House(settings, Folder(tmp_path), engine, "acme")
    broker, address = asyncio.run(house.broker())
    assert broker is None
    assert (address.host, address.port, house.mqtt_url) == ("h", 7, "mqtt://h:7")
    assert house.login(BOX, 1) is None
    assert not house.is_open
    engine.dispose()


def test_where_this_machine_finds_itself() -> None:
    assert [reachable(h) for h in ("0.0.0.0", "::", "10.0.0.7")] == ["127.0.0.1", "::1", "10.0.0.7"]
