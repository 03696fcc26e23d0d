"""The commands for keys, against a real box and a simulated reader fresh from its maker."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agreed.words import RemedyError, language
from edge.readers import app
from firmware_interfaces.osdp.settings import new_key_file
from simulators.devices.gate_reader import GateReader
from simulators.devices.wire import PtyWire
from tests.edge.stand_in import box_process, until

WAIT_S = 150.0


def run(*arguments: str) -> str:
    token = language.set("en")
    try:
        result = CliRunner().invoke(app, arguments, catch_exceptions=True)
    finally:
        language.reset(token)
    if isinstance(result.exception, RemedyError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_key_is_written_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "gate.key"
    run("key", str(path))
    assert len(bytes.fromhex(path.read_text())) == 16
    with pytest.raises(RemedyError, match="there already"):
        run("key", str(path))
    with pytest.raises(RemedyError, match="cannot be written"):
        run("key", str(tmp_path / "none" / "gate.key"))


def test_a_fresh_reader_is_given_its_key_and_then_another_one(tmp_path: Path) -> None:
    path = tmp_path / "gate.key"
    run("key", str(path))
    config = tmp_path / "box.toml"
    config.write_text(
        'company = "c"\nsite = "s"\nbox = "b"\ndata = "data"\n'
        '[headquarters]\nurl = "mqtt://127.0.0.1:9"\n[[gate]]\nreader = "gate"\n'
        f'[[line]]\nfamily = "osdp"\nport = "{tmp_path}/tty"\nbaud = 115200\n'
        'devices = [{ name = "gate", address = 0, key_file = "gate.key" }]\n'
    )
    with pytest.raises(RemedyError, match="no box runs"):
        run("rekey", "gate", "--config", str(config))
    reader = GateReader("gate", key=None)

    async def scene() -> None:
        async with PtyWire([reader], tmp_path / "tty"), asyncio.timeout(WAIT_S):
            with box_process(config):
                await until((tmp_path / "data" / "control.sock").exists)
                said = await asyncio.to_thread(run, "install", "gate", "--config", str(config))
                assert "its own key now" in said
                await until(lambda: reader.is_online)
                first = path.read_text()
                said = await asyncio.to_thread(run, "rekey", "gate", "--config", str(config))
                assert "new key" in said
                assert path.read_text() != first
                assert not new_key_file(path).exists()
                with pytest.raises(RemedyError, match="no OSDP reader"):
                    await asyncio.to_thread(run, "rekey", "nobody", "--config", str(config))

    asyncio.run(scene())
