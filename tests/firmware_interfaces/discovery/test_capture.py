import asyncio
from pathlib import Path

import pytest

from firmware_interfaces.discovery.capture import CapturedMachine, Crossing, crossings
from firmware_interfaces.driver import Line
from firmware_interfaces.observations import OpenCompartment, Seen
from simulators.devices.locker_bank import LockerBank
from simulators.devices.wire import PtyWire
from tests.firmware_interfaces.worlds import Box, line_for

TABLE = {"family": "locker_cu16", "devices": [{"name": "device", "compartments": 16}]}


def captured(folder: Path) -> list[str]:
    """Open a compartment of a simulated bank, and keep what crossed the wire."""
    lines: list[str] = []

    async def play() -> None:
        bank = LockerBank("device", compartments=16)
        async with PtyWire([bank], folder / "line") as wire:
            plain = line_for(TABLE, wire.url)
            line = Line(plain.wiring, CapturedMachine(plain.machine, lines.append))
            async with Box(line) as box:
                await box.until(Seen.BACK)
                line.tell(OpenCompartment("device", 3))
                await box.until(Seen.DOOR_OPENED)
                wire.unplug()
                await box.until(Seen.LOST)

    asyncio.run(play())
    return lines


def test_what_crosses_a_wire_and_what_was_observed_is_kept(tmp_path: Path) -> None:
    lines = captured(tmp_path)
    both = list(crossings([*lines, ""]))
    assert b"\x02\x02\x31\x03\x38" in [one.data for one in both if not one.is_from_device]
    assert any(one.is_from_device for one in both)
    assert [one.ms for one in both] == sorted(one.ms for one in both)
    assert any('"seen": "DOOR_OPENED"' in line and '"part": 3' in line for line in lines)


@pytest.mark.parametrize(
    "line", ["{", '{"hex": "zz", "ms": 1, "from": "box"}', '{"hex": "00"}', "3"]
)
def test_a_line_that_is_no_capture_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        list(crossings(['{"ms": 1, "from": "box", "hex": "00"}', line]))


def test_a_crossing_is_read() -> None:
    line = '{"ms": 12, "from": "device", "hex": "0203"}'
    assert list(crossings([line])) == [Crossing(12, True, b"\x02\x03")]
