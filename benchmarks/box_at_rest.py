"""How frugal a whole box is at rest: its processor time and memory, one family after the other.

python -m benchmarks.box_at_rest [--seconds 30] [--json]

The box is `duifu edge run` in a process of its own, with its journal and a headquarters that does
not answer. Its devices are in other processes: readers, lockers and scanners behind paced PTYs,
badges behind a D-Bus of their own with a stand-in for BlueZ. Processor time is that of the process
(user and system). Its wake-ups are told beside it: on a busy machine the simulated devices answer
later and are asked less often, which makes the box look more frugal than it is.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

from edge.status import NotRunningError, ask_status
from simulators.devices.radio_wire import BadgeOnAir, RadioWire

KEY: Final = "0102030405060708090a0b0c0d0e0f10"
SETTLE_S: Final = 15.0
READY_S: Final = 120.0
BADGES_COUNT: Final = 8
READERS_PER_LINE: Final = 4
STOP_S: Final = 30.0
WAKEUPS: Final = "voluntary_ctxt_switches"


class Part:
    """One family of devices: how the box is told of it, and how it is simulated.

    Attributes:
        name: for people.
        devices: that must answer before anything is measured.
    """

    def __init__(self, name: str, settings: str, scenario: str, devices: Sequence[str]) -> None:
        self.name = name
        self.devices = devices
        self._settings = settings
        self._scenario = scenario

    def settings(self, folder: Path) -> str:
        """Its tables of box.toml."""
        return self._settings.replace("FOLDER", str(folder))

    def scenario(self) -> str:
        """Its tables of a scenario; "" for what is not behind a wire."""
        return self._scenario


def _readers() -> Part:
    settings = scenario = ""
    names = []
    for line in range(2):
        here = [f"gate-{line}-{place}" for place in range(READERS_PER_LINE)]
        tables = [
            f'{{ name = "{name}", address = {place}, key = "{KEY}" }}'
            for place, name in enumerate(here)
        ]
        settings += (
            f'[[line]]\nfamily = "osdp"\nport = "FOLDER/osdp-{line}"\nbaud = 115200\n'
            f"devices = [{', '.join(tables)}]\n"
        )
        settings += "".join(f'[[gate]]\nreader = "{name}"\n' for name in here)
        scenario += f'[[wire]]\nlink = "osdp-{line}"\nbaud = 115200\n' + "".join(
            f'[[wire.devices]]\nkind = "gate_reader"\nname = "{name}"\naddress = {place}\n'
            f'key = "{KEY}"\n'
            for place, name in enumerate(here)
        )
        names += here
    return Part("8 OSDP readers on two lines", settings, scenario, names)


def _lockers() -> Part:
    settings = (
        '[[line]]\nfamily = "locker_cu16"\nport = "FOLDER/lockers"\nbaud = 19200\n'
        'devices = [{ name = "lockers", address = 0, compartments = 64 }]\n'
    )
    scenario = (
        '[[wire]]\nlink = "lockers"\nbaud = 19200\n[[wire.devices]]\nkind = "locker_bank"\n'
        'name = "lockers"\ncompartments = 64\n'
    )
    return Part("4 locker boards, 64 compartments", settings, scenario, ["lockers"])


def _scanners() -> Part:
    settings = (
        '[[line]]\nfamily = "scanner"\nport = "FOLDER/desk"\ndevices = [{ name = "desk" }]\n'
        '[[line]]\nfamily = "scanner"\nport = "FOLDER/kiosk"\n'
        'devices = [{ name = "kiosk", protocol = "ssi" }]\n'
    )
    scenario = (
        '[[wire]]\nlink = "desk"\nbaud = 9600\n[[wire.devices]]\nkind = "scanner"\n'
        'name = "desk"\n'
        '[[wire]]\nlink = "kiosk"\nbaud = 9600\n[[wire.devices]]\nkind = "ssi_scanner"\n'
        'name = "kiosk"\n'
    )
    return Part("2 scanners, one of them asked (SSI)", settings, scenario, ["desk", "kiosk"])


def _radio() -> Part:
    settings = '[[line]]\nfamily = "ble"\nport = "ble://hci0"\ndevices = [{ name = "lobby" }]\n'
    return Part(f"BLE scanning, {BADGES_COUNT} badges near", settings, "", ["lobby"])


def boxes() -> list[list[Part]]:
    """What is measured: nothing, then one family more each time."""
    parts = [_readers(), _lockers(), _scanners(), _radio()]
    return [parts[:count] for count in range(len(parts) + 1)]


async def at_rest(
    parts: Sequence[Part], seconds: float, folder: Path, settle_s: float = SETTLE_S
) -> dict[str, Any]:
    """Measure one box, `settle_s` after all its devices answered.

    Raises:
        TimeoutError: its devices did not all answer.
    """
    config = _write_settings(parts, folder)
    async with contextlib.AsyncExitStack() as stack:
        scenario = "".join(part.scenario() for part in parts)
        if scenario:
            path = folder / "scenario.toml"
            path.write_text(scenario, "utf-8")
            await stack.enter_async_context(
                _process("simulators.devices", str(path), "--folder", str(folder))
            )
            await _ports_there(parts, folder)
        if any("ble" in part.settings(folder) for part in parts):
            badges = [BadgeOnAir(f"badge-{n}", n) for n in range(1, BADGES_COUNT + 1)]
            await stack.enter_async_context(RadioWire(badges, folder))
            for badge in badges:
                badge.come()
        box = await stack.enter_async_context(
            _process("duifu", "edge", "run", "--config", str(config), "--keep-trying")
        )
        await _all_answer({name for part in parts for name in part.devices}, folder)
        await asyncio.sleep(settle_s)
        return await _measured(box.pid, seconds)


def _write_settings(parts: Sequence[Part], folder: Path) -> Path:
    path = folder / "box.toml"
    head = (
        'company = "c"\nsite = "s"\nbox = "b"\ndata = "data"\n'
        '[headquarters]\nurl = "mqtt://127.0.0.1:9"\n'
    )
    path.write_text(head + "".join(part.settings(folder) for part in parts), "utf-8")
    return path


async def _ports_there(parts: Sequence[Part], folder: Path) -> None:
    ports = [
        Path(line.split('"')[1])
        for part in parts
        for line in part.settings(folder).splitlines()
        if line.startswith(f'port = "{folder}')
    ]
    async with asyncio.timeout(READY_S):
        while not all(port.exists() for port in ports):  # noqa: ASYNC110  # files ring no bell
            await asyncio.sleep(0.1)


async def _all_answer(devices: set[str], folder: Path) -> None:
    async with asyncio.timeout(READY_S):
        while True:
            with contextlib.suppress(NotRunningError):
                answer = await asyncio.to_thread(ask_status, folder / "data")
                if devices <= set(answer["devices_back"]):
                    return
            await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _measured(pid: int, seconds: float) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    began_s, before_s, wakeups_count = loop.time(), _spent_s(pid), _told(pid, WAKEUPS)
    await asyncio.sleep(seconds)
    took_s, spent_s = loop.time() - began_s, _spent_s(pid) - before_s
    return {
        "seconds": round(took_s, 1),
        "cpu_percent_of_one_core": round(100 * spent_s / took_s, 2),
        "wakeups_per_s": round((_told(pid, WAKEUPS) - wakeups_count) / took_s),
        "resident_mb": round(_told(pid, "VmRSS") * 1_024 / 1e6, 1),
        "resident_peak_mb": round(_told(pid, "VmHWM") * 1_024 / 1e6, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def _spent_s(pid: int) -> float:
    """Processor time, user and system, of one process with its threads. Source: proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _told(pid: int, name: str) -> int:
    """One line of a process's status: KiB, or how often. Source: proc(5)."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


async def _run(seconds: float) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for parts in boxes():
        with tempfile.TemporaryDirectory() as name:
            measured = await at_rest(parts, seconds, Path(name))
        rows.append({"with": [part.name for part in parts]} | measured)
    return rows


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON list")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    arguments = parser.parse_args()
    rows = asyncio.run(_run(arguments.seconds))
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print("  ".join(f"{key}={value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
