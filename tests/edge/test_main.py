"""What the command `run` does around a box: it begins anew when its journal is found damaged."""

import asyncio
from pathlib import Path

from edge.__main__ import keep_running
from edge.config import BoxSettings, read_settings
from edge.opening import Opened, open_all
from tests.edge.stand_in import box_toml


def test_a_box_that_begins_anew_works_by_the_settings_that_it_last_took(tmp_path: Path) -> None:
    path = box_toml(tmp_path, "mqtt://127.0.0.1:1", ("/none/a", "/none/b", "/none/c"))
    at_start = read_settings(path)
    path.write_text(path.read_text().replace('codes = "any"', 'codes = "any", idle_ms = 300'))
    reloaded = read_settings(path)
    assert reloaded != at_start
    worked_by: list[BoxSettings] = []
    epochs: list[bytes] = []

    class Box:
        """Takes new settings, and finds its journal damaged the first time."""

        def __init__(self, settings: BoxSettings, opened: Opened, config: Path) -> None:
            assert config == path
            self.settings = settings
            self.is_damaged = False
            self._opened = opened

        async def run(self) -> None:
            worked_by.append(self.settings)
            epochs.append(self._opened.journal.origin.epoch)
            await asyncio.sleep(0)
            self.settings = reloaded
            self.is_damaged = len(worked_by) == 1
            self._opened.journal.close()
            self._opened.learned.close()

    at_start.data.mkdir(exist_ok=True)
    keep_running(Box, at_start, open_all(at_start), path)
    assert worked_by == [at_start, reloaded]
    assert epochs[0] != epochs[1]
    assert (at_start.data / "journal-damaged-1.db").exists()
