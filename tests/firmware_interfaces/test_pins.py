"""No GPIO chip is at hand: a stand-in for the kernel's pins, and the real opening's refusals."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from firmware_interfaces.contacts.codec import Level, LevelReader, written
from firmware_interfaces.contacts.settings import ContactsLine
from firmware_interfaces.errors import PortClosedError, PortError, PortMissingError, PortOptionError
from firmware_interfaces.pins import PinPort, open_pins


class StandInPins:
    """Pins whose moves a pipe announces, as the kernel's descriptor does."""

    def __init__(self) -> None:
        self.read_end, self._write_end = os.pipe()
        self.levels = {17: True, 27: False, 22: False}
        self.waiting: list[Level] = []
        self.is_gone = self.is_closed = False

    def move(self, pin: int, is_high: bool) -> None:
        self.levels[pin] = is_high
        self.waiting.append(Level(pin, is_high))
        os.write(self._write_end, b"!")

    def go(self) -> None:
        self.is_gone = True
        os.write(self._write_end, b"!")

    def fileno(self) -> int:
        return self.read_end

    def moves(self) -> list[Level]:
        if self.is_gone:
            raise OSError(19, "No such device")
        os.read(self.read_end, 100)
        moved, self.waiting = self.waiting, []
        return moved

    def inputs(self) -> list[Level]:
        return [Level(pin, self.levels[pin]) for pin in (17, 27)]

    def switch(self, level: Level) -> Level | None:
        if self.is_gone:
            raise OSError(19, "No such device")
        if level.pin != 22:
            return None
        self.levels[22] = level.is_high
        return level

    def close(self) -> None:
        self.is_closed = True
        os.close(self.read_end)
        os.close(self._write_end)


def test_levels_are_told_at_once_and_whenever_they_move() -> None:
    async def run() -> None:
        pins, woken = StandInPins(), asyncio.Event()
        port = PinPort(pins, "/dev/gpiochip0", woken.set)
        assert LevelReader().feed(port.take()) == [Level(17, True), Level(27, False)]
        woken.clear()
        pins.move(17, False)
        async with asyncio.timeout(60):
            await woken.wait()
        assert LevelReader().feed(port.take())[0] == Level(17, False)
        await port.write(written(Level(22, True)) + written(Level(99, True)))
        assert LevelReader().feed(port.take()) == [Level(22, True)]
        port.close()
        port.close()
        assert pins.is_closed
        with pytest.raises(PortClosedError):
            port.take()

    asyncio.run(run())


def test_a_chip_that_is_gone_ends_the_port() -> None:
    async def run() -> None:
        pins, woken = StandInPins(), asyncio.Event()
        port = PinPort(pins, "/dev/gpiochip0", woken.set)
        port.take()
        woken.clear()
        pins.go()
        async with asyncio.timeout(60):
            await woken.wait()
        with pytest.raises(PortClosedError, match="chip is gone"):
            port.take()
        with pytest.raises(PortClosedError):
            await port.write(written(Level(22, True)))
        port.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "wanted"), [("nothing", PortMissingError), ("file", PortOptionError)]
)
def test_what_is_no_chip_is_refused(tmp_path: Path, name: str, wanted: type[PortError]) -> None:
    (tmp_path / "file").touch()
    table: dict[str, Any] = {"family": "contacts", "devices": [{"name": "a", "contact": 17}]}
    line = ContactsLine.model_validate(table | {"port": str(tmp_path / name)})
    with pytest.raises(wanted):
        open_pins(line)
