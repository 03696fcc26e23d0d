import asyncio
from collections.abc import Callable
from pathlib import Path

from simulators.devices.scanner import BAD, GOOD
from simulators.kills.load import PROBE, Kiosk, Load


class Box:
    """Hears scans; says what it is told to, when it is told to."""

    def __init__(self, kiosk: Kiosk) -> None:
        self.kiosk = kiosk
        self.is_alive = False
        self.waiting: list[str] = []
        self.journaled: list[str] = []
        kiosk.send = self.send

    def send(self, data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
        if crossed is not None:
            crossed(data)
        self.waiting.append(data.decode().strip())
        if self.is_alive:
            asyncio.get_running_loop().call_soon(self.answer)

    def answer(self) -> None:
        while self.waiting:
            code = self.waiting.pop(0)
            if code != PROBE:
                self.journaled.append(code)
            self.kiosk.hear(BAD if code == PROBE else GOOD)


def test_a_late_good_is_not_taken_for_that_of_the_next_scan() -> None:
    async def act() -> None:
        kiosk = Kiosk("kiosk-0", ["a", "b", "c"])
        box = Box(kiosk)
        is_done = asyncio.Event()
        async with asyncio.timeout(90), asyncio.TaskGroup() as group:
            group.create_task(kiosk.work(0.01, is_done))
            await asyncio.sleep(0.5)
            box.is_alive = True
            await asyncio.sleep(1.0)
            box.is_alive = False  # dies with a scan in its hands
            await asyncio.sleep(2.5)
            box.is_alive = True
            box.answer()
            await asyncio.sleep(1.0)
            is_done.set()
        assert 0 < kiosk.good.total() <= len(box.journaled) <= kiosk.crossed().total()
        assert all(count <= box.journaled.count(code) for code, count in kiosk.good.items())

    asyncio.run(act())


def test_every_kiosk_has_its_own_wire_and_its_own_codes(tmp_path: Path) -> None:
    async def act() -> None:
        async with Load(tmp_path, ["a", "b", "c", "d"], 2) as load:
            assert load.tables.count("[[kiosk]]") == load.tables.count("[[line]]") == 2
            assert [kiosk.name for kiosk in load.kiosks] == ["kiosk-0", "kiosk-1"]

    asyncio.run(act())
