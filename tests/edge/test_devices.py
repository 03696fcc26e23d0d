"""The technician's commands as a technician types them, against simulated devices."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from edge.status import SOCKET
from firmware_interfaces.discovery.capture import crossings
from firmware_interfaces.observations import Seen
from simulators.devices.replayed_device import ReplayedDevice
from simulators.devices.wire import PtyWire
from tests.edge.stand_in import CARD, box_process, box_toml, devices, until
from tests.firmware_interfaces.worlds import Box, line_for


async def duifu(*words: str, answers: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "duifu", "edge", *words]
    return await asyncio.to_thread(
        subprocess.run,
        command,
        capture_output=True,
        text=True,
        check=False,
        input=answers,
        timeout=120,
        env=os.environ | {"DUIFU_LANG": "en"},
    )


def rename(path: Path, before: str, after: str) -> None:
    """Call a device otherwise in the settings."""
    path.write_text(path.read_text().replace(f'"{before}"', f'"{after}"'))


async def replayed(rows: list[str], folder: Path) -> list[tuple[Seen, str]]:
    """Let the simulator say again what was captured; gives what a box makes of it."""
    device = ReplayedDevice("lockers", rows)
    table = {"family": "locker_cu16", "devices": [{"name": "lockers", "compartments": 24}]}
    async with PtyWire([device], folder / "again") as wire, Box(line_for(table, wire.url)) as box:
        await box.until(Seen.BACK)
        await box.until(Seen.LOST)  # the capture is over
        assert device.is_over
        return [(one.seen, one.device) for one in box.observed]


def test_devices_are_listed_tried_watched_and_shown_without_a_box(tmp_path: Path) -> None:
    async def play() -> None:
        async with devices(tmp_path) as site:
            config = str(box_toml(tmp_path, "mqtt://127.0.0.1:1", site.ports))
            listed = await duifu("devices", "ls", "--json", "--config", config)
            assert {row["name"] for row in json.loads(listed.stdout)} == {
                "gate",
                "lockers",
                "kiosk",
            }
            strange = await duifu("devices", "test", "nobody", "--config", config)
            assert (strange.returncode, "nobody" in strange.stderr) == (2, True)
            assert "Traceback" not in strange.stderr

            trying = asyncio.create_task(
                duifu("devices", "test", "lockers", "--json", "--config", config)
            )
            assert await site.bank.opened(1, 60)
            await asyncio.sleep(0.5)
            site.bank.close(1)
            tried = await trying
            assert tried.returncode == 0, tried.stderr
            steps = json.loads(tried.stdout.splitlines()[-1])["steps"]
            assert [step["outcome"] for step in steps] == ["seen"] * 3

            capture = tmp_path / "capture"
            options = ("--capture", str(capture), "--seconds", "4", "--config", config)
            watched = await duifu("devices", "monitor", "lockers", *options)
            assert "lockers  BACK" in watched.stdout
            rows = capture.read_text().splitlines()
            assert any(one.is_from_device for one in crossings(rows))
            assert await replayed(rows, tmp_path) == [
                (Seen.BACK, "lockers"),
                (Seen.LOST, "lockers"),
            ]

            shown = await duifu("devices", "identify", "gate", "--config", config)
            assert (shown.returncode, "gate" in shown.stdout) == (0, True)
            dark = await duifu("devices", "identify", "lockers", "--config", config)
            assert (dark.returncode, "devices test lockers" in dark.stderr) == (2, True)

    asyncio.run(play())


def test_at_a_running_box_a_trial_goes_through_it_and_new_settings_are_taken(
    tmp_path: Path,
) -> None:
    async def play() -> None:
        async with devices(tmp_path) as site:
            path = box_toml(tmp_path, "mqtt://127.0.0.1:1", site.ports)
            config = str(path)
            with box_process(path):
                await until((tmp_path / "data" / SOCKET).is_socket, 60)
                trying = asyncio.create_task(
                    duifu("devices", "test", "gate", "--config", config, answers="y\n")
                )
                await until(lambda: site.reader.is_online, 60)
                outcome = await _tapped(site, trying)
                assert (outcome.returncode, "gate" in outcome.stderr) == (0, True), outcome.stdout

                text = path.read_text()
                path.write_text(text.replace("alive_s = 3600", "alive_s = 3601"))
                refused = await duifu("reload", "--config", config)
                assert (refused.returncode, "restart" in refused.stderr) == (2, True)
                path.write_text(text.replace('codes = "any"', 'codes = "any", idle_ms = 300'))
                taken = await duifu("reload", "--config", config)
                assert taken.returncode == 0, taken.stderr
                listed = await duifu("devices", "ls", "--json", "--config", config)
                states = {row["name"]: row["state"] for row in json.loads(listed.stdout)}
                assert states["gate"] == states["lockers"] == "back"
                described = {row["name"]: row["described"] for row in json.loads(listed.stdout)}
                assert "maker" in described["gate"]
                assert described["lockers"] == ""
                for_people = await duifu("devices", "ls", "--config", config)
                status = await duifu("status", "--config", config)
                assert described["gate"] in for_people.stdout
                assert f"gate is {described['gate']}" in status.stdout
                said = await _journaled("device_lost", config)
                await asyncio.to_thread(rename, path, "gate", "porch")
                await _renamed(config)
            assert "device_tested" in {row["node_kind"] for row in said}
            lost = [row["device"] for row in said if row["node_kind"] == "device_lost"]
            assert lost == ["kiosk"]

    async def _renamed(config: str) -> None:
        """A reader that new settings call otherwise is the one whose key may be changed."""
        taken = await duifu("reload", "--config", config)
        assert taken.returncode == 0, taken.stderr
        known = await duifu("reader", "rekey", "porch", "--config", config)
        gone = await duifu("reader", "rekey", "gate", "--config", config)
        assert "key_file" in known.stderr
        assert "no OSDP reader gate" in gone.stderr

    async def _journaled(node_kind: str, config: str) -> list[dict[str, str]]:
        """Read the journal once it holds this; telemetry waits for company."""
        said: list[dict[str, str]] = []
        async with asyncio.timeout(60):
            while node_kind not in {row["node_kind"] for row in said}:
                shown = await duifu("journal", "show", "-n", "200", "--json", "--config", config)
                said = [json.loads(line) for line in shown.stdout.splitlines()]
        return said

    async def _tapped(
        site: "object", trying: "asyncio.Task[subprocess.CompletedProcess[str]]"
    ) -> subprocess.CompletedProcess[str]:
        while not trying.done():
            await site.reader.tap(CARD, 1.0)  # type: ignore[attr-defined]
            await asyncio.wait((trying,), timeout=1.0)
        return await trying

    asyncio.run(play())


def test_a_scan_finds_a_locker_board_and_proposes_its_settings(tmp_path: Path) -> None:
    async def play() -> None:
        async with devices(tmp_path) as site:
            proposed = tmp_path / "proposed.toml"
            options = ("--addresses", "1", "--write", str(proposed))
            found = await duifu("devices", "scan", site.ports[1], *options)
            assert found.returncode == 0, found.stderr
            assert 'family = "locker_cu16"' in found.stdout
            assert f'port = "{site.ports[1]}"' in proposed.read_text()
            absent = await duifu("devices", "scan", str(tmp_path / "none"), "--addresses", "1")
            assert (absent.returncode, "Traceback" in absent.stderr) == (1, False)

    asyncio.run(play())
