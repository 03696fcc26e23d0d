"""A technician tells the running box something, over a socket that only its user may open."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from edge.control import SOCKET, serve_control, tell_box
from edge.status import NotRunningError
from tests.edge.stand_in import until


async def _act(request: dict[str, Any]) -> dict[str, Any]:
    return {"heard": request}


def test_the_box_answers_what_came_of_it(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    (folder / SOCKET).touch()  # what a killed box leaves behind

    async def scene() -> None:
        task = asyncio.create_task(serve_control(folder, _act))
        await until((folder / SOCKET).is_socket)
        assert (folder / SOCKET).stat().st_mode & 0o077 == 0
        said = await asyncio.to_thread(tell_box, folder, {"act": "x"}, 60.0)
        assert said == {"heard": {"act": "x"}}
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
    with pytest.raises(NotRunningError):
        tell_box(folder, {}, 1.0)


@pytest.mark.parametrize("line", [b"nonsense\n", b"[" * 5_000 + b"\n", b"\xff\n", b""])
def test_a_request_that_is_none_harms_nobody(tmp_path: Path, line: bytes) -> None:
    async def scene() -> None:
        task = asyncio.create_task(serve_control(tmp_path, _act))
        await until((tmp_path / SOCKET).is_socket)
        reader, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
        writer.write(line)
        writer.write_eof()
        await reader.read()
        writer.close()
        said = await asyncio.to_thread(tell_box, tmp_path, {"act": "x"}, 60.0)
        assert said == {"heard": {"act": "x"}}
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())


def test_a_box_that_ends_hangs_up_on_whoever_still_waits(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def never(_request: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def scene() -> None:
        task = asyncio.create_task(serve_control(tmp_path, never))
        await until((tmp_path / SOCKET).is_socket)
        asking = asyncio.create_task(asyncio.to_thread(tell_box, tmp_path, {"act": "x"}, 60.0))
        await asked.wait()
        for one in asyncio.all_tasks() - {asking, asyncio.current_task()}:  # as the box ends
            one.cancel()
        with pytest.raises(NotRunningError):
            await asking
        assert task.cancelled()

    asyncio.run(scene())
