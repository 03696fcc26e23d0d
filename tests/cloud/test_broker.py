import asyncio
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from agreed.words import RemedyError
from cloud.broker import Broker, box_account, broker_settings, free_port, headquarters_account

BOX = box_account("acme", "north", "gate", "secret")


def test_a_box_may_speak_for_itself_only() -> None:
    settings = json.loads(broker_settings(Path("/data"), "127.0.0.1", 1883, [BOX]))
    [user] = settings["authorization"]["users"]
    assert user["user"] == "acme/north/gate"
    assert user["permissions"] == {
        "publish": ["duifu.1.acme.north.gate.up", "duifu.1.acme.north.gate.presence"],
        "subscribe": ["duifu.1.acme.north.gate.down"],
    }


def test_headquarters_hears_everybody() -> None:
    account = headquarters_account("secret")
    settings = json.loads(broker_settings(Path("/data"), "127.0.0.1", 1883, [account]))
    [user] = settings["authorization"]["users"]
    assert user["permissions"]["subscribe"] == ["duifu.1.*.*.*.up", "duifu.1.*.*.*.presence"]


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RemedyError, match=str(port)):
            free_port("127.0.0.1", port)
    assert free_port("127.0.0.1", 0) > 0
    with pytest.raises(RemedyError, match=r"99999.*65535"):
        free_port("127.0.0.1", 99_999)
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(RemedyError, match=f"--host {host}"):
            free_port(host, 0)


@pytest.mark.broker
def test_a_broker_is_started_again_and_an_orphan_ended(tmp_path: Path) -> None:
    async def scenario() -> None:
        broker = Broker(tmp_path, "127.0.0.1", free_port("127.0.0.1", 0))
        broker.use([headquarters_account("x")])
        async with asyncio.timeout(120):
            running = asyncio.create_task(broker.run())
            await broker.is_ready.wait()
            first = broker.pid
            assert first is not None
            broker.use([headquarters_account("x"), BOX])
            assert "acme/north/gate" in (tmp_path / "broker.conf").read_text()
            assert (tmp_path / "broker.conf").stat().st_mode & 0o077 == 0
            os.kill(first, signal.SIGKILL)
            while broker.pid in {first, None}:  # noqa: ASYNC110  # the process has no event
                await asyncio.sleep(0.02)
            await broker.is_ready.wait()
            # What a killed headquarters leaves behind is ended by the next one.
            await Broker(tmp_path, "127.0.0.1", 0).end_orphan()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert broker.pid is None

    asyncio.run(scenario())


def test_no_stranger_is_taken_for_an_orphan(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(str(os.getpid()))
    asyncio.run(Broker(tmp_path, "127.0.0.1", 0).end_orphan())
