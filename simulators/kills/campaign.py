"""Kills box, broker and headquarters at random moments under load, then hands over to the judge."""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from simulators.box import command
from simulators.evidence import read_journal, read_store
from simulators.kills.load import Kiosk, Load
from simulators.kills.stage import SITE, NotReadyError, Stage
from simulators.kills.verdict import Key, Verdict, judge
from simulators.processes import RunningProcess

ORDERS_COUNT: Final = 1_000
LIFE_S_MAX: Final = 2.0
"""A process lives up to so long under load before it is killed."""

DOWN_S_MAX: Final = 1.0
DRAIN_S_MAX: Final = 60.0
_READY_S_MAX: Final = 60.0
_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each is killed, and how hard the box works meanwhile.

    Attributes:
        box, headquarters, broker: how many kill -9 of each.
        wipes: how many times the broker is killed and its whole store removed.
        seed: decides about the moments.
        kiosks: how many scan at the same time.
        rate_per_s: scans of all kiosks together; 0 for as fast as they are answered.
        is_trusting: use the control, which takes PUBACK for headquarters' word.
    """

    box: int = 0
    headquarters: int = 0
    broker: int = 0
    wipes: int = 0
    seed: int = 1
    kiosks: int = 4
    rate_per_s: int = 0
    is_trusting: bool = False


@dataclass(slots=True)
class Done:
    """What a campaign did.

    Attributes:
        killed: how many really died by our hand, by name.
        verdict: the judge's.
        drain_s: from the end of the load until everything was stored.
        seconds: of load.
    """

    killed: Counter[str] = field(default_factory=Counter)
    verdict: Verdict | None = None
    drain_s: float = 0.0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Give it for a report."""
        assert self.verdict is not None
        per_s = self.verdict.accepted / self.seconds
        return {
            "killed": dict(self.killed),
            "load_s": round(self.seconds, 1),
            "accepted_per_s": round(per_s, 1),
            "drain_s": round(self.drain_s, 1),
            **self.verdict.as_dict(),
        }


async def run(plan: Plan, folder: Path) -> Done:
    """Play the whole campaign in an empty folder.

    Raises:
        NotReadyError: something did not come back after a kill.
    """
    done = Done()
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(Stage(folder))
        codes = await stage.book(ORDERS_COUNT)
        load = await stack.enter_async_context(Load(folder, list(codes), plan.kiosks))
        box = _box(plan, folder, stage.write_box(load.tables))
        stack.push_async_callback(box.stop)
        await box.start(os.environ)
        await _taught(stage)
        await _strike(plan, stage, box, load, done)
        journal = folder / "box/data/journal.db"
        done.drain_s = await _drained(journal, stage.store)
        await box.stop()
        accepted = _counted(load.kiosks, codes, lambda kiosk: kiosk.good)
        crossed = _counted(load.kiosks, codes, Kiosk.crossed)
        store = read_store(stage.store, SITE)
        done.verdict = judge(accepted, crossed, read_journal(journal), store)
    return done


async def _strike(plan: Plan, stage: Stage, box: RunningProcess, load: Load, done: Done) -> None:
    """Let kiosks scan while every killer does its work; then let them stop."""
    began_s = time.monotonic()
    period_s = plan.kiosks / plan.rate_per_s if plan.rate_per_s else 0.0
    is_done = asyncio.Event()
    broker_turn = asyncio.Lock()

    async def start_box() -> None:
        await box.start(os.environ)

    async def wipe() -> None:
        stage.wipe_broker()
        await stage.start_broker()

    async with asyncio.TaskGroup() as scanning:
        for kiosk in load.kiosks:
            scanning.create_task(kiosk.work(period_s, is_done))
        async with asyncio.TaskGroup() as group:
            for name, count, process, again, turn in (
                ("box", plan.box, box, start_box, asyncio.Lock()),
                (
                    "headquarters",
                    plan.headquarters,
                    stage.headquarters,
                    stage.start_headquarters,
                    asyncio.Lock(),
                ),
                ("broker", plan.broker, stage.broker, stage.start_broker, broker_turn),
                ("wipes", plan.wipes, stage.broker, wipe, broker_turn),
            ):
                killer = Killer(name, process, again, turn, random.Random(f"{plan.seed} {name}"))
                group.create_task(killer.kill(count, done.killed))
        is_done.set()
        done.seconds = time.monotonic() - began_s


@dataclass(frozen=True, slots=True)
class Killer:
    """Kills one process again and again.

    Attributes:
        name: for the report.
        process: the victim.
        again: brings it back.
        turn: held while it is down, by killers of the same process.
        dice: decides when.
    """

    name: str
    process: RunningProcess
    again: Callable[[], Awaitable[None]]
    turn: asyncio.Lock
    dice: random.Random

    async def kill(self, count: int, killed: Counter[str]) -> None:
        """Kill so many times; the process lives when this returns."""
        for _ in range(count):
            await asyncio.sleep(self.dice.uniform(0, LIFE_S_MAX) + self._start_s())
            async with self.turn:
                if not self.process.is_running:
                    raise NotReadyError(f"{self.name} died: {self.process.last_words()}")
                await self.process.kill()
                killed[self.name] += 1
                await asyncio.sleep(self.dice.uniform(0, DOWN_S_MAX))
                await self.again()

    def _start_s(self) -> float:
        """Let a box come up in most of its lives; sometimes it dies while it starts."""
        return self.dice.choice((0.0, 1.5, 2.5, 4.0)) if self.name == "box" else 0.0


def _box(plan: Plan, folder: Path, settings: Path) -> RunningProcess:
    arguments = command("edge", "run", "--config", str(settings))
    if plan.is_trusting:
        control = "simulators.kills.trusting_box"
        arguments = [sys.executable, "-m", control, "run", "--config", str(settings)]
    return RunningProcess("box", arguments, folder / "box.log")


async def _taught(stage: Stage) -> None:
    """Wait until the box knows every code."""
    until_s = time.monotonic() + _READY_S_MAX
    while await stage.directives_waiting():
        if time.monotonic() > until_s:
            raise NotReadyError("the box does not learn its codes")
        await asyncio.sleep(_LOOK_S)


async def _drained(journal: Path, store: Path) -> float:
    """Wait until headquarters holds what the box does, or for so long; gives the seconds."""
    began_s = time.monotonic()
    while time.monotonic() < began_s + DRAIN_S_MAX:
        await asyncio.sleep(_LOOK_S)
        blocks = {data[-32:] for data in read_journal(journal).blocks}
        held = {data[-32:] for data in read_store(store, SITE).blocks.values()}
        if blocks <= held:
            break
    return time.monotonic() - began_s


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
