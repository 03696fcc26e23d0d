"""The one place that opens hardware: serial lines, serial servers, keyboards, pins, radios."""

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import serial
from serial.rs485 import RS485Settings
from serial.tools.list_ports import comports

from firmware_interfaces.errors import (
    PortBusyError,
    PortClosedError,
    PortError,
    PortMissingError,
    PortOptionError,
    PortStalledError,
)
from firmware_interfaces.permission import DENIED, denied, own_groups
from firmware_interfaces.wiring import Wiring

ARRIVED_BYTES_MAX = 65_536  # unread bytes of one port; past this the port is not read
READ_BYTES_MAX = 4_096
WRITE_S_MAX = 2.0  # a port that takes no byte for this long is stalled
THREAD_READ_S = 0.05  # a port without a descriptor is asked this often
KEEPALIVE_S = 5  # a silent serial server is asked this often, and is gone after
KEEPALIVES_COUNT = 3  # so many questions without an answer

LINKS = Path("/dev/serial")
KEYBOARDS = "/dev/input/"
CHIPS = "/dev/gpiochip"
RADIOS = "ble://"
DATAGRAMS = "udp://"
GRAB_KEYBOARD = 0x40044590  # EVIOCGRAB; Source: Linux, include/uapi/linux/input.h

# Opening and closing may block for seconds (pyserial waits 5 s for a socket, and sleeps when it
# closes one). They get threads of their own, so that dead ports hold up nobody else.
CLOSING_S_MAX = 2.0
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="port")


class Device(Protocol):
    """What an open piece of hardware has, whoever opened it."""

    def fileno(self) -> int:
        """Its descriptor; OSError or AttributeError where there is none."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class Port(Protocol):
    """An open wire that never blocks the loop."""

    def take(self) -> bytes:
        """Hand over what arrived since the last call; b"" when nothing did.

        Raises:
            PortClosedError: the far end is gone and everything it sent was taken.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Send all of `data`, waiting for room for a bounded time.

        Raises:
            PortClosedError: the far end is gone.
            PortStalledError: no byte was accepted within WRITE_S_MAX.
        """
        ...

    def close(self) -> None:
        """Give the port back; may be called twice."""
        ...


def serial_ports() -> list[str]:
    """Name the serial adapters of this machine, by serial number or socket where known."""
    return sorted(
        stable_name(Path(port.device), has_serial=bool(port.serial_number)) for port in comports()
    )


def stable_name(path: Path, *, has_serial: bool, links: Path = LINKS) -> str:
    """Name an adapter so that it is the same one after a restart or another order of plugging.

    An adapter with a serial number is named by it wherever it is plugged in. Without one, two of
    the same make would share that name, and the socket it sits in tells them apart.
    """
    for folder in ("by-id", "by-path") if has_serial else ("by-path", "by-id"):
        entries = sorted((links / folder).glob("*"))
        name = next((str(one) for one in entries if one.resolve() == path.resolve()), None)
        if name is not None:
            return name
    return str(path)


async def open_port(wiring: Wiring, wake: Callable[[], None]) -> Port:
    """Open the port of one line; `wake` is called in the loop when bytes or the end arrive.

    Raises:
        PortMissingError: nothing is there. PortBusyError: somebody else holds it.
        PortOptionError: the adapter cannot do what is asked. No permission: see
            `firmware_interfaces.permission.denied`.
    """
    if wiring.port.startswith(RADIOS):
        return await _open_radio(wiring, wake)
    if wiring.port.startswith(CHIPS):
        return _open_pins(wiring, wake)
    opening = asyncio.get_running_loop().run_in_executor(_threads, _open_device, wiring)
    try:
        device = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise
    try:
        descriptor = int(device.fileno())
    except (AttributeError, OSError):
        assert isinstance(device, serial.SerialBase), "only pyserial has ports without a descriptor"
        return _ThreadPort(device, wiring.port, wake)
    os.set_blocking(descriptor, False)
    if wiring.port.startswith("socket://"):
        _tend_connection(descriptor)
    return _DescriptorPort(device, descriptor, wiring.port, wake)


# A box without pins or radio in use does not load what reaches them.


async def _open_radio(wiring: Wiring, wake: Callable[[], None]) -> Port:
    from firmware_interfaces.ble.settings import BleLine  # noqa: PLC0415
    from firmware_interfaces.radio import open_radio  # noqa: PLC0415

    if not isinstance(wiring, BleLine):
        raise PortOptionError(wiring.port, "a radio is for lines of family ble")
    return await open_radio(wiring.port, wiring.scan_s, wake)


def _open_pins(wiring: Wiring, wake: Callable[[], None]) -> Port:
    from firmware_interfaces.contacts.settings import ContactsLine  # noqa: PLC0415
    from firmware_interfaces.pins import PinPort, open_pins  # noqa: PLC0415

    if not isinstance(wiring, ContactsLine):
        raise PortOptionError(wiring.port, "pins are for lines of family contacts")
    return PinPort(open_pins(wiring), wiring.port, wake)


def _tend_connection(descriptor: int) -> None:
    """Send at once, and notice a serial server that lost its power without saying so."""
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVES_COUNT)


_closings: set[Future[None]] = set()


async def all_closed() -> None:
    """Wait, for a bounded time, until every port that was given back can be opened again."""
    waiting = [asyncio.wrap_future(closing) for closing in list(_closings)]
    if waiting:
        await asyncio.wait(waiting, timeout=CLOSING_S_MAX)


def _close_beside(device: Device) -> None:
    closing = _threads.submit(_close_device, device)
    _closings.add(closing)
    closing.add_done_callback(_closings.discard)


def _close_unwanted(opening: asyncio.Future[Device]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close_beside(opening.result())


def _close_device(device: Device) -> None:
    # pyserial leaves a socket open when the far end has hung up: its shutdown fails first.
    connection = getattr(device, "_socket", None)
    with contextlib.suppress(OSError):
        device.close()
    if isinstance(connection, socket.socket):
        connection.close()


class _Keyboard:
    """A scanner that plays a keyboard; nobody else gets its keys while it is open."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._descriptor, GRAB_KEYBOARD, 1)
        except OSError:
            os.close(self._descriptor)
            raise

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)


def _open_keyboard(port: str) -> _Keyboard:
    try:
        return _Keyboard(port)
    except OSError as error:
        if error.errno in {errno.ENOTTY, errno.EINVAL}:
            raise PortOptionError(port, "not a keyboard; choose one that ends in -kbd") from error
        raise _opening_error(port, error) from error


def _open_datagrams(port: str) -> socket.socket:
    """Talk UDP with one address and nobody else; `?local=60001` chooses the port of our end."""
    parts = urlsplit(port)
    local = parse_qs(parts.query).get("local", ["0"])[0]
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        connection.bind(("", int(local)))
        connection.connect((parts.hostname, parts.port))
    except (OSError, ValueError) as error:
        connection.close()
        raise _opening_error(port, error) from error
    except OverflowError as error:
        connection.close()
        raise PortOptionError(port, "a UDP port is 1 to 65535") from error
    return connection


def _open_device(wiring: Wiring) -> Device:
    if wiring.port.startswith(DATAGRAMS):
        return _open_datagrams(wiring.port)
    if wiring.port.startswith(KEYBOARDS):
        return _open_keyboard(wiring.port)
    try:
        device = serial.serial_for_url(
            wiring.port,
            do_not_open=True,
            baudrate=wiring.baud,
            parity=wiring.parity,
            timeout=THREAD_READ_S,
            write_timeout=WRITE_S_MAX,
            exclusive=True,
        )
        if wiring.dtr is not None:
            device.dtr = wiring.dtr
        if wiring.rts is not None:
            device.rts = wiring.rts
        device.open()
    except (OSError, ValueError) as error:
        raise _opening_error(wiring.port, error) from error
    if wiring.rs485:
        _switch_direction(device, wiring.port)
    return device


def _switch_direction(device: serial.SerialBase, port: str) -> None:
    try:
        device.rs485_mode = RS485Settings()
    except (OSError, ValueError, AttributeError) as error:
        device.close()
        raise PortOptionError(
            port, "the adapter does not switch RS-485 direction; set rs485 = false"
        ) from error


def _opening_error(port: str, error: OSError | ValueError) -> PortError:
    number = getattr(error, "errno", None)
    if isinstance(error, ValueError) or "configure" in str(error):
        return PortOptionError(port, f"the adapter does not take these settings ({error})")
    if number in DENIED:
        return denied(port, number, own_groups())
    if number in {errno.EAGAIN, errno.EBUSY}:
        return PortBusyError(port, "another program holds it; stop that program")
    if "://" in port:
        return PortMissingError(port, "nobody answers there; check address, cable and power")
    return PortMissingError(port, "not there; check that the adapter is plugged in")


class _DescriptorPort:
    """A port that the event loop watches by its descriptor."""

    def __init__(
        self, device: Device, descriptor: int, port: str, wake: Callable[[], None]
    ) -> None:
        self._device = device
        self._descriptor = descriptor
        self._port = port
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._arrived = bytearray()
        self._ended: PortError | None = None
        self._is_watched = False
        self._is_open = True
        self._watch()

    def take(self) -> bytes:
        data = bytes(self._arrived)
        self._arrived.clear()
        if not data and self._ended is not None:
            raise self._ended
        if self._ended is None:
            self._watch()
        return data

    async def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            if self._ended is not None:
                raise self._ended
            try:
                written = os.write(self._descriptor, rest)
            except (BlockingIOError, InterruptedError):
                await self._room()
            except OSError as error:
                self._end(error.strerror or "write failed")
            else:
                rest = rest[written:]

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._ended = self._ended or PortClosedError(self._port, "closed by us")
        self._unwatch()
        _close_beside(self._device)

    def _watch(self) -> None:
        if not self._is_watched:
            self._is_watched = True
            self._loop.add_reader(self._descriptor, self._readable)

    def _unwatch(self) -> None:
        if self._is_watched:
            self._is_watched = False
            self._loop.remove_reader(self._descriptor)

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, READ_BYTES_MAX)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error.strerror or "read failed")
            return
        if not data:
            self._end("hung up")
            return
        self._arrived += data
        if len(self._arrived) >= ARRIVED_BYTES_MAX:
            self._unwatch()
        self._wake()

    def _end(self, reason: str) -> None:
        self._ended = PortClosedError(self._port, f"unplugged or hung up ({reason})")
        self._unwatch()
        self._wake()

    async def _room(self) -> None:
        has_room = asyncio.Event()
        self._loop.add_writer(self._descriptor, has_room.set)
        try:
            async with asyncio.timeout(WRITE_S_MAX):
                await has_room.wait()
        except TimeoutError as error:
            raise PortStalledError(
                self._port, "takes no bytes; check flow control and power"
            ) from error
        finally:
            self._loop.remove_writer(self._descriptor)


class _ThreadPort:
    """A port without a descriptor (rfc2217://, loop://), read by one bounded thread."""

    def __init__(self, device: serial.SerialBase, port: str, wake: Callable[[], None]) -> None:
        self._device = device
        self._port = port
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._arrived = bytearray()
        self._ended: PortError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"port {port}", daemon=True)
        self._thread.start()

    def take(self) -> bytes:
        with self._lock:
            data = bytes(self._arrived)
            self._arrived.clear()
        if not data and self._ended is not None:
            raise self._ended
        return data

    async def write(self, data: bytes) -> None:
        if self._ended is not None:
            raise self._ended
        try:
            await self._loop.run_in_executor(_threads, self._device.write, data)
        except serial.SerialTimeoutException as error:
            raise PortStalledError(self._port, "takes no bytes; check power") from error
        except OSError as error:
            raise PortClosedError(self._port, f"hung up ({error})") from error

    def close(self) -> None:
        self._stop.set()
        self._ended = self._ended or PortClosedError(self._port, "closed by us")

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                data = self._device.read(READ_BYTES_MAX)
            except OSError as error:
                self._ended = PortClosedError(self._port, f"hung up ({error})")
                self._call_wake()
                break
            if data:
                self._keep(data)
        _close_device(self._device)

    def _keep(self, data: bytes) -> None:
        while not self._stop.is_set():
            with self._lock:
                if len(self._arrived) < ARRIVED_BYTES_MAX:
                    self._arrived += data
                    break
            self._stop.wait(THREAD_READ_S)
        self._call_wake()

    def _call_wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, at any moment
            self._loop.call_soon_threadsafe(self._wake)
