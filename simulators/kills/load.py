"""Kiosks on PTYs that scan as fast as the box says good: what they heard is what was accepted."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from firmware_interfaces.observations import Seen
from simulators.devices.scanner import Answered, Scanner
from simulators.devices.wire import PtyWire

PROBE: Final = "not-a-code"
PROBE_S: Final = 0.3
QUIET_S: Final = 0.5
ANSWER_S_MAX: Final = 2.0


class Kiosk(Scanner):
    """A scanner that knows which of its codes the box has said good to.

    Attributes:
        good: how often, by code.
    """

    def __init__(self, name: str, codes: Sequence[str]) -> None:
        super().__init__(name)
        self.good: Counter[str] = Counter()
        self._codes = itertools.cycle(codes)
        self._heard_s = 0.0

    def hear(self, data: bytes) -> None:
        """Note that the box spoke, and what it said."""
        self._heard_s = time.monotonic()
        super().hear(data)

    def crossed(self) -> Counter[str]:
        """Count what really went to the box, by code."""
        return Counter(e.value for e in self.emitted if e.seen is Seen.CODE and e.value != PROBE)

    async def work(self, period_s: float, is_done: asyncio.Event) -> None:
        """Scan code after code, one in each period, or one as soon as the last was answered."""
        await self._find_box(is_done)
        while not is_done.is_set():
            began_s = time.monotonic()
            code = next(self._codes)
            if await self.scan(code, ANSWER_S_MAX) is Answered.GOOD:
                self.good[code] += 1
                await asyncio.sleep(max(0.0, began_s + period_s - time.monotonic()))
            else:
                await self._find_box(is_done)

    async def _find_box(self, is_done: asyncio.Event) -> None:
        """Wait for a box that answers, then until it has answered everything it found waiting.

        A beep does not say which code it is for: without this a late one could be taken for that
        of the next scan.
        """
        while not is_done.is_set():
            if await self.scan(PROBE, PROBE_S) is not Answered.NOTHING:
                break
        while not is_done.is_set():
            quiet_s = time.monotonic() - self._heard_s
            if quiet_s >= QUIET_S:
                break
            await asyncio.sleep(QUIET_S - quiet_s)


class Load:
    """A row of kiosks with a wire each.

    Attributes:
        kiosks: in order.
        tables: what box.toml says of them, once the wires are plugged.
    """

    def __init__(self, folder: Path, codes: Sequence[str], count: int, place: str = "") -> None:
        """Prepare so many kiosks; a place sets their names apart from those of other boxes."""
        names = [f"{place}kiosk-{i}" for i in range(count)]
        self.kiosks = [Kiosk(name, codes[i::count]) for i, name in enumerate(names)]
        self._wires = [PtyWire([kiosk], folder / f"tty-{kiosk.name}") for kiosk in self.kiosks]
        self.tables = ""

    @property
    def accepted(self) -> int:
        """How many scans were said good to."""
        return sum(kiosk.good.total() for kiosk in self.kiosks)

    async def __aenter__(self) -> Self:
        """Plug every wire in."""
        for wire in self._wires:
            await wire.__aenter__()
            name = wire.devices[0].name
            self.tables += (
                f'[[kiosk]]\nscanner = "{name}"\n'
                f'[[line]]\nfamily = "scanner"\nport = "{wire.url}"\n'
                f'devices = [{{ name = "{name}", ends = "cr", beeps = "honeywell" }}]\n'
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Unplug every wire."""
        for wire in self._wires:
            await wire.__aexit__()
