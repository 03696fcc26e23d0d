"""The running box answers on a socket in its data folder, however long the folder's name."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.status import SOCKET, NotRunningError, Row, ask_box, ask_status, serve_status, watching
from tests.edge.stand_in import until


def test_a_running_box_answers_and_a_stopped_one_does_not(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    (folder / SOCKET).touch()  # what a killed box leaves behind

    async def say(question: Row) -> AsyncIterator[Row]:
        yield {"box": "东门", "ask": question["ask"]}
        if question["ask"] == "watch":
            for number in range(3):
                yield {"row": number}

    async def act() -> None:
        task = asyncio.create_task(serve_status(folder, say))
        await until((folder / SOCKET).is_socket)
        for _ in range(3):
            assert await asyncio.to_thread(ask_status, folder) == {"box": "东门", "ask": "status"}
        rows = await asyncio.to_thread(lambda: list(ask_box(folder, {"ask": "watch"})))
        assert [row.get("row") for row in rows] == [None, 0, 1, 2]
        async with watching(folder) as heard:
            assert [row.get("row") async for row in heard] == [None, 0, 1, 2]
        assert (folder / SOCKET).stat().st_mode & 0o077 == 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with pytest.raises(NotRunningError):
        ask_status(folder)
    asyncio.run(act())
    with pytest.raises(NotRunningError):
        ask_status(folder)
    with pytest.raises(NotRunningError):
        ask_status(tmp_path / "none")
