"""Plays a scenario: its wires exist, its devices live, its acts happen, and all of it is told."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agreed.words import RemedyError, say
from simulators.devices.far_device import FarDevice
from simulators.devices.scenario import Act, Scenario
from simulators.devices.wire import PtyWire

TELL_S: Final = 0.05

Tell = Callable[[dict[str, Any]], None]


async def play(scenario: Scenario, folder: Path, tell: Tell) -> None:
    """Play until the scenario ends, or until cancelled if it does not.

    Args:
        scenario: what is played.
        folder: where the ports appear.
        tell: is told first where each device is, then what crossed to the box.

    Raises:
        RemedyError: a device cannot be made so.
    """
    wires = _wires(scenario, folder)
    async with contextlib.AsyncExitStack() as stack:
        for wire in wires:
            await stack.enter_async_context(wire)
        tell({"ready": {device.name: wire.url for wire in wires for device in wire.devices}})
        await _live(scenario, {device.name: device for w in wires for device in w.devices}, tell)


def _wires(scenario: Scenario, folder: Path) -> list[PtyWire]:
    try:
        return [
            PtyWire(
                [device.make() for device in table.devices],
                folder / table.link,
                baud=table.baud,
                faults=table.faults_of(scenario.seed * 1_000 + number),
            )
            for number, table in enumerate(scenario.wire)
        ]
    except (ValueError, OSError) as error:
        raise RemedyError(
            say("the scenario cannot be played ({why}); correct that place.", why=error)
        ) from None


async def _live(scenario: Scenario, devices: dict[str, FarDevice], tell: Tell) -> None:
    told = dict.fromkeys(devices, 0)
    acts = [asyncio.create_task(_act(devices[act.device], act)) for act in scenario.act]
    until_s = None if scenario.for_ms is None else scenario.for_ms / 1_000
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(until_s):
                while True:
                    await asyncio.sleep(TELL_S)
                    _tell_news(devices, told, tell)
    finally:
        for task in acts:
            task.cancel()
        await asyncio.gather(*acts, return_exceptions=True)
        _tell_news(devices, told, tell)


async def _act(device: FarDevice, act: Act) -> None:
    await asyncio.sleep(act.at_ms / 1_000)
    for number in range(act.times):
        getattr(device, act.do)(*act.arguments(number), **act.options)
        await asyncio.sleep(act.every_ms / 1_000)


def _tell_news(devices: dict[str, FarDevice], told: dict[str, int], tell: Tell) -> None:
    for name, device in devices.items():
        for emission in device.emitted[told[name] :]:
            tell(
                {
                    "device": emission.device,
                    "seen": emission.seen.name,
                    "value": emission.value,
                    "part": emission.part,
                    "mono_ns": emission.mono_ns,
                }
            )
        told[name] = len(device.emitted)
