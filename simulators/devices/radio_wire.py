"""The air between badges and the box: a private D-Bus, and BlueZ's stand-in on it as a process."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice

BUS_VARIABLE: Final = "DBUS_SYSTEM_BUS_ADDRESS"
TICK_S: Final = 0.1
NEAR_DBM: Final = -50
READY_S_MAX: Final = 20.0
_CONFIG: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>
"""


def ibeacon(number: int) -> tuple[str, bytes]:
    """Give the identity of an iBeacon and what it says after the maker's number."""
    uuid = UUID(int=number)
    return f"ibeacon:{uuid}:1:{number}", b"\x02\x15" + uuid.bytes + bytes([0, 1, 0, number, 0xC5])


class BadgeOnAir(FarDevice):
    """One badge that somebody carries.

    Attributes:
        identity: as the box must observe it.
        rssi_dbm: how strongly it is heard; None while it is out of reach.
        says: the command that lets it be heard, without the strength.
    """

    def __init__(self, name: str, number: int = 1) -> None:
        super().__init__(name)
        self.identity, apple = ibeacon(number)
        self.rssi_dbm: int | None = None
        address = f"02:00:00:00:01:{number:02x}"
        self.says: dict[str, Any] = {"advertise": address, "apple": apple.hex()}

    def calls_itself(self, identity: str, eddystone: bytes, address: str) -> None:
        """Say something else from now on, as badges with changing names do."""
        self.identity = identity
        self.says = {"advertise": address, "eddystone": eddystone.hex()}

    def carry_another(self, number: int) -> None:
        """Come near with another badge."""
        self.identity, apple = ibeacon(number)
        address = f"02:00:00:00:01:{number:02x}"
        self.says = {"advertise": address, "apple": apple.hex()}
        self.rssi_dbm = None
        self.come()

    def come(self, rssi_dbm: int = NEAR_DBM) -> None:
        """Come near."""
        if self.rssi_dbm is None:
            self.emit(Seen.ENTERED, self.identity)
        self.rssi_dbm = rssi_dbm

    def go(self) -> None:
        """Go out of reach."""
        if self.rssi_dbm is not None:
            self.emit(Seen.LEFT, self.identity)
        self.rssi_dbm = None


class RadioWire:
    """One adapter as the box's D-Bus shows it.

    Attributes:
        url: the `port` for box.toml.
    """

    def __init__(self, badges: Sequence[BadgeOnAir], folder: Path) -> None:
        self.url = "ble://hci0"
        self._badges = tuple(badges)
        self._socket = folder / "bus"
        self._config = folder / "bus.conf"
        self._processes: list[asyncio.subprocess.Process] = []
        self._bluez: asyncio.subprocess.Process | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._before: str | None = None

    @property
    def bus_address(self) -> str:
        """Where the bus is."""
        return f"unix:path={self._socket}"

    async def __aenter__(self) -> Self:
        """Start the bus and the stand-in, and have this process find them."""
        self._config.write_text(_CONFIG.format(path=self._socket), "utf-8")
        bus = await asyncio.create_subprocess_exec(
            "dbus-daemon",
            f"--config-file={self._config}",
            "--nofork",
            "--print-address=1",
            stdout=asyncio.subprocess.PIPE,
        )
        self._processes.append(bus)
        await _first_line(bus)
        self._before = os.environ.get(BUS_VARIABLE)
        os.environ[BUS_VARIABLE] = self.bus_address
        await self.start_bluez()
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End them."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        await self.end_bluez()
        for process in self._processes:
            process.kill()
            await process.wait()
        if self._before is None:
            del os.environ[BUS_VARIABLE]
        else:
            os.environ[BUS_VARIABLE] = self._before

    async def start_bluez(self) -> None:
        """Start BlueZ's stand-in."""
        self._bluez = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "simulators.devices.bluez",
            self.bus_address,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await _first_line(self._bluez)

    async def end_bluez(self) -> None:
        """Kill it, as a crash of bluetoothd would."""
        if self._bluez is not None:
            self._bluez.kill()
            await self._bluez.wait()
            self._bluez = None

    def unplug(self) -> None:
        """Switch the adapter off."""
        self._command({"power": False})

    async def plug(self) -> None:
        """Switch it on."""
        self._command({"power": True})

    def write_now(self, data: bytes) -> bool:
        """Let something be heard that is no beacon."""
        self._command({"advertise": "02:00:00:00:02:ff", "rssi": -40, "apple": data[:24].hex()})
        return True

    def _command(self, command: dict[str, Any]) -> None:
        if self._bluez is not None and self._bluez.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._bluez.stdin.write(json.dumps(command).encode() + b"\n")

    async def _tick(self) -> None:
        while True:
            for badge in self._badges:
                if badge.rssi_dbm is not None:
                    self._command(badge.says | {"rssi": badge.rssi_dbm})
            await asyncio.sleep(TICK_S)


async def _first_line(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(READY_S_MAX):
        if not await process.stdout.readline():
            raise RuntimeError("the stand-in for BlueZ did not start")
