"""Headquarters as a process: whatever is killed, everything is stored once and answered late."""

import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from agreed.directives import PutOrder, decode_directive
from agreed.messages import Refusal
from cloud.database.fleet import BoxName
from tests.cloud.processes import Headquarters, SmallBox, chained, headquarters, mosquitto
from tests.cloud.world import BOX, CLEANING, HOUR, Chain, alive, finished, passed

pytestmark = pytest.mark.broker

DAY = 24 * HOUR


def yesterday() -> int:
    return time.time_ns() // 1_000_000 - DAY


def accepted(house: Headquarters) -> tuple[str, str]:
    with house.api() as api:
        api.put(f"/boxes/{BOX.site}/{BOX.box}").raise_for_status()
        login = api.post(f"/boxes/{BOX.site}/{BOX.box}/accept").raise_for_status().json()["login"]
    return login["user"], login["password"]


def stored(house: Headquarters) -> list[int]:
    with sqlite3.connect(house.data / "headquarters.db") as store:
        return [row[0] for row in store.execute("SELECT sequence FROM records ORDER BY 1")]


def checked(house: Headquarters) -> None:
    with house.api() as api:
        found = api.get("/ledger/check").raise_for_status().json()
    assert found["faults"] == []


async def within(seconds: float, box: SmallBox, port: int, through: int) -> None:
    async with asyncio.timeout(seconds):
        running = asyncio.create_task(box.run(port))
        try:
            await box.until_committed(through)
        finally:
            running.cancel()


def test_a_day_goes_through_and_directives_come_down(tmp_path: Path) -> None:
    start = yesterday()
    with headquarters(tmp_path / "hq", "--mqtt-port", "0") as house:
        login = accepted(house)
        with house.api() as api:
            api.post("/packs", json=CLEANING.model_dump(mode="json")).raise_for_status()
            worker = {"worker": "w-1", "name": "Wang"}
            api.post("/sites/north/workers", json=worker).raise_for_status()
            order = {
                "order_id": "o-1",
                "pack": "cleaning",
                "worker": "w-1",
                "resident": "r-1",
                "booked_from_ms": start + HOUR,
            }
            booked = api.post("/sites/north/orders", json=order).raise_for_status().json()
            day = [passed(start + HOUR), finished(start + 2 * HOUR, "o-1")]
            blocks = chained(Chain(), [day, [alive(start + 3 * HOUR)]])
            box = SmallBox(BOX, blocks, login=login)
            asyncio.run(within(90, box, house.mqtt_port, 3))
            view = api.get("/orders/north/o-1").json()
            assert [n["verdict"] for n in view["nodes"]] == ["kept", "kept"]
            assert view["earned_fen"] == 3_001
            shown = api.get("/boxes/north/gate-box").json()
            assert shown["committed_through"] == 3
        put = decode_directive(box.directives[0])
        assert isinstance(put, PutOrder)
        assert put.codes[0].code == booked["codes"][0]["code"]
        assert house.stop() == 0
        assert not (house.data / "run.json").exists()


def test_kill_9_at_any_moment_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    dice = random.Random(7)
    start = yesterday()
    groups = [[alive(start + i * 100 + k) for k in range(5)] for i in range(400)]
    blocks = chained(Chain(), groups)
    with headquarters(tmp_path / "hq", "--mqtt-port", "0") as house:
        house.options += ("--mqtt-port", str(house.mqtt_port))
        login = accepted(house)

        async def rounds() -> SmallBox:
            box = SmallBox(BOX, blocks[:1], login=login)
            running = asyncio.create_task(box.run(house.mqtt_port))
            async with asyncio.timeout(250):
                for round_number in range(4):
                    # Every round has fresh blocks under way when the axe falls.
                    box.blocks = blocks[: (round_number + 1) * 80]
                    box.sender.available(box.blocks[-1][1])
                    await asyncio.sleep(dice.uniform(0.0, 0.25))
                    if round_number % 2:
                        os.kill(house.run["broker_pid"], signal.SIGKILL)
                    house.kill()
                    await asyncio.to_thread(house.start)
                box.blocks = blocks
                box.sender.available(blocks[-1][1])
                await box.until_committed(blocks[-1][1])
            running.cancel()
            return box

        asyncio.run(rounds())
        assert stored(house) == list(range(1, 2_001))
        checked(house)


def test_the_broker_is_restarted_when_it_dies(tmp_path: Path) -> None:
    start = yesterday()
    chain = Chain()
    first, second = chained(chain, [[alive(start)], [alive(start + 1)]])
    with headquarters(tmp_path / "hq", "--mqtt-port", "0") as house:
        login = accepted(house)

        async def through_a_death() -> None:
            box = SmallBox(BOX, [first], login=login)
            running = asyncio.create_task(box.run(house.mqtt_port))
            async with asyncio.timeout(150):
                await box.until_committed(1)
                os.kill(house.run["broker_pid"], signal.SIGKILL)
                box.blocks.append(second)
                box.sender.available(2)
                await box.until_committed(2)
            running.cancel()

        asyncio.run(through_a_death())
        assert json.loads((house.data / "run.json").read_text())["broker_pid"] is not None
        # A stranger and a wrong password stay outside.
        stranger = SmallBox(BOX, [first], login=(login[0], "wrong"))
        with pytest.raises(TimeoutError):
            asyncio.run(within(1.0, stranger, house.mqtt_port, 1))


def test_another_broker_does_too(tmp_path: Path) -> None:
    start = yesterday()
    blocks = chained(Chain(), [[alive(start)], [alive(start + 1)]])
    with mosquitto(tmp_path) as port:
        url = f"mqtt://127.0.0.1:{port}"
        with headquarters(tmp_path / "hq", "--broker", url) as house, house.api() as api:
            unknown = SmallBox(BoxName("acme", "north", "stranger"), [])

            async def greet() -> None:
                running = asyncio.create_task(unknown.run(port))
                async with asyncio.timeout(90):
                    await unknown.until(lambda: unknown.refused is not None)
                running.cancel()

            asyncio.run(greet())
            assert unknown.refused is not None
            assert unknown.refused.refusal == Refusal.UNKNOWN_BOX
            assert api.get("/boxes").json()[0]["status"] == "pending"
            api.put(f"/boxes/{BOX.site}/{BOX.box}").raise_for_status()
            answer = api.post(f"/boxes/{BOX.site}/{BOX.box}/accept").raise_for_status().json()
            assert answer["login"] is None
            asyncio.run(within(90, SmallBox(BOX, blocks), port, 2))
            assert stored(house) == [1, 2]


def test_it_ends_when_told_though_its_broker_never_comes_up(tmp_path: Path) -> None:
    data = tmp_path / "hq"
    (data / "broker").mkdir(parents=True)
    (data / "broker" / "store").write_text("a file, not a folder")
    house = Headquarters(data, ("--company", "acme", "--port", "0", "--mqtt-port", "0"))
    with house.starting() as log:
        while "broker died" not in (said := log.read_text()):
            assert house.process is not None
            assert house.process.poll() is None, said
            time.sleep(0.02)
        assert house.stop() == 0
    assert not (data / "run.json").exists()


def refusal(*options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "duifu", "--lang", "en", "cloud", "run", *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def test_wrong_settings_are_one_sentence(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "hq"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in refusal(*data, "--port", port, "--mqtt-port", "0")
        assert port in refusal(*data, "--port", "0", "--mqtt-port", port)
    assert "--broker" in refusal(*data, "--broker", "http://nowhere")
    assert "--database" in refusal(*data, "--database", "mysql://nowhere/x")
    assert "--company" in refusal(*data, "--company", "Big Co")
    (tmp_path / "file").write_text("")
    assert "data folder" in refusal("--data", str(tmp_path / "file"))


def test_reading_from_elsewhere_needs_the_token(tmp_path: Path) -> None:
    options = ("--mqtt-port", "0", "--host", "0.0.0.0")
    with headquarters(tmp_path / "hq", *options) as house:
        url = house.run["api_url"]
        assert httpx.get(f"{url}/api/v1/overview").status_code == 401
        with house.api() as api:
            assert api.get("/overview").status_code == 200
        token = (house.data / "token").read_text()
        with httpx.Client(base_url=url, follow_redirects=True) as browser:
            assert browser.get("/api/v1/sites", params={"token": token}).status_code == 200
            assert browser.get("/api/v1/sites").status_code == 200
            assert browser.post("/api/v1/sites", json={}).status_code == 401
        again = subprocess.run(
            [sys.executable, "-m", "duifu", "--lang", "en", "cloud", "run", "--data", house.data],
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 2
        assert "Another headquarters" in again.stderr
