"""Where a technician works: at the wires of the running box, or at wires opened for the while."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from agreed.machine import Moment
from agreed.words import RemedyError
from edge.asked import command_row
from edge.status import NotRunningError, Row, ask_once, watching
from edge.wires import Watcher
from firmware_interfaces.discovery.capture import CapturedMachine
from firmware_interfaces.driver import Line, drive
from firmware_interfaces.observations import Command, Observation
from firmware_interfaces.settings import LineSettings, device_names, line_machine


class Bench(Protocol):
    """What crosses the wires, and a way to try a device."""

    async def row(self) -> Row:
        """Wait for what crosses next; rows as `firmware_interfaces.discovery.capture` has them."""
        ...

    async def tell(self, command: Command) -> None:
        """Try a device.

        Raises:
            RemedyError: the box refuses.
        """
        ...


class _AtBox:
    """The wires of the running box."""

    def __init__(self, folder: Path, rows: AsyncIterator[Row]) -> None:
        self._folder = folder
        self._rows = rows

    async def row(self) -> Row:
        row = await anext(self._rows, None)
        if row is None:
            raise NotRunningError("the box ended")
        if row.get("error"):
            raise RemedyError(str(row["error"]))
        return row

    async def tell(self, command: Command) -> None:
        answer = await asyncio.to_thread(ask_once, self._folder, command_row(command))
        if answer.get("error"):
            raise RemedyError(str(answer["error"]))


class _AtWires:
    """Wires of our own, because no box runs."""

    def __init__(self, lines: Sequence[tuple[LineSettings, Line]], watcher: Watcher) -> None:
        self._lines = lines
        self._watcher = watcher

    async def row(self) -> Row:
        row: Row = json.loads(await self._watcher.next())
        return row

    async def tell(self, command: Command) -> None:
        for table, line in self._lines:
            if command.device in device_names(table):
                line.tell(command)


@asynccontextmanager
async def at_bench(
    folder: Path, tables: Sequence[LineSettings], clock: Callable[[], Moment]
) -> AsyncIterator[Bench]:
    """Work at the running box of this data folder, or at these wires if none runs.

    Raises:
        KeyFileError: a reader's key cannot be read.
    """
    async with contextlib.AsyncExitStack() as stack:
        try:
            rows = await stack.enter_async_context(watching(folder))
        except NotRunningError:
            yield await stack.enter_async_context(_own_wires(tables, clock))
        else:
            yield _AtBox(folder, rows)


@asynccontextmanager
async def _own_wires(
    tables: Sequence[LineSettings], clock: Callable[[], Moment]
) -> AsyncIterator[Bench]:
    watcher = Watcher()
    lines = [(table, _line(table, watcher)) for table in tables]
    tasks = [asyncio.create_task(drive(line, _unheard, clock)) for _, line in lines]
    try:
        yield _AtWires(lines, watcher)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _line(table: LineSettings, watcher: Watcher) -> Line:
    machine = line_machine(table, os.urandom(16))
    return Line(table, CapturedMachine(machine, partial(_put, watcher, table.port)))


def _put(watcher: Watcher, port: str, row: str) -> None:
    watcher.put(json.dumps({"port": port} | json.loads(row), ensure_ascii=False))


def _unheard(observation: Observation) -> None:
    """Leave an observation alone: the watcher has it already."""
    del observation
