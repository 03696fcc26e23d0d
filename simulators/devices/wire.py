"""Cables between the box and simulated devices: PTYs and sockets, paced and noisy on request."""

import asyncio
import contextlib
import os
import pty
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from simulators.devices.far_device import FarDevice
from simulators.devices.faults import RESET_S, Faults, Misfortune, Noise

BITS_PER_BYTE = 10  # start, eight data, stop
TICK_S = 0.02
CHUNK_S = 0.001
READ_BYTES_MAX = 4_096
QUEUED_COUNT_MAX = 1_024  # messages that wait for a slow wire; more are dropped


def pty_pair(link: Path) -> tuple[int, int]:
    """Open a PTY and point `link` at the end that the box opens; gives (our fd, its fd).

    The second descriptor is kept open so that the first survives the box closing its end.
    """
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    fresh = link.with_name(link.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.ttyname(theirs))
    fresh.replace(link)
    return ours, theirs


class Wire:
    """One cable with its devices; everybody on it hears everything the box says.

    Attributes:
        devices: who is on it.
        url: the `port` that the box's settings must name.
    """

    def __init__(
        self, devices: Sequence[FarDevice], *, baud: int | None = None, faults: Faults | None = None
    ) -> None:
        self.devices = tuple(devices)
        self.url = ""
        self._baud = baud
        self._to_box = Noise(faults, "to box") if faults else None
        self._from_box = Noise(faults, "from box") if faults else None
        self._misfortune = Misfortune(faults or Faults(), "messages")
        self._powerless_s = 0.0
        self._heard: asyncio.Queue[bytes] = asyncio.Queue(QUEUED_COUNT_MAX)
        self._said: asyncio.Queue[_Message] = asyncio.Queue(QUEUED_COUNT_MAX)
        self._tasks: list[asyncio.Task[None]] = []
        for device in self.devices:
            device.send = self._say

    async def __aenter__(self) -> Self:
        """Plug the cable in and let the devices live."""
        await self.plug()
        for work in (self._hear_loop(), self._say_loop(), self._tick_loop()):
            self._tasks.append(asyncio.create_task(work))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Unplug the cable and stop the devices."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.unplug()

    async def plug(self) -> None:
        """Connect (again) to the box; the url stays the same."""
        raise NotImplementedError

    def unplug(self) -> None:
        """Pull the cable out of the box; may be called twice."""
        raise NotImplementedError

    def write_now(self, data: bytes) -> bool:
        """Put bytes on the cable; False when nobody can take them."""
        raise NotImplementedError

    def arrived(self, data: bytes) -> None:
        """Take in what the box sent."""
        if time.monotonic() < self._powerless_s:
            return
        if self._from_box is not None:
            data = self._from_box.spoil(data)
        with contextlib.suppress(asyncio.QueueFull):
            self._heard.put_nowait(data)

    def _say(self, data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._said.put_nowait((data, crossed))

    async def _hear_loop(self) -> None:
        while True:
            data = await self._heard.get()
            if self._baud is not None:
                await asyncio.sleep(len(data) * BITS_PER_BYTE / self._baud)
            for device in self.devices:
                device.hear(data)

    async def _say_loop(self) -> None:
        while True:
            data, crossed = await self._said.get()
            if time.monotonic() < self._powerless_s or self._lose_power():
                continue
            if delay_s := self._misfortune.delay_s():
                await asyncio.sleep(delay_s)
            data = self._misfortune.befall(data)
            if self._to_box is not None:
                data = self._to_box.spoil(data)
            if await self._write_paced(data) and crossed is not None:
                crossed(data)

    def _lose_power(self) -> bool:
        """Reset every device, if the dice say so: nothing is heard or said meanwhile."""
        if not self._misfortune.is_reset():
            return False
        self._powerless_s = time.monotonic() + RESET_S
        for device in self.devices:
            device.reset()
        return True

    async def _write_paced(self, data: bytes) -> bool:
        if self._baud is None:
            return self.write_now(data)
        began_s = time.monotonic()
        sent = 0
        while sent < len(data):
            await asyncio.sleep(CHUNK_S)
            due = int((time.monotonic() - began_s) * self._baud / BITS_PER_BYTE)
            if due > sent:
                if not self.write_now(data[sent:due]):
                    return False
                sent = min(due, len(data))
        return True

    async def _tick_loop(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for device in self.devices:
                device.time_passed()


_Message = tuple[bytes, Callable[[bytes], None] | None]


class PtyWire(Wire):
    """A cable that the box opens as a serial port, under a path that survives replugging."""

    def __init__(
        self,
        devices: Sequence[FarDevice],
        link: Path,
        *,
        baud: int | None = None,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(devices, baud=baud, faults=faults)
        self.url = str(link)
        self._link = link
        self._descriptors: tuple[int, int] | None = None

    async def plug(self) -> None:
        """Make a new PTY and point the path at it."""
        if self._descriptors is None:
            self._descriptors = pty_pair(self._link)
            ours = self._descriptors[0]
            asyncio.get_running_loop().add_reader(ours, self._readable, ours)

    def unplug(self) -> None:
        """Close the PTY: the box reads EIO and the path leads nowhere."""
        if self._descriptors is None:
            return
        ours, theirs = self._descriptors
        self._descriptors = None
        asyncio.get_running_loop().remove_reader(ours)
        self._link.unlink(missing_ok=True)
        os.close(ours)
        os.close(theirs)

    def write_now(self, data: bytes) -> bool:
        """Write to the PTY; bytes that find no room are lost, as on a UART."""
        if self._descriptors is None:
            return False
        try:
            return os.write(self._descriptors[0], data) == len(data)
        except OSError:
            return False

    def _readable(self, ours: int) -> None:
        with contextlib.suppress(OSError):
            data = os.read(ours, READ_BYTES_MAX)
            if data:
                self.arrived(data)


class SocketWire(Wire):
    """A cable behind a serial server that the box reaches by TCP."""

    def __init__(
        self,
        devices: Sequence[FarDevice],
        *,
        baud: int | None = None,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(devices, baud=baud, faults=faults)
        self.connections: set[asyncio.Transport] = set()
        self._number = 0
        self._server: asyncio.Server | None = None

    async def plug(self) -> None:
        """Listen; the first time on a free TCP port, afterwards on the same."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: _Connection(self), "127.0.0.1", self._number
            )
            self._number = self._server.sockets[0].getsockname()[1]
            self.url = f"socket://127.0.0.1:{self._number}"

    def unplug(self) -> None:
        """Stop listening and hang up."""
        if self._server is not None:
            self._server.close()
            self._server = None
        while self.connections:
            self.connections.pop().abort()

    @property
    def is_plugged(self) -> bool:
        """Whether anybody may connect."""
        return self._server is not None

    def write_now(self, data: bytes) -> bool:
        """Write to whoever is connected."""
        for connection in self.connections:
            connection.write(data)
        return bool(self.connections)


class _Connection(asyncio.Protocol):
    """One box that connected."""

    def __init__(self, wire: SocketWire) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._wire.is_plugged:
            self._wire.connections.add(transport)
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._wire.arrived(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._transport is not None:
            self._wire.connections.discard(self._transport)
