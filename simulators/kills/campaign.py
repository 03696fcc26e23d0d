"""Kills box, broker and headquarters at random moments under load, then hands over to the judge."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from simulators.evidence import JournalFile, journaled_count, read_journal, read_store, stored_count
from simulators.kills.load import Kiosk, Load
from simulators.kills.nursery import ForkedProcess, Nursery
from simulators.kills.stage import SITE, NotReadyError, Process, Stage, executed
from simulators.kills.verdict import Key, Verdict, judge

ORDERS_COUNT: Final = 400
LIFE_S_MAX: Final = 0.4
"""A box lives up to so long under load before it is killed."""

OPENING_S_MAX: Final = 0.08
STARTING_S_MAX: Final = 0.5
WORK_S_MAX: Final = 30.0
"""How long a killer waits for a box to work; then it strikes anyway."""

AWAY_S_MAX: Final = 1.5
"""Headquarters and broker live up to so long."""

DOWN_S_MAX: Final = 0.3
DRAIN_S_MAX: Final = 120.0
"""Headquarters may take in nothing for so long, while boxes hold more, before that is a loss.

A box that heard nothing for long waits up to a minute and a half before it says it all again.
"""

_SETTLES_MAX: Final = 5
_READY_S_MAX: Final = 60.0
_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each is killed, and how hard every box works meanwhile.

    Attributes:
        box, headquarters, broker: how many kill -9 of each.
        wipes: how many times the broker is killed and its whole store removed.
        boxes: how many boxes share headquarters, and the kills.
        seed: decides about the moments.
        kiosks: how many scan at the same time, for each box.
        rate_per_s: scans at each box; 0 for as fast as they are answered.
        is_trusting: use the control, which takes PUBACK for headquarters' word.
        is_executed: start every process from nothing, not from the nursery.
    """

    box: int = 0
    headquarters: int = 0
    broker: int = 0
    wipes: int = 0
    boxes: int = 1
    seed: int = 1
    kiosks: int = 4
    rate_per_s: int = 0
    is_trusting: bool = False
    is_executed: bool = False


@dataclass(slots=True)
class Done:
    """What a campaign did.

    Attributes:
        killed: how many really died by our hand, by name.
        working: how many boxes had said good in the life that was ended.
        verdict: the judge's.
        drain_s: from the end of the load until everything was stored.
        seconds: of load.
        spent_s: processor time of all processes that were forked.
    """

    killed: Counter[str] = field(default_factory=Counter)
    working: int = 0
    verdict: Verdict | None = None
    drain_s: float = 0.0
    seconds: float = 0.0
    spent_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Give it for a report."""
        assert self.verdict is not None
        per_s = self.verdict.accepted / self.seconds
        return {
            "killed": dict(self.killed),
            "working": self.working,
            "load_s": round(self.seconds, 1),
            "accepted_per_s": round(per_s, 1),
            "drain_s": round(self.drain_s, 1),
            "spent_s": round(self.spent_s, 1),
            **self.verdict.as_dict(),
        }


async def run(plan: Plan, folder: Path) -> Done:
    """Play the whole campaign in an empty folder.

    Raises:
        NotReadyError: something did not come back after a kill.
    """
    done = Done()
    async with AsyncExitStack() as stack:
        starter = executed
        nursery = None
        if not plan.is_executed:
            nursery = await stack.enter_async_context(Nursery(folder / "nursery.log"))
            starter = partial(ForkedProcess, nursery)
        names = [f"gate-{i}" for i in range(plan.boxes)]
        stage = await stack.enter_async_context(Stage(folder, names, starter))
        codes = await stage.book(ORDERS_COUNT)
        cast = [await _on_stage(plan, stage, name, list(codes), stack) for name in names]
        await _taught(stage)
        await _strike(plan, stage, cast, done)
        journals = [stage.journal(name) for name in names]
        done.drain_s = await _settled(cast, journals, stage.store)
        kiosks = [kiosk for one in cast for kiosk in one.load.kiosks]
        accepted = _counted(kiosks, codes, lambda kiosk: kiosk.good)
        crossed = _counted(kiosks, codes, Kiosk.crossed)
        blocks = [block for journal in journals for block in read_journal(journal).blocks]
        store = read_store(stage.store, SITE)
        done.verdict = judge(accepted, crossed, JournalFile(blocks), store)
        done.spent_s = await nursery.spent_s() if nursery else 0.0
    return done


@dataclass(frozen=True, slots=True)
class _Cast:
    """One box, and the kiosks before it."""

    process: Process
    load: Load


async def _on_stage(
    plan: Plan, stage: Stage, name: str, codes: list[str], stack: AsyncExitStack
) -> _Cast:
    load = Load(stage.folder, codes, plan.kiosks, f"{name}-")
    await stack.enter_async_context(load)
    settings = stage.write_box(load.tables, name)
    arguments = ["edge", "run", "--config", str(settings)]
    program = "duifu"
    if plan.is_trusting:
        program, arguments = "trusting box", arguments[1:]
    process = stage.starter(name, arguments, stage.folder / f"{name}.log", program)
    stack.push_async_callback(process.stop)
    await process.start(os.environ)
    return _Cast(process, load)


async def _strike(plan: Plan, stage: Stage, cast: list[_Cast], done: Done) -> None:
    """Let kiosks scan while every killer does its work; then let them stop."""
    began_s = time.monotonic()
    period_s = plan.kiosks / plan.rate_per_s if plan.rate_per_s else 0.0
    is_done = asyncio.Event()
    async with asyncio.TaskGroup() as scanning:
        for one in cast:
            for kiosk in one.load.kiosks:
                scanning.create_task(kiosk.work(period_s, is_done))
        async with asyncio.TaskGroup() as group:
            for killer, count in _killers(plan, stage, cast):
                group.create_task(killer.kill(count, done))
        is_done.set()
        done.seconds = time.monotonic() - began_s


def _killers(plan: Plan, stage: Stage, cast: list[_Cast]) -> "list[tuple[Killer, int]]":
    async def wipe() -> None:
        stage.wipe_broker()
        await stage.start_broker()

    def dice(name: str) -> random.Random:
        return random.Random(f"{plan.seed} {name}")

    broker_turn = asyncio.Lock()
    others = (
        ("headquarters", stage.headquarters, stage.start_headquarters, asyncio.Lock()),
        ("broker", stage.broker, stage.start_broker, broker_turn),
        ("wipes", stage.broker, wipe, broker_turn),
    )
    counts = {"headquarters": plan.headquarters, "broker": plan.broker, "wipes": plan.wipes}
    killers = [
        (Killer(name, process, again, turn, dice(name)), counts[name])
        for name, process, again, turn in others
    ]
    for number, one in enumerate(cast):
        again = partial(one.process.start, os.environ)
        name = one.process.name
        killer = Killer("box", one.process, again, asyncio.Lock(), dice(name), one.load)
        killers.append((killer, plan.box // len(cast) + (number < plan.box % len(cast))))
    return killers


@dataclass(frozen=True, slots=True)
class Killer:
    """Kills one process again and again.

    Attributes:
        name: for the report.
        process: the victim.
        again: brings it back.
        turn: held while it is down, by killers of the same process.
        dice: decides when.
        load: what works on a box; None for what is not a box.
    """

    name: str
    process: Process
    again: Callable[[], Awaitable[None]]
    turn: asyncio.Lock
    dice: random.Random
    load: Load | None = None

    async def kill(self, count: int, done: Done) -> None:
        """Kill so many times; the process lives when this returns."""
        for _ in range(count):
            before = self.load.accepted if self.load else 0
            await self._let_live(before)
            async with self.turn:
                if not self.process.is_running:
                    raise NotReadyError(f"{self.name} died: {self.process.last_words()}")
                await self.process.kill()
                done.killed[self.name] += 1
                done.working += self.load is not None and self.load.accepted > before
                await asyncio.sleep(self.dice.uniform(0, DOWN_S_MAX) * self.dice.random())
                await self.again()

    async def _let_live(self, before: int) -> None:
        """Let a box open its files, or start, or work; others just live for a while."""
        if self.load is None:
            await asyncio.sleep(self.dice.uniform(0, AWAY_S_MAX))
            return
        kind = self.dice.random()
        if kind < 0.5:
            longest_s = OPENING_S_MAX if kind < 0.25 else STARTING_S_MAX
            await asyncio.sleep(self.dice.uniform(0, longest_s))
            return
        for _ in range(int(WORK_S_MAX / _LOOK_S)):
            if self.load.accepted > before:
                break
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(self.dice.uniform(0, LIFE_S_MAX))


async def _taught(stage: Stage) -> None:
    """Wait until every box knows every code."""
    until_s = time.monotonic() + _READY_S_MAX
    while await stage.directives_waiting():
        if time.monotonic() > until_s:
            raise NotReadyError("a box does not learn its codes")
        await asyncio.sleep(10 * _LOOK_S)


async def _settled(cast: list[_Cast], journals: list[Path], store: Path) -> float:
    """End the boxes once everything they journaled is stored; gives the seconds that took."""
    began_s = time.monotonic()
    for _ in range(_SETTLES_MAX):
        is_drained = await _drained(journals, store)
        for one in cast:
            await one.process.kill()
        # A sign of life may have been journaled at the last moment: it leaves after a start. What
        # does not leave a running box is lost, and no start may hide that.
        if not is_drained or _missing(journals, store) == 0:
            break
        for one in cast:
            await one.process.start(os.environ)
    return time.monotonic() - began_s


async def _drained(journals: list[Path], store: Path) -> bool:
    """Wait until headquarters holds what the boxes do; False if it takes in nothing for long."""
    moved_s, least = time.monotonic(), _missing(journals, store) + 1
    while (missing := _missing(journals, store)) and time.monotonic() < moved_s + DRAIN_S_MAX:
        if missing < least:
            least, moved_s = missing, time.monotonic()
        await asyncio.sleep(10 * _LOOK_S)
    return missing == 0


def _missing(journals: list[Path], store: Path) -> int:
    return sum(map(journaled_count, journals)) - stored_count(store, SITE)


def _counted(
    kiosks: list[Kiosk],
    codes: dict[str, tuple[str, str]],
    count: Callable[[Kiosk], Counter[str]],
) -> dict[Key, int]:
    """Count scans by kiosk, order and kind of record."""
    return {
        (kiosk.name, *codes[code]): times
        for kiosk in kiosks
        for code, times in count(kiosk).items()
    }
