"""Processes: started with their own variables, killed alone, stopped with all they started."""

import asyncio
import os
import sys
from pathlib import Path

from simulators.processes import RunningProcess, kill_by_pid

PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.environ["WORD"], child.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def started(folder: Path) -> tuple[RunningProcess, int]:
    process = RunningProcess("parent", [sys.executable, "-c", PARENT], folder / "log")
    await process.start({**os.environ, "WORD": "hello"})
    async with asyncio.timeout(90):
        while not process.last_words():  # noqa: ASYNC110 - it speaks when it has begun
            await asyncio.sleep(0.01)
    word, child = process.last_words().split()
    assert word == "hello"
    return process, int(child)


async def gone(pid: int) -> bool:
    for _ in range(6_000):
        if not is_alive(pid):
            return True
        await asyncio.sleep(0.01)
    return False


def test_stopping_ends_everything_that_was_started(tmp_path: Path) -> None:
    async def play() -> None:
        process, child = await started(tmp_path)
        assert process.is_running
        assert is_alive(child)
        await process.stop()
        assert process.last_words()
        assert await gone(child)
        assert not is_alive(process.pid)
        await process.stop()

    asyncio.run(play())


def test_killing_ends_one_process_alone(tmp_path: Path) -> None:
    async def play() -> None:
        process, child = await started(tmp_path)
        first = process.pid
        await process.kill()
        await process.kill()
        assert not is_alive(first)
        assert is_alive(child)
        await process.start({**os.environ, "WORD": "again"})
        assert process.pid != first
        await process.stop()
        assert kill_by_pid(child)
        assert await gone(child)

    asyncio.run(play())


def test_nothing_is_said_of_a_process_that_never_was(tmp_path: Path) -> None:
    process = RunningProcess("nothing", ["true"], tmp_path / "log")
    assert (process.pid, process.is_running, process.last_words()) == (0, False, "")
    asyncio.run(process.stop())
    assert not kill_by_pid(2**22 - 1)
