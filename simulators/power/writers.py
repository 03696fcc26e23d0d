"""What writes while the power goes: the box's acceptance and its learned store, or headquarters.

Each runs in a process of its own until that is killed, and reports what is durable over a pipe.
"""

import asyncio
import itertools
import os
import select
import struct
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from random import Random
from typing import Any, Final, Never

import apsw
from sqlalchemy import event

from agreed.messages import Committed, Hello
from agreed.records import GATE_PASSED, Durability
from cloud.database.engine import open_engine, sqlite_url
from cloud.exchange import exchange
from edge.acceptance import Acceptance
from edge.config import BoxSettings, JournalSettings
from edge.decisions import Draft
from edge.journal import Place
from edge.learned import NO_STREAM
from edge.opening import Opened, only_one, open_all
from simulators.signing import key_of, signed_blocks, signed_hello
from simulators.world import template
from simulators.world.clocks import ZERO_WALL_MS

STREAM: Final = "5" * 32
_ACK: Final = struct.Struct("<BQQ")
_BURSTS: Final = (1, 1, 1, 3, 20)
_PAUSES_S: Final = (0.0, 0.0, 0.0005, 0.003)
_WINDOWS_MS: Final = (0, 2, 10)


_STATEMENTS: Final[dict[Any, Any]] = {}
"""Compiled once, by whoever forks writers: a life is too short for that."""


class Kind(IntEnum):
    """What was said to be durable."""

    RECORD = 1
    DIRECTIVE = 2
    BLOCK = 3


@dataclass(frozen=True, slots=True)
class Said:
    """One word of a writer: everything of this kind through this number is durable."""

    kind: Kind
    number: int
    mono_ns: int


class Pipe:
    """Carries what a writer says; lives on when the writer is killed."""

    def __init__(self) -> None:
        self._ours, self._theirs = os.pipe()

    def say(self, kind: Kind, number: int) -> None:
        """Say that it is durable now."""
        os.write(self._theirs, _ACK.pack(kind, number, time.monotonic_ns()))

    def wait(self, seconds_max: float) -> None:
        """Wait for the first word, but no longer."""
        select.select([self._ours], [], [], seconds_max)

    def heard(self) -> list[Said]:
        """Give everything that was said; the writer must be gone."""
        os.close(self._theirs)
        with os.fdopen(self._ours, "rb") as file:
            said = file.read()
        whole = len(said) - len(said) % _ACK.size
        return [Said(Kind(k), n, ns) for k, n, ns in _ACK.iter_unpack(said[:whole])]


def forked(act: Callable[[], Never], log: Path) -> int:
    """Run an act in a process of its own, whose words go into a log; gives its id."""
    pid = os.fork()
    if pid == 0:
        try:
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            act()
        except BaseException:
            os.write(2, traceback.format_exc().encode())
            raise
        finally:
            os._exit(1)
    return pid


def keep_accepting(
    settings: BoxSettings, first: int, dice: Random, pipe: Pipe, *, is_control: bool
) -> Never:
    """Open the box's files and accept records, numbered from `first`, until killed."""
    if is_control:
        apsw.connection_hooks.append(without_sync)
    with only_one(settings.data):
        asyncio.run(_accept(open_all(settings), first, dice, pipe))
    raise AssertionError("it never ends by itself")


async def _accept(opened: Opened, first: int, dice: Random, pipe: Pipe) -> Never:
    def durable(_records: object) -> None:
        opened.journal.commit_through(Place(opened.journal.end.through, opened.journal.end.head))

    windows = JournalSettings(window_ms=dice.choice(_WINDOWS_MS))
    acceptance = Acceptance(opened.journal, opened.clock, opened.reserve, windows, durable)
    numbers = itertools.count(first)
    async with asyncio.TaskGroup() as group:
        group.create_task(acceptance.run())
        while True:
            count = dice.choice(_BURSTS)
            burst = [next(numbers) for _ in range(count)]
            drafts = tuple(Draft("gate-1", GATE_PASSED, "w-1", detail=str(n)) for n in burst)
            durability = dice.choice((Durability.CUSTODY, Durability.PASSAGE))
            now = opened.clock.moment()
            accepted = acceptance.accept(drafts, now, durability, {"last": str(burst[-1])})
            accepted.add_done_callback(_reported(pipe, burst[-1]))
            if dice.random() < 0.05:
                await asyncio.to_thread(_learn, opened, pipe)
            await asyncio.sleep(dice.choice(_PAUSES_S))


def _reported(pipe: Pipe, number: int) -> "Callable[[asyncio.Future[bool]], None]":
    def report(accepted: "asyncio.Future[bool]") -> None:
        if accepted.result():
            pipe.say(Kind.RECORD, number)

    return report


def _learn(opened: Opened, pipe: Pipe) -> None:
    number = opened.learned.applied_through + 1
    opened.learned.apply(STREAM, number, [directive(number)])
    pipe.say(Kind.DIRECTIVE, number)


def directive(number: int) -> str:
    """Write the directive of a number."""
    return f'{{"kind":"end_credential","card":"26:{number}"}}'


def keep_ingesting(
    store: Path, blocks: list[bytes], dice: Random, pipe: Pipe, *, is_control: bool
) -> Never:
    """Take in blocks from the first that headquarters lacks, until killed."""
    engine = open_engine(sqlite_url(store))
    engine.update_execution_options(compiled_cache=_STATEMENTS)
    if is_control:
        event.listen(engine, "connect", _sync_less_at_headquarters)
    name = template.BOXES[0]
    waiting = blocks
    while True:
        said = signed_blocks(key_of(name.box), *waiting[: dice.choice((1, 2, 8))])
        outcome = exchange(engine, [(name, said)], ZERO_WALL_MS)
        through = max(a.through for _, a in outcome.answers if isinstance(a, Committed))
        pipe.say(Kind.BLOCK, through)
        waiting = [data for data in waiting if _first(data) > through]
        time.sleep(60 if not waiting else dice.choice(_PAUSES_S))


def greet(store: Path, epoch: bytes) -> None:
    """Let headquarters learn the key of the box."""
    name = template.BOXES[0]
    hello = Hello(epoch=epoch.hex(), head_sequence=0, directive_stream=NO_STREAM, applied_through=0)
    engine = open_engine(sqlite_url(store))
    exchange(engine, [(name, signed_hello(key_of(name.box), name, hello))], ZERO_WALL_MS)
    engine.dispose()


def ingest_once(store: Path, blocks: list[bytes]) -> None:
    """Take in blocks, so that every writer forked later need not compile its statements."""
    engine = open_engine(sqlite_url(store))
    engine.update_execution_options(compiled_cache=_STATEMENTS)
    name = template.BOXES[0]
    for data in blocks:
        exchange(engine, [(name, signed_blocks(key_of(name.box), data))], ZERO_WALL_MS)
    engine.dispose()


def _first(data: bytes) -> int:
    return int.from_bytes(data[36:44], "little")


def without_sync(connection: apsw.Connection) -> None:
    """Commit without a sync, whatever the program says afterwards: the control."""
    connection.execute("PRAGMA synchronous = NORMAL")

    def judge(act: int, name: str | None, *_: str | None) -> int:
        is_ours = act == apsw.SQLITE_PRAGMA and name == "synchronous"
        return apsw.SQLITE_IGNORE if is_ours else apsw.SQLITE_OK

    connection.authorizer = judge


def _sync_less_at_headquarters(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
