"""Every family keeps the same promises, over a serial line and over a socket."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from firmware_interfaces.observations import Admit, Answer, Command, OpenCompartment, Seen
from simulators.devices.far_device import FarDevice
from simulators.devices.scanner import Scanner
from tests.firmware_interfaces.worlds import FAMILIES, WAIT_S_MAX, Box, Family, line_for, make_wire


@dataclass
class Case:
    family: Family
    kind: str
    folder: Path

    def wire(self, *devices: FarDevice, **options: Any) -> Any:
        return make_wire(self.kind, list(devices), self.folder, **options)


# These run the machine of another family, so one port is enough for them.
RELATIVES = {"locker_wkly", "scanner_newland", "scanner_wedge", "osdp_listen"}
PORTS = dict.fromkeys(RELATIVES, ("pty",)) | {"ble": ("air",), "uhppote": ("udp",)}
CASES = [(name, kind) for name in FAMILIES for kind in PORTS.get(name, ("pty", "socket"))]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    name, kind = request.param
    return Case(FAMILIES[name], kind, tmp_path)


FOREIGN: dict[Seen, Command] = {
    Seen.CARD: Answer("device", is_good=True),
    Seen.DOOR_OPENED: Admit("device"),
    Seen.CODE: OpenCompartment("device", 1),
}


def test_what_a_device_says_is_observed_once(case: Case) -> None:
    async def play() -> None:
        device = case.family.make()
        async with case.wire(device) as wire, Box(line_for(case.family.table, wire.url)) as box:
            await box.until(Seen.BACK)
            for count in (1, 2, 3):
                case.family.speak(device, count)
                observation = await box.until(case.family.seen, count)
                assert (observation.value, observation.part) == case.family.value_of(count)
            said = [(e.seen, e.value, e.part) for e in device.emitted if e.seen is case.family.seen]
            observed = [(o.seen, o.value, o.part) for o in box.seen(case.family.seen)]
            assert observed[: len(said)] == said

    asyncio.run(play())


def test_unplugged_is_lost_once_and_replugged_is_back_once(case: Case) -> None:
    async def play() -> None:
        device = case.family.make()
        async with case.wire(device) as wire, Box(line_for(case.family.table, wire.url)) as box:
            await box.until(Seen.BACK)
            wire.unplug()
            await box.until(Seen.LOST)
            await asyncio.sleep(0.3)  # time for a vain attempt to open it
            await wire.plug()
            await box.until(Seen.BACK, 2)
            case.family.speak(device, 7)
            await box.until(case.family.seen)
            presence = [o.seen for o in box.observed if o.seen in {Seen.LOST, Seen.BACK}]
            assert presence == [Seen.BACK, Seen.LOST, Seen.BACK]
            assert box.lines[0].fault is None

    asyncio.run(play())


def test_a_port_that_was_never_there_is_lost_once(case: Case) -> None:
    async def play() -> None:
        device = case.family.make()
        async with case.wire(device) as wire:
            wire.unplug()
            async with Box(line_for(case.family.table, wire.url)) as box:
                await box.until(Seen.LOST)
                assert box.lines[0].fault is not None
                await wire.plug()
                await box.until(Seen.BACK)
                assert len(box.seen(Seen.LOST)) == 1

    asyncio.run(play())


def test_a_command_to_a_lost_device_is_refused_and_never_carried_out(case: Case) -> None:
    async def play() -> None:
        device = case.family.make()
        async with case.wire(device) as wire, Box(line_for(case.family.table, wire.url)) as box:
            await box.until(Seen.BACK)
            wire.unplug()
            await box.until(Seen.LOST)
            for command in (Admit("device"), OpenCompartment("device", 2)):
                assert box.lines[0].tell(command)
            await box.until(Seen.REFUSED_BY_DEVICE, 2)
            await wire.plug()
            await box.until(Seen.BACK, 2)
            assert not box.seen(Seen.ADMITTED)
            assert not box.seen(Seen.DOOR_OPENED)

    asyncio.run(play())


def test_a_command_for_another_kind_of_device_is_refused(case: Case) -> None:
    async def play() -> None:
        device = case.family.make()
        async with case.wire(device) as wire, Box(line_for(case.family.table, wire.url)) as box:
            await box.until(Seen.BACK)
            box.lines[0].tell(case.family.foreign or FOREIGN[case.family.seen])
            assert (await box.until(Seen.REFUSED_BY_DEVICE)).value

    asyncio.run(play())


def test_garbage_harms_neither_the_line_nor_its_neighbour(case: Case) -> None:
    async def play() -> None:
        device, neighbour = case.family.make(), Scanner("neighbour")
        dice = Random(1)
        table = {"family": "scanner", "devices": [{"name": "neighbour", "codes": "any"}]}
        beside = make_wire("socket", [neighbour], case.folder)
        async with case.wire(device) as wire, beside:
            lines = line_for(case.family.table, wire.url), line_for(table, beside.url)
            async with Box(*lines) as box:
                await box.until(Seen.BACK, device="device")
                await box.until(Seen.BACK, device="neighbour")
                for number in range(20):
                    wire.write_now(dice.randbytes(200))
                    neighbour.read_out(f"BESIDE-{number}")
                    await asyncio.sleep(0.01)
                await box.until(Seen.CODE, 20, device="neighbour")
                wire.write_now(b"\r")
                await asyncio.sleep(0.5)
                async with asyncio.timeout(WAIT_S_MAX):
                    while not case.family.is_heard(device):  # noqa: ASYNC110  # rings no bell
                        await asyncio.sleep(0.01)
                case.family.speak(device, 9)
                value, part = case.family.value_of(9)
                await box.until_said(case.family.seen, value, part)

    asyncio.run(play())
