import asyncio
from pathlib import Path

import pytest

from edge.config import read_settings
from simulators.kills.stage import NAMES, Stage

pytestmark = pytest.mark.broker


def test_broker_and_headquarters_die_alone_and_come_back(tmp_path: Path) -> None:
    async def act() -> None:
        async with Stage(tmp_path) as stage:
            codes = await stage.book(3)
            assert sorted(codes.values()) == [(f"o-{i:05d}", "task_started") for i in range(3)]
            await stage.broker.kill()
            assert stage.headquarters.is_running
            stage.wipe_broker()
            assert not (tmp_path / "broker/store").exists()
            await stage.start_broker()
            await stage.headquarters.kill()
            assert stage.broker.is_running
            await stage.start_headquarters()
            assert await stage.directives_waiting() >= 3
            settings = read_settings(stage.write_box(""))
            assert (settings.company, settings.site, settings.box) == NAMES

    asyncio.run(act())
