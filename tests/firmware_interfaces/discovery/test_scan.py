import asyncio
from pathlib import Path

from firmware_interfaces.discovery.questions import questions
from firmware_interfaces.discovery.scan import Finding, scan
from simulators.devices.door_board import DoorBoard
from simulators.devices.locker_bank import LockerBank
from simulators.devices.wire import PtyWire


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
