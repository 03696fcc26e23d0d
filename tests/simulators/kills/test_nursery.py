import asyncio
import os
from pathlib import Path

import pytest

from simulators.kills.nursery import ForkedProcess, Nursery

pytestmark = pytest.mark.scenario


def test_a_forked_program_runs_its_own_main_and_can_be_killed(tmp_path: Path) -> None:
    async def act() -> None:
        async with Nursery(tmp_path / "nursery.log") as nursery:
            wrong = ForkedProcess(nursery, "box", ["edge", "run", "--config", "no"], tmp_path / "1")
            await wrong.start(os.environ)
            async with asyncio.timeout(90):
                await wrong.ended()
            assert "no" in wrong.last_words()
            folder = tmp_path / "headquarters"
            options = ["--company", "acme", "--site", "north", "--port", "0"]
            arguments = ["cloud", "run", "--data", str(folder), *options]
            right = ForkedProcess(nursery, "headquarters", arguments, tmp_path / "2")
            await right.start(os.environ)
            first, is_alive = right.pid, right.is_running
            await right.kill()
            assert (is_alive, right.is_running) == (True, False)
            await right.start(os.environ)
            assert right.pid != first
            await right.kill()
            assert await nursery.spent_s() > 0

    asyncio.run(act())
