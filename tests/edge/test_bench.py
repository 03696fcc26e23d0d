"""A technician works at the running box, or at the wires when none runs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agreed.words import RemedyError
from edge.bench import at_bench
from edge.status import SOCKET, NotRunningError, Row, serve_status
from firmware_interfaces.observations import Answer
from simulators.devices.scanner import Answered, Scanner
from simulators.devices.wire import PtyWire
from tests.edge.stand_in import until
from tests.edge.test_wires import table
from tests.firmware_interfaces.worlds import clock


def test_without_a_box_the_wires_are_opened_for_the_while(tmp_path: Path) -> None:
    async def play() -> None:
        scanner = Scanner("one")
        tables = [table("one", str(tmp_path / "1"))]
        async with (
            PtyWire([scanner], tmp_path / "1") as wire,
            at_bench(tmp_path, tables, clock) as bench,
        ):
            async with asyncio.timeout(60):
                row = await bench.row()
            assert (row["device"], row["seen"], row["port"]) == ("one", "BACK", wire.url)
            scan = asyncio.create_task(scanner.scan("CODE", 60))
            while row.get("seen") != "CODE":
                async with asyncio.timeout(60):
                    row = await bench.row()
            await bench.tell(Answer("one", is_good=True))
            assert await scan is Answered.GOOD

    asyncio.run(play())


def test_at_a_running_box_its_rows_and_refusals_come_through(tmp_path: Path) -> None:
    async def answers(question: Row) -> AsyncIterator[Row]:
        if question["ask"] == "tell":
            yield {"error": "not now" if question["device"] == "one" else ""}
            return
        rows: list[dict[str, Any]] = [{"ms": 1}, {"error": "too many"}]
        for row in rows:
            yield row

    async def play() -> None:
        serving = asyncio.create_task(serve_status(tmp_path, answers))
        await until((tmp_path / SOCKET).is_socket)
        async with at_bench(tmp_path, [], clock) as bench:
            assert await bench.row() == {"ms": 1}
            with pytest.raises(RemedyError, match="too many"):
                await bench.row()
            with pytest.raises(NotRunningError):
                await bench.row()
            await bench.tell(Answer("two", is_good=True))
            with pytest.raises(RemedyError, match="not now"):
                await bench.tell(Answer("one", is_good=True))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(play())
