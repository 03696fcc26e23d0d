"""The network between the box and the broker: a TCP proxy that can be cut and healed."""

import asyncio
import contextlib
import socket
import struct
from typing import Final, Self

_READ_BYTES_MAX: Final = 65_536
_LOOK_S: Final = 0.02
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Link:
    """One port on loopback that leads to the broker while the link is whole.

    While it is cut, connections are reset and new ones refused; the port stays ours. While the
    broker itself is down, the port refuses as the broker's own would.

    Attributes:
        port: where the box connects to.
        is_cut: whether the network is down now.
        resets: how many connections a cut has broken.
    """

    def __init__(self, target_host: str, target_port: int) -> None:
        self._target = (target_host, target_port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._socket = _bound(0)
        self.port: int = self._socket.getsockname()[1]
        self.is_cut = True
        self.resets = 0

    async def __aenter__(self) -> Self:
        """Begin whole."""
        await self.heal()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up and give the port back."""
        self.cut()
        self._socket.close()

    async def heal(self) -> None:
        """Let connections through."""
        if self.is_cut:
            self.is_cut = False
            await self._listen()

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        if self.is_cut:
            return
        self.is_cut = True
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._refuse()
        for writer in tuple(self._writers):
            _reset(writer)
            self.resets += 1
        self._writers.clear()

    async def _listen(self) -> None:
        # A cut may come while it begins: by then the server must be known.
        self._server = await asyncio.start_server(
            self._carry, sock=self._socket, start_serving=False
        )
        await self._server.start_serving()

    def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self._socket = _bound(self.port)

    async def _carry(
        self, near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter
    ) -> None:
        self._writers.add(near_writer)
        far = await self._reached()
        if far is None:
            self._drop(near_writer)
            return
        far_reader, far_writer = far
        self._writers.add(far_writer)
        # Two pumps, and whichever ends first ends the other.
        pumps = [
            asyncio.create_task(_pump(near_reader, far_writer)),
            asyncio.create_task(_pump(far_reader, near_writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if (probe := await self._reached()) is not None:
                probe[1].close()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._drop(near_writer)
            self._drop(far_writer)

    async def _reached(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Connect to the broker; if it is down, refuse until it is back."""
        try:
            return await asyncio.open_connection(*self._target)
        except OSError:
            if not self.is_cut and self._waiting is None:
                self._refuse()
                self._waiting = asyncio.create_task(self._await_broker())
            return None

    async def _await_broker(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(*self._target)
                writer.close()
                break
        self._waiting = None
        await self._listen()

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        _reset(writer)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_READ_BYTES_MAX):
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


def _bound(port: int) -> socket.socket:
    """Hold a port without listening on it: whoever connects is refused."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.setblocking(False)
    return bound
