"""The box: the real program on the site's settings, killed and begun again."""

import asyncio
import time
from pathlib import Path

from agreed.machine import SimulatedDay
from agreed.records import BOX_STARTED, to_records
from agreed.wire import decode_block
from simulators.box import Box, command
from simulators.evidence import is_chained, read_journal
from simulators.site import SimulatedSite


async def came_on_line(site: SimulatedSite) -> bool:
    for _ in range(1_800):
        if site.is_online():
            return True
        await asyncio.sleep(0.05)
    return False


async def starts(box: Box, count: int) -> bool:
    """Wait until the journal tells of that many starts."""
    for _ in range(1_800):
        if box.journal.exists():
            records = [
                record
                for data in read_journal(box.journal).blocks
                for record in to_records(decode_block(data).columns)
            ]
            if sum(record.node_kind == BOX_STARTED for record in records) == count:
                return True
        await asyncio.sleep(0.05)
    return False


def test_the_box_comes_on_line_and_starts_again_after_a_kill(tmp_path: Path) -> None:
    async def play() -> None:
        day = SimulatedDay(1_772_380_800_000_000_000, time.monotonic_ns(), 10)
        async with SimulatedSite(tmp_path / "box", 1) as site:
            site.write_settings("mqtt://127.0.0.1:1", "", "")
            box = Box(tmp_path, site)
            try:
                await box.begin(day)
                assert await came_on_line(site), box.last_words()
                assert await starts(box, 1)
                await box.kill()
                await box.begin(day)
                assert await starts(box, 2), box.last_words()
            finally:
                await box.stop()
            assert is_chained(read_journal(box.journal).blocks)

    asyncio.run(play())


def test_our_own_command_is_run_by_this_python() -> None:
    assert command("edge", "run")[1:] == ["-m", "duifu", "edge", "run"]
