"""What a technician tells the running box: a line of JSON over a socket only its user may open."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Never

from edge.status import NotRunningError, short_path

SOCKET: Final = "control.sock"
REQUEST_BYTES_MAX: Final = 4_096
ANSWER_BYTES_MAX: Final = 64 * 1024
ASK_S_MAX: Final = 5.0
ONLY_OURS: Final = 0o177  # taken off: nobody but the box's own user reads or writes

Act = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def serve_control(folder: Path, act: Act) -> Never:
    """Answer every request with what came of it, until cancelled."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with (
            contextlib.closing(writer),
            contextlib.suppress(ConnectionError, TimeoutError, ValueError),
        ):
            async with asyncio.timeout(ASK_S_MAX):
                request = json.loads(await reader.readline())
            outcome = await act(request if isinstance(request, dict) else {})
            writer.write(json.dumps(outcome, ensure_ascii=False).encode() + b"\n")
            async with asyncio.timeout(ASK_S_MAX):
                await writer.drain()

    with short_path(folder, SOCKET) as path:
        door = _bind(path)
        server = await asyncio.start_unix_server(answer, sock=door, limit=REQUEST_BYTES_MAX)
        try:
            await server.serve_forever()
        finally:
            server.close()
            _remove(path)
    raise AssertionError("serving never ends by itself")


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def _bind(path: str) -> socket.socket:
    _remove(path)
    door = socket.socket(socket.AF_UNIX)
    before = os.umask(ONLY_OURS)
    try:
        door.bind(path)
    finally:
        os.umask(before)
    return door


def tell_box(folder: Path, request: dict[str, Any], wait_s: float) -> dict[str, Any]:
    """Tell the box that runs with this data folder, and wait for what comes of it.

    Raises:
        NotRunningError: none answers, or not in time.
    """
    try:
        with short_path(folder, SOCKET) as path, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(wait_s)
            line.connect(path)
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as answer:
                said: dict[str, Any] = json.loads(answer.readline(ANSWER_BYTES_MAX))
                return said
    except (OSError, ValueError) as error:
        raise NotRunningError(str(error)) from error
