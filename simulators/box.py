"""The box as a real process, started from the site's box.toml."""

import os
import sys
from pathlib import Path
from typing import Final

from agreed.machine import SimulatedDay
from simulators.processes import RunningProcess
from simulators.site import SimulatedSite

SIMULATED_DAY: Final = "DUIFU_SIMULATED_DAY"


def command(*arguments: str) -> list[str]:
    """Name our own command with its arguments, in the Python that runs now."""
    return [sys.executable, "-m", "duifu", *arguments]


class Box(RunningProcess):
    """`duifu edge run`, with the day's clock.

    Attributes:
        journal: the file with its journal.
    """

    def __init__(self, folder: Path, site: SimulatedSite) -> None:
        arguments = command("edge", "run", "--config", str(site.settings))
        super().__init__("box", arguments, folder / "box.log")
        self.journal = site.settings.parent / "data" / "journal.db"

    async def begin(self, day: SimulatedDay) -> None:
        """Start it, or start it again, in this day."""
        await self.start({**os.environ, SIMULATED_DAY: str(day)})
