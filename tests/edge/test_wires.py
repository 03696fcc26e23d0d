"""Lines come and go while the box runs; whoever stays is undisturbed."""

import asyncio
import json
from pathlib import Path

from edge.wires import ROWS_COUNT_MAX, Watcher, Wires
from firmware_interfaces.observations import Answer, Observation, Seen
from firmware_interfaces.settings import LineSettings, read_line_settings
from simulators.devices.scanner import Scanner
from simulators.devices.wire import PtyWire
from tests.edge.stand_in import until
from tests.firmware_interfaces.worlds import clock


def table(name: str, port: str, **more: object) -> LineSettings:
    device = {"name": name, "codes": "any"} | more
    return read_line_settings({"family": "scanner", "port": port, "devices": [device]})


def test_a_changed_line_is_lost_and_back_and_its_neighbour_hears_nothing(tmp_path: Path) -> None:
    said: list[Observation] = []

    def seen(name: str) -> list[Seen]:
        return [one.seen for one in said if one.device == name]

    async def play() -> None:
        one, two = Scanner("one"), Scanner("two")
        async with (
            PtyWire([one], tmp_path / "1") as first,
            PtyWire([two], tmp_path / "2") as second,
        ):
            stays, goes = table("one", first.url), table("two", second.url)
            wires = Wires([stays, goes], said.append, clock)
            running = asyncio.create_task(wires.run())
            await until(lambda: len(said) == 2)
            changed = [stays, table("two", second.url, idle_ms=300)]
            fresh = wires.made(changed)
            assert await wires.keep(changed) == ["two"]
            wires.add(fresh)
            await until(lambda: seen("two") == [Seen.BACK, Seen.LOST, Seen.BACK])
            two.read_out("AFTER")
            await until(lambda: seen("two")[3:] == [Seen.CODE])
            assert seen("one") == [Seen.BACK]
            assert wires.tell(Answer("one", is_good=True))
            assert not wires.tell(Answer("three", is_good=True))
            assert wires.faults == {}
            assert await wires.keep([stays]) == ["two"]
            assert not wires.tell(Answer("two", is_good=True))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())


def test_a_watcher_hears_what_crosses_and_a_slow_one_misses_the_oldest(tmp_path: Path) -> None:
    async def play() -> None:
        scanner = Scanner("one")
        async with PtyWire([scanner], tmp_path / "1") as wire:
            wires = Wires([table("one", wire.url)], lambda _: None, clock)
            watcher = Watcher()
            wires.watchers.add(watcher)
            running = asyncio.create_task(wires.run())
            async with asyncio.timeout(60):
                rows = [json.loads(await watcher.next())]
            scanner.read_out("CODE")
            while rows[-1].get("seen") != "CODE":
                async with asyncio.timeout(60):
                    rows.append(json.loads(await watcher.next()))
            assert {row["port"] for row in rows} == {wire.url}
            assert b"CODE" in b"".join(bytes.fromhex(row.get("hex", "")) for row in rows)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for number in range(ROWS_COUNT_MAX + 1):
                watcher.put(str(number))
            assert await watcher.next() == "1"

    asyncio.run(play())


def test_a_line_that_is_not_there_has_a_fault(tmp_path: Path) -> None:
    async def play() -> None:
        port = str(tmp_path / "none")
        wires = Wires([table("one", port)], lambda _: None, clock)
        running = asyncio.create_task(wires.run())
        await until(lambda: wires.faults == {port: {"error": "PortMissingError", "group": ""}})
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())
