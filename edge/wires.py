"""The lines of a running box: driven, watched, and changed without a restart."""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Never

from agreed.machine import Moment
from firmware_interfaces.discovery.capture import CapturedMachine
from firmware_interfaces.driver import Deliver, Line, drive
from firmware_interfaces.observations import Command
from firmware_interfaces.ports import all_closed
from firmware_interfaces.settings import LineSettings, device_names, line_machine

ROWS_COUNT_MAX: Final = 2_000  # rows that wait for a watcher; a slow one misses the oldest

Write = Callable[[str], None]


class Watcher:
    """Somebody who listens to every wire."""

    def __init__(self) -> None:
        self._rows: deque[str] = deque(maxlen=ROWS_COUNT_MAX)
        self._news = asyncio.Event()

    def put(self, row: str) -> None:
        """Take one row."""
        self._rows.append(row)
        self._news.set()

    async def next(self) -> str:
        """Wait for a row."""
        while not self._rows:
            self._news.clear()
            await self._news.wait()
        return self._rows.popleft()


@dataclass(slots=True)
class _Driven:
    """One line and the table it was made from."""

    table: LineSettings
    line: Line
    task: asyncio.Task[None] | None = None


class Wires:
    """Every line of the box.

    Attributes:
        watchers: who listens; while nobody does, nothing is written for them.
    """

    def __init__(
        self, tables: Sequence[LineSettings], deliver: Deliver, clock: Callable[[], Moment]
    ) -> None:
        """Make the machines.

        Raises:
            KeyFileError: a key file cannot be used.
        """
        self.watchers: set[Watcher] = set()
        self._deliver = deliver
        self._clock = clock
        self._driven: list[_Driven] = []
        self._group: asyncio.TaskGroup | None = None
        self.add(self.made(tables))

    @property
    def faults(self) -> dict[str, dict[str, str]]:
        """Name what is wrong with a port, by port: the error, and the group that may open it."""
        found = (one.line.fault for one in self._driven)
        return {
            fault.port: {"error": type(fault).__name__, "group": fault.group}
            for fault in found
            if fault is not None
        }

    def tell(self, command: Command) -> bool:
        """Queue a command; False when no line takes it."""
        for one in self._driven:
            if command.device in device_names(one.table):
                return one.line.tell(command)
        return False

    def made(self, tables: Sequence[LineSettings]) -> list[_Driven]:
        """Make the lines of these tables that are not there yet, without starting them.

        Raises:
            KeyFileError: a key file cannot be used; nothing was changed.
        """
        there = [one.table for one in self._driven]
        return [self._made(table) for table in tables if table not in there]

    def _made(self, table: LineSettings) -> _Driven:
        machine = line_machine(table, os.urandom(16))
        put = partial(self._put, table.port)
        captured = CapturedMachine(machine, put, lambda: bool(self.watchers))
        return _Driven(table, Line(table, captured))

    def _put(self, port: str, row: str) -> None:
        for watcher in self.watchers:
            watcher.put(f'{{"port": "{port}", {row[1:]}')

    def add(self, lines: list[_Driven]) -> None:
        """Start lines, at once or when the box runs."""
        self._driven += lines
        if self._group is not None:
            for one in lines:
                self._start(one, self._group)

    def _start(self, one: _Driven, group: asyncio.TaskGroup) -> None:
        one.task = group.create_task(drive(one.line, self._deliver, self._clock))

    async def keep(self, tables: Sequence[LineSettings]) -> list[str]:
        """End every line that is not among these tables; gives the names of its devices."""
        gone = [one for one in self._driven if one.table not in tables]
        for one in gone:
            self._driven.remove(one)
            if one.task is not None:
                one.task.cancel()
                await asyncio.wait((one.task,))
            for observation in one.line.machine.line_lost(self._clock()):
                self._deliver(observation)
        await all_closed()
        return [name for one in gone for name in device_names(one.table)]

    async def run(self) -> Never:
        """Drive every line until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for one in self._driven:
                self._start(one, group)
            await asyncio.Event().wait()
        raise AssertionError("driving never ends by itself")
