"""A Bluetooth adapter behind the shape of a port: what is heard on the air, as frames."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakError,
)
from dbus_fast.errors import DBusError

from firmware_interfaces.ble.codec import (
    APPLE,
    DATA_BYTES_MAX,
    EDDYSTONE,
    MANUFACTURER,
    SERVICE_16,
    Report,
    structure,
    written,
)
from firmware_interfaces.errors import (
    PortClosedError,
    PortError,
    PortMissingError,
    PortRefusedError,
)
from firmware_interfaces.permission import usual_group

START_S_MAX: Final = 5.0
STOP_S_MAX: Final = 2.0
ARRIVED_BYTES_MAX: Final = 65_536  # more is not kept: the next cycle tells it again

_EDDYSTONE_UUID: Final = f"0000{EDDYSTONE:04x}-0000-1000-8000-00805f9b34fb"
# What bleak lets through from the bus below it is not only its own error.
_FAILURES: Final = (BleakError, DBusError, OSError, EOFError, TimeoutError)

_stopping: set[asyncio.Task[None]] = set()


async def open_radio(port: str, scan_s: int, wake: Callable[[], None]) -> "RadioPort":
    """Begin to listen; `wake` is called in the loop when something was heard.

    Raises:
        PortMissingError: no such adapter, or it is off. PortRefusedError: no permission.
    """
    radio = RadioPort(port, scan_s, wake)
    try:
        await radio.begin()
    except _FAILURES as error:
        raise _opening_error(port, error) from error
    return radio


def _opening_error(port: str, error: Exception) -> PortError:
    denied = BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM
    is_denied = isinstance(error, BleakBluetoothNotAvailableError) and error.reason is denied
    if is_denied or isinstance(error, PermissionError):
        return PortRefusedError(port, usual_group(port))
    return PortMissingError(
        port, "no such adapter, or it is off; “bluetoothctl list” and “rfkill” show it"
    )


class RadioPort:
    """One adapter as a `ports.Port`."""

    def __init__(self, port: str, scan_s: int, wake: Callable[[], None]) -> None:
        self._port = port
        self._scan_s = scan_s
        self._wake = wake
        self._adapter = urlsplit(port).hostname or "hci0"
        self._arrived = bytearray()
        self._ended: PortError | None = None
        self._scanner: BleakScanner | None = None
        self._tending: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Start the first scan and keep it alive from then on."""
        await self._start()
        self._tending = asyncio.get_running_loop().create_task(self._tend())

    def take(self) -> bytes:
        """See `ports.Port`."""
        data = bytes(self._arrived)
        self._arrived.clear()
        if not data and self._ended is not None:
            raise self._ended
        return data

    async def write(self, data: bytes) -> None:
        """See `ports.Port`: a radio only listens."""
        raise PortClosedError(self._port, f"a radio takes no bytes ({len(data)} were written)")

    def close(self) -> None:
        """See `ports.Port`; the scan is stopped beside."""
        self._ended = self._ended or PortClosedError(self._port, "closed by us")
        if self._tending is not None:
            self._tending.cancel()
            self._tending = None
            stopping = asyncio.get_running_loop().create_task(self._stop())
            _stopping.add(stopping)
            stopping.add_done_callback(_stopping.discard)

    async def _tend(self) -> None:
        """Begin a new scan again and again.

        One whose adapter was switched off, or whose bluetoothd died, is silent for ever and says
        nothing; and BlueZ tells of what does not change only once a scan.
        """
        while True:
            await asyncio.sleep(self._scan_s)
            await self._stop()
            try:
                await self._start()
            except _FAILURES as error:
                self._ended = PortClosedError(self._port, f"the adapter is gone or off ({error})")
                self._wake()
                return

    async def _start(self) -> None:
        scanner = BleakScanner(self._heard, bluez={"adapter": self._adapter})
        async with asyncio.timeout(START_S_MAX):
            await scanner.start()
        self._scanner = scanner

    async def _stop(self) -> None:
        """Stop the scan; one that is dead cannot be stopped and says so, which is no news."""
        scanner, self._scanner = self._scanner, None
        if scanner is None:
            return
        with contextlib.suppress(*_FAILURES):
            async with asyncio.timeout(STOP_S_MAX):
                await scanner.stop()

    def _heard(self, device: BLEDevice, heard: AdvertisementData) -> None:
        data = _structures(heard)
        if not data or len(data) > DATA_BYTES_MAX or len(self._arrived) > ARRIVED_BYTES_MAX:
            return
        address = bytes.fromhex(device.address.replace(":", ""))
        rssi_dbm = min(max(heard.rssi, -127), 20)
        self._arrived += written(Report(address, rssi_dbm, data))
        self._wake()


def _structures(heard: AdvertisementData) -> bytes:
    """Write what beacons say as it was on the air; b"" for everybody else."""
    data = b""
    apple = heard.manufacturer_data.get(APPLE)
    if apple is not None:
        data += structure(MANUFACTURER, APPLE.to_bytes(2, "little") + apple)
    eddystone = heard.service_data.get(_EDDYSTONE_UUID)
    if eddystone is not None:
        data += structure(SERVICE_16, EDDYSTONE.to_bytes(2, "little") + eddystone)
    return data
