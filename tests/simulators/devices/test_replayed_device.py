import asyncio
from pathlib import Path

from firmware_interfaces.observations import OpenCompartment, Seen
from simulators.devices.replayed_device import ReplayedDevice
from simulators.devices.wire import PtyWire
from tests.firmware_interfaces.discovery.test_capture import TABLE, captured
from tests.firmware_interfaces.worlds import Box, line_for


def test_a_capture_is_said_again_and_seen_as_it_was(tmp_path: Path) -> None:
    device = ReplayedDevice("device", captured(tmp_path))

    async def play() -> None:
        async with PtyWire([device], tmp_path / "again") as wire:
            line = line_for(TABLE, wire.url)
            async with Box(line) as box:
                await box.until(Seen.BACK)
                line.tell(OpenCompartment("device", 3))
                assert (await box.until(Seen.DOOR_OPENED)).part == 3

    asyncio.run(play())


def test_what_came_by_itself_comes_by_time() -> None:
    device = ReplayedDevice("d", ['{"ms": 0, "from": "device", "hex": "41"}'])
    sent: list[bytes] = []
    device.send = lambda data, _=None: sent.append(data)
    assert not device.is_over
    device.time_passed()
    device.hear(b"x")
    assert (sent, device.is_over) == ([b"A"], True)
