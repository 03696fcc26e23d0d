import asyncio
from pathlib import Path

from firmware_interfaces.discovery.questions import questions
from firmware_interfaces.discovery.scan import Finding, scan
from simulators.devices.door_board import DoorBoard
from simulators.devices.gate_reader import GateReader
from simulators.devices.locker_bank import LockerBank
from simulators.devices.wire import PtyWire
from tests.firmware_interfaces.worlds import KEY


def test_a_reader_describes_itself_above_the_settings_that_are_proposed(
    tmp_path: Path,
) -> None:
    async def play() -> list[Finding]:
        reader = GateReader("gate", key=KEY, address=1)
        wanted = [q for q in questions(2) if (q.family, q.baud) == ("osdp", 9_600)]
        async with PtyWire([reader], tmp_path / "line") as wire:
            return [finding async for finding in scan([wire.url], wanted)]

    (found,) = asyncio.run(play())
    assert "maker 001fd0, model 1, version 1, serial 00000002" in found.described
    assert found.described.endswith("outputs 2, inputs 1, LED 1, buzzer 1, text 1")
    assert found.table("gate").startswith(f"# {found.described}\n[[line]]\n")


def test_what_hangs_on_a_wire_is_found_and_a_missing_port_is_said(tmp_path: Path) -> None:
    async def play() -> list[Finding]:
        devices = [DoorBoard("door", unit=2), LockerBank("bank", compartments=16)]
        wanted = [q for q in questions(2) if q.family in {"modbus", "locker_cu16"}]
        async with PtyWire(devices, tmp_path / "line") as wire:
            ports = [str(tmp_path / "none"), wire.url]
            return [finding async for finding in scan(ports, wanted)]

    missing, *answers = asyncio.run(play())
    assert "not there" in str(missing.fault)
    told = {(one.question.family, one.question.address) for one in answers if one.question}
    assert told == {("modbus", 2), ("locker_cu16", 0)}
