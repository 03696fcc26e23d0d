"""How the box is: one line of JSON over a socket in the data folder; nothing is written."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, Never

SOCKET: Final = "status.sock"
ANSWER_BYTES_MAX: Final = 1024 * 1024
ANSWER_S_MAX: Final = 5.0

Say = Callable[[], Awaitable[dict[str, Any]]]


class NotRunningError(Exception):
    """No box answers in this data folder."""


async def serve_status(folder: Path, say: Say) -> Never:
    """Answer every connection with one line, until cancelled."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(ANSWER_S_MAX):
                writer.write(json.dumps(await say(), ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        writer.close()

    with short_path(folder, SOCKET) as path:
        _remove(path)
        server = await asyncio.start_unix_server(answer, path)
        try:
            await server.serve_forever()
        finally:
            server.close()
            _remove(path)
    raise AssertionError("serving never ends by itself")


def ask_status(folder: Path) -> dict[str, Any]:
    """Ask the box that runs with this data folder.

    Raises:
        NotRunningError: none answers.
    """
    try:
        with short_path(folder, SOCKET) as path, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWER_S_MAX)
            line.connect(path)
            with line.makefile("rb") as answer:
                said: dict[str, Any] = json.loads(answer.readline(ANSWER_BYTES_MAX))
                return said
    except (OSError, ValueError) as error:
        raise NotRunningError(str(error)) from error


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)


@contextlib.contextmanager
def short_path(folder: Path, name: str) -> Iterator[str]:
    """Name a socket in few characters: the system allows about a hundred, folders are longer."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)
