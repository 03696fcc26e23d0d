"""Real bleak on a real D-Bus; behind it a process that stands in for BlueZ."""

import asyncio
import time
from pathlib import Path

import pytest

from firmware_interfaces.ble.codec import ReportReader, identity
from firmware_interfaces.ble.settings import BleLine
from firmware_interfaces.errors import PortClosedError, PortMissingError, PortOptionError
from firmware_interfaces.observations import Seen
from firmware_interfaces.ports import open_port
from firmware_interfaces.wiring import Wiring
from simulators.devices.radio_wire import BadgeOnAir, RadioWire
from tests.firmware_interfaces.worlds import Box, line_for

TABLE = {"family": "ble", "scan_s": 1, "devices": [{"name": "lobby", "away_s": 4}]}


def line(port: str) -> BleLine:
    return BleLine.model_validate(TABLE | {"port": port})


def test_bluetoothd_dies_and_comes_back_and_a_badge_stays_one(tmp_path: Path) -> None:
    async def play() -> None:
        badge = BadgeOnAir("w-1")
        async with RadioWire([badge], tmp_path) as wire, Box(line_for(TABLE, wire.url)) as box:
            await box.until(Seen.BACK)
            badge.come()
            assert (await box.until(Seen.ENTERED)).value == badge.identity
            await wire.end_bluez()
            await box.until(Seen.LOST)
            await wire.start_bluez()
            await box.until(Seen.BACK, 2)
            began_s = time.monotonic()
            badge.go()
            assert (await box.until(Seen.LEFT)).value == badge.identity
            assert time.monotonic() - began_s > 1
            said = [o.seen for o in box.observed]
            wanted = [Seen.BACK, Seen.ENTERED, Seen.LOST, Seen.BACK, Seen.LEFT]
            assert said == wanted

    asyncio.run(play())


def test_an_adapter_that_is_off_or_absent_is_missing(tmp_path: Path) -> None:
    async def play() -> None:
        async with RadioWire([], tmp_path) as wire:
            with pytest.raises(PortMissingError):
                await open_port(line("ble://hci7"), lambda: None)
            with pytest.raises(PortOptionError, match="family ble"):
                await open_port(Wiring(port=wire.url), lambda: None)
            woken = asyncio.Event()
            port = await open_port(line(wire.url), woken.set)
            wire.unplug()
            async with asyncio.timeout(60):
                await woken.wait()
            with pytest.raises(PortClosedError, match="gone or off"):
                port.take()
            port.close()
            with pytest.raises(PortMissingError):
                await open_port(line(wire.url), lambda: None)

    asyncio.run(play())


def test_a_radio_tells_who_is_heard_and_takes_no_bytes(tmp_path: Path) -> None:
    async def play() -> None:
        badge, woken, reader = BadgeOnAir("w-1"), asyncio.Event(), ReportReader()
        async with RadioWire([badge], tmp_path) as wire:
            port = await open_port(line(wire.url), woken.set)
            badge.come(-61)
            async with asyncio.timeout(60):
                await woken.wait()
            (report,) = reader.feed(port.take())
            assert (identity(report.data), report.rssi_dbm) == (badge.identity, -61)
            with pytest.raises(PortClosedError):
                await port.write(b"x")
            port.close()
            with pytest.raises(PortClosedError):
                port.take()

    asyncio.run(play())
