import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from firmware_interfaces.garbage import BYTES_COUNT_MIN, GARBLED, Garbage
from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice
from simulators.devices.wire import PtyWire
from tests.firmware_interfaces.worlds import FAMILIES, Box, line_for

NOISE = bytes(range(0xF0, 0xF0 + BYTES_COUNT_MIN))
ASKED = {
    "osdp": "no secure channel",
    "locker": "board 0",
    "locker_wkly": "board 0",
    "modbus": "unit 1",
}


class Misheard(FarDevice):
    """Answers everything with what a wrong baud makes of an answer."""

    def __init__(self) -> None:
        super().__init__("device")
        self._dice = random.Random(9)

    def hear(self, data: bytes) -> None:
        self.send(self._dice.randbytes(max(len(data), BYTES_COUNT_MIN)))


class Echoing(FarDevice):
    """An adapter that hears itself, and nobody behind it."""

    def hear(self, data: bytes) -> None:
        self.send(data)


def test_only_enough_bytes_that_nobody_understands_are_garbage() -> None:
    garbage = Garbage()
    assert garbage.reason("silent") == "silent"
    garbage.heard(NOISE[1:], is_understood=False)
    assert garbage.reason("silent") == "silent"
    garbage.heard(NOISE[:1], is_understood=False)
    assert garbage.reason("silent") == GARBLED
    garbage.heard(b"", is_understood=True)
    assert garbage.reason("silent") == "silent"


def test_an_echo_in_pieces_is_no_garbage_and_what_follows_it_is() -> None:
    garbage = Garbage()
    garbage.sent(b"a request of ours")
    garbage.heard(b"a requ", is_understood=False)
    garbage.sent(b"")
    garbage.heard(b"est of ours", is_understood=False)
    assert garbage.reason("silent") == "silent"
    garbage.heard(NOISE, is_understood=False)
    assert garbage.reason("silent") == GARBLED
    garbage.line_opened()
    assert garbage.reason("silent") == "silent"


async def _reason(device: FarDevice, table: dict[str, Any], folder: Path) -> str:
    wire = PtyWire([device], folder / "line")
    async with wire, Box(line_for(table, wire.url)) as box:
        return (await box.until(Seen.LOST)).value


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_family_that_asks_tells_garbage_from_silence(name: str, tmp_path: Path) -> None:
    table = FAMILIES[name].table

    async def scene() -> list[str]:
        folders = [tmp_path / kind for kind in ("garbled", "silent", "echoing")]
        for folder in folders:
            folder.mkdir()
        devices = (Misheard(), FarDevice("device"), Echoing("device"))
        pairs = zip(devices, folders, strict=True)
        return await asyncio.gather(*(_reason(one, table, folder) for one, folder in pairs))

    assert asyncio.run(scene()) == [GARBLED, ASKED[name], ASKED[name]]
