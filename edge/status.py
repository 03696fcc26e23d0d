"""How the box is, and what a technician asks of it: lines of JSON over a socket in its folder."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final, Never

SOCKET: Final = "status.sock"
ANSWER_BYTES_MAX: Final = 1024 * 1024
QUESTION_BYTES_MAX: Final = 4_096
ANSWER_S_MAX: Final = 5.0

Row = dict[str, Any]
Answers = Callable[[Row], AsyncIterator[Row]]
"""What a question is answered with; most have one row, watching has no end."""


class NotRunningError(Exception):
    """No box answers in this data folder."""


async def serve_status(folder: Path, answers: Answers) -> Never:
    """Answer one question a connection, until cancelled; only the box's own user may ask."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with (
            contextlib.closing(writer),
            contextlib.suppress(ConnectionError, TimeoutError, ValueError),
        ):
            async with asyncio.timeout(ANSWER_S_MAX):
                question = json.loads(await reader.readline())
            await _answered(reader, writer, answers(dict(question)))

    with short_path(folder, SOCKET) as path:
        _remove(path)
        server = await asyncio.start_unix_server(answer, path, limit=QUESTION_BYTES_MAX)
        _only_own(path)
        try:
            await server.serve_forever()
        finally:
            server.close()
            _remove(path)
    raise AssertionError("serving never ends by itself")


async def _answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rows: AsyncIterator[Row]
) -> None:
    """Write row after row until there are no more, or nobody listens any more."""
    hung_up = asyncio.create_task(reader.read(1))
    try:
        while not hung_up.done():
            fresh = asyncio.ensure_future(anext(rows, None))  # noqa: TID251 - an awaitable of any kind
            await asyncio.wait((fresh, hung_up), return_when=asyncio.FIRST_COMPLETED)
            if not fresh.done():
                fresh.cancel()
                await asyncio.gather(fresh, return_exceptions=True)
                return
            row = fresh.result()
            if row is None:
                return
            writer.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            async with asyncio.timeout(ANSWER_S_MAX):
                await writer.drain()
    finally:
        hung_up.cancel()
        await asyncio.gather(hung_up, return_exceptions=True)


def ask_box(folder: Path, question: Row) -> Iterator[Row]:
    """Ask the box that runs with this data folder; gives its rows as they come.

    Raises:
        NotRunningError: none answers, or it ended.
    """
    try:
        with short_path(folder, SOCKET) as path, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWER_S_MAX)
            line.connect(path)
            line.sendall(json.dumps(question).encode() + b"\n")
            with line.makefile("rb") as answer:
                while row := answer.readline(ANSWER_BYTES_MAX):
                    yield json.loads(row)
    except (OSError, ValueError) as error:
        raise NotRunningError(str(error)) from error


def ask_once(folder: Path, question: Row) -> Row:
    """Ask for one row.

    Raises:
        NotRunningError: none answers.
    """
    for row in ask_box(folder, question):
        return row
    raise NotRunningError("it hung up")


def ask_status(folder: Path) -> Row:
    """Ask how the box is.

    Raises:
        NotRunningError: none answers.
    """
    return ask_once(folder, {"ask": "status"})


@contextlib.asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[AsyncIterator[Row]]:
    """Listen to what crosses the wires of the running box.

    Raises:
        NotRunningError: none answers.
    """
    try:
        with short_path(folder, SOCKET) as path:
            reader, writer = await asyncio.open_unix_connection(path, limit=ANSWER_BYTES_MAX)
    except OSError as error:
        raise NotRunningError(str(error)) from error
    try:
        writer.write(b'{"ask": "watch"}\n')
        yield _rows(reader)
    finally:
        writer.close()


async def _rows(reader: asyncio.StreamReader) -> AsyncIterator[Row]:
    while line := await reader.readline():
        yield json.loads(line)


def _only_own(path: str) -> None:
    Path(path).chmod(0o600)


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
