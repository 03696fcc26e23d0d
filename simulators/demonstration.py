"""The whole demonstration on one screen: a site, a box, headquarters, a day, and the verdict."""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

from agreed.machine import NS_PER_MS, NS_PER_S, SimulatedDay
from agreed.words import RemedyError, say
from firmware_interfaces.observations import Seen
from simulators.box import Box
from simulators.cast import SITE, cast_of
from simulators.day import Act, DayShape, Visit
from simulators.evidence import JournalFile, read_journal, read_store
from simulators.findings import Findings, Scene
from simulators.headquarters import Headquarters
from simulators.judge import judge
from simulators.link import Link
from simulators.matching import head, newest_ms, started_ms, until
from simulators.narration import Narrator, clock_text
from simulators.people import People, sleep_until
from simulators.planning import plan_day
from simulators.report import summary_of
from simulators.site import SimulatedSite
from simulators.truth import Witnessed, as_json, deeds_of

_MORNING_MS: Final = 6 * 3_600_000
_GET_READY_S: Final = 4.0
"""Real time from the start of the fast clock to the opening of the day, at least."""

_STARTS_COUNT: Final = 3.0
"""At least so many times what headquarters took to start: a busy machine needs longer."""


_READY_S_MAX: Final = 60.0
_DRAIN_S_MAX: Final = 90.0
_LOOK_S: Final = 0.2
_DOORS_S: Final = 1.0
"""Real time in which the last door is seen to be shut."""

_FOUND_S: Final = 7.0
"""Real time in which a box that runs again concludes that a door was shut meanwhile."""

_DOWN_S: Final = 0.5
_TRIES_MAX: Final = 100


class Target(StrEnum):
    """What can be killed."""

    BOX = "box"
    BROKER = "broker"
    HEADQUARTERS = "headquarters"


@dataclass(frozen=True, slots=True)
class Strike:
    """Kill -9 one process at an hour of the day; it is started again `down_s` later."""

    hour: float
    target: Target
    down_s: float = _DOWN_S


@dataclass(frozen=True, slots=True)
class Script:
    """How a demonstration is to be played.

    Attributes:
        midnight_ms: ms since the epoch at 00:00 of the day.
        seed: decides about people and fate.
        shape: how large the day is.
        speed: simulated seconds per real second.
        port: of the pages; None to choose one.
        strikes: what is killed when; the broker once, if None.
        latency_s: real seconds by which a record's time may follow its deed.
    """

    midnight_ms: int
    seed: int = 1
    shape: DayShape = field(default_factory=DayShape)
    speed: int = 900
    port: int | None = None
    strikes: tuple[Strike, ...] | None = None
    latency_s: float = 0.5

    def all_strikes(self) -> tuple[Strike, ...]:
        """Give what is killed when."""
        if self.strikes is None:
            return (Strike(self.shape.broker_killed_h, Target.BROKER),)
        return self.strikes


Happening = Callable[[float, str, str], None]
"""Told how much of the day is over, from 0 to 1, the time of day, and what happens now."""


class Demonstration:
    """One day, from nothing to the judge's verdict; everything it starts is ended with it.

    Attributes:
        scene: what the judge was given, once the day is over.
        findings: what the judge found, once the day is over.
        summary: what summary.json holds, once the day is over.
        headquarters: for its address.
    """

    def __init__(self, script: Script, folder: Path, port: int) -> None:
        self._script = script
        self._folder = folder
        self._happening: Happening = _unheard
        self._cast = cast_of(script.seed, script.shape.residents)
        self._plan = plan_day(script.seed, script.midnight_ms, script.shape, self._cast)
        self._narrator = Narrator(self._cast)
        self._begun_s = 0.0
        self._box_killed_ns: list[int] = []
        self._outage_s = 0.0
        self._killed: Counter[Target] = Counter()
        self._turns = {target: asyncio.Lock() for target in Target}
        self._began_s = time.monotonic()
        self.headquarters = Headquarters(folder, port)
        self.scene: Scene | None = None
        self.findings = Findings()
        self.summary: dict[str, Any] = {}

    @property
    def workers(self) -> dict[str, str]:
        """Names of the workers by id."""
        return {worker.id: worker.name for worker in self._cast.everyone_working()}

    async def play(
        self,
        happening: Happening | None = None,
        judged: Callable[[], None] | None = None,
        evening: Callable[[], None] | None = None,
    ) -> None:
        """Play the day and judge it; then end, or keep the pages up until cancelled.

        Args:
            happening: told what happens now.
            judged: called once the verdict is there.
            evening: called once the pages of the evening are up; None to end instead.
        """
        self._happening = happening or _unheard
        async with contextlib.AsyncExitStack() as stack:
            site = await stack.enter_async_context(
                SimulatedSite(self._folder / "box", self._script.seed)
            )
            stack.push_async_callback(self.headquarters.stop)
            began_s = time.monotonic()
            await self.headquarters.begin(self._clock(self._plan_ms(-_MORNING_MS), 1))
            start_s = time.monotonic() - began_s
            self._tell(say("headquarters learns packs, workers, cards and orders"))
            codes = await self.headquarters.prepare(self._plan)
            link = await stack.enter_async_context(Link(*self.headquarters.broker_address()))
            self.headquarters.write_account(site, link.port)
            box = Box(self._folder, site)
            stack.push_async_callback(box.stop)
            day = await self._open(box, site, start_s)
            people = People(site, day, partial(self._show, day))
            for order, of_order in codes.items():
                people.learn(order, of_order)
            await self._live(day, people, box, link)
            last = await self._settle(day, box)
            self.scene = self._scene(site, box, people, day, last)
            self._judge(self.scene)
            if judged is not None:
                judged()
            if evening is not None:
                await self._evening(box, day)
                evening()
                await asyncio.Event().wait()

    async def _open(self, box: Box, site: SimulatedSite, start_s: float) -> SimulatedDay:
        """Start the fast clock, and the box with it; `start_s` is what a start takes here."""
        self._tell(say("the box starts and learns what was promised"))
        lead_s = max(_GET_READY_S, _STARTS_COUNT * start_s)
        lead_ms = min(int(lead_s * self._script.speed * 1_000), _MORNING_MS)
        day = self._clock(self._plan_ms(-lead_ms), self._script.speed)
        await self.headquarters.stop()
        await self.headquarters.begin(day)
        await box.begin(day)
        until_s = time.monotonic() + _READY_S_MAX
        while not (site.is_online() and await self.headquarters.is_box_ready()):
            if time.monotonic() > until_s or not box.is_running:
                raise RemedyError(
                    say("The box does not get ready; its last words are in {path}.", path=box.log)
                )
            await asyncio.sleep(_LOOK_S)
        return day

    async def _live(self, day: SimulatedDay, people: People, box: Box, link: Link) -> None:
        """Play what people do, and what befalls the machines meanwhile."""
        plan = self._plan
        async with asyncio.TaskGroup() as group:
            group.create_task(people.live(plan.visits))
            group.create_task(self._outage(day, link))
            for strike in self._script.all_strikes():
                group.create_task(self._strike(day, strike, box))
            for order in plan.orders:
                if order.created_at_ms is not None:
                    group.create_task(self._create_late(day, people, order.order))
            for renewal in plan.renewals:
                group.create_task(self._renew(day, renewal.at_ms))

    async def _outage(self, day: SimulatedDay, link: Link) -> None:
        cut_ms, healed_ms = map(self._plan.hour_ms, self._script.shape.outage_h)
        await sleep_until(day, cut_ms)
        began_ns = time.monotonic_ns()
        link.cut()
        self._tell(say("the link to headquarters is cut"), day)
        await sleep_until(day, healed_ms)
        await link.heal()
        self._outage_s = (time.monotonic_ns() - began_ns) * day.speed / NS_PER_S
        self._tell(say("the link to headquarters is back"), day)

    async def _strike(self, day: SimulatedDay, strike: Strike, box: Box) -> None:
        await sleep_until(day, self._plan.hour_ms(strike.hour))
        async with self._turns[strike.target]:
            self._tell(say("kill -9: {what}", what=_name_of(strike.target)), day)
            self._killed[strike.target] += 1
            match strike.target:
                case Target.BROKER:
                    await self._kill_broker()
                case Target.HEADQUARTERS:
                    await self.headquarters.kill()
                    await asyncio.sleep(strike.down_s)
                    await self.headquarters.begin(day)
                case Target.BOX:
                    self._box_killed_ns.append(time.monotonic_ns())
                    await box.kill()
                    await asyncio.sleep(strike.down_s)
                    await box.begin(day)
                    self._begun_s = time.monotonic()

    async def _kill_broker(self) -> None:
        for _ in range(_TRIES_MAX):
            if self.headquarters.kill_broker():
                return
            await asyncio.sleep(_LOOK_S)  # it is only just being started again

    async def _create_late(self, day: SimulatedDay, people: People, name: str) -> None:
        order = next(order for order in self._plan.orders if order.order == name)
        await sleep_until(day, order.created_at_ms or 0)
        people.learn(name, await self.headquarters.create_order(order))
        self._tell(say("order {order} is created", order=name), day)

    async def _renew(self, day: SimulatedDay, at_ms: int) -> None:
        await sleep_until(day, at_ms)
        for renewal in self._plan.renewals:
            if renewal.at_ms == at_ms:
                await self.headquarters.renew(self._plan, renewal.worker)
                self._tell(say("the card of {name} is renewed", name=renewal.worker.name), day)

    async def _settle(self, day: SimulatedDay, box: Box) -> int:
        """Wait until headquarters knows of the whole day; gives what it must hold, a sequence."""
        self._tell(say("the last records are on their way"), day)
        closed_ms = self._plan.hour_ms(self._script.shape.close_h)
        await sleep_until(day, closed_ms)
        # Whatever people did is in the journal before a record of a later moment.
        done_ms = _wall_ms(day, time.monotonic() + _DOORS_S)
        until_s = time.monotonic() + _DRAIN_S_MAX
        last = 0
        while time.monotonic() < until_s:
            await asyncio.sleep(_LOOK_S)
            journal = read_journal(box.journal)
            found_ms = self._found_ms(day, journal)
            if not last and newest_ms(journal) >= max(done_ms, found_ms):
                last = head(journal)
            store = read_store(self.headquarters.store, SITE)
            through = max((row.sequence for row in store.records), default=0)
            if 0 < last <= through and store.covered_until_ms >= closed_ms:
                break
        return last or head(read_journal(box.journal))

    def _found_ms(self, day: SimulatedDay, journal: JournalFile) -> int:
        """Say when a box that was killed has found every door, ms of the day."""
        if not self._box_killed_ns:
            return 0
        running_ms = max(started_ms(journal), _wall_ms(day, self._begun_s))
        return running_ms + int(_FOUND_S * day.speed * 1_000)

    def _scene(
        self, site: SimulatedSite, box: Box, people: People, day: SimulatedDay, last: int
    ) -> Scene:
        """Put together what the judge is given; the box goes on writing meanwhile."""
        store = read_store(self.headquarters.store, SITE)
        through = max([last, *(row.sequence for row in store.records)])
        emitted = site.emitted()
        codes = {code: key for key, code in people.codes.items()}
        witnessed = Witnessed(emitted, people.heard, people.doors, codes, self._box_killed_ns)
        (self._folder / "witnessed.json").write_text(as_json(witnessed), "utf-8")
        ended = [one.name for one in (box, self.headquarters) if not one.is_running]
        return Scene(
            deeds_of(witnessed, self._cast, day),
            until(read_journal(box.journal), through),
            store,
            [e.part for e in emitted if e.seen is Seen.DOOR_OPENED],
            int(self._script.latency_s * 1_000) * self._script.speed,
            witnessed.is_box_steady,
            sum(len(order.promised_at_ms()) for order in self._plan.orders),
            tuple(ended),
        )

    def _judge(self, scene: Scene) -> None:
        self.findings = judge(scene)
        more = {
            "seed": self._script.seed,
            "speed": self._script.speed,
            "orders": len(self._plan.orders),
            "allowance_ms": scene.latency_ms,
            "outage_real_seconds": round(self._outage_s / self._script.speed, 1),
            "killed": {target.value: count for target, count in self._killed.items()},
            "doors_opened": len(scene.doors_opened),
            "commission_fen_by_worker": self.findings.earned_fen,
        }
        self.summary = summary_of(
            self.findings,
            outage_s=self._outage_s,
            seconds=time.monotonic() - self._began_s,
            more=more,
        )
        text = json.dumps(self.summary, ensure_ascii=False, indent=2)
        (self._folder / "summary.json").write_text(text + "\n", "utf-8")

    async def _evening(self, box: Box, day: SimulatedDay) -> None:
        """Let the evening pass at the speed of life, so that the pages keep showing this day."""
        now_ns = time.monotonic_ns()
        evening = SimulatedDay(day.wall_ns(now_ns), now_ns, 1)
        await box.stop()
        await self.headquarters.stop()
        await self.headquarters.begin(evening)
        await box.begin(evening)

    def _plan_ms(self, offset_ms: int) -> int:
        return self._plan.hour_ms(self._script.shape.open_h) + offset_ms

    def _clock(self, wall_ms: int, speed: int) -> SimulatedDay:
        return SimulatedDay(wall_ms * NS_PER_MS, time.monotonic_ns(), speed)

    def _tell(self, what: str, day: SimulatedDay | None = None) -> None:
        open_ms, close_ms = self._plan_ms(0), self._plan.hour_ms(self._script.shape.close_h)
        at_ms = day.wall_ns(time.monotonic_ns()) // NS_PER_MS if day else open_ms
        share = min(1.0, max(0.0, (at_ms - open_ms) / (close_ms - open_ms)))
        self._happening(share, clock_text(at_ms - self._plan.midnight_ms), what)

    def _show(self, day: SimulatedDay, visit: Visit, act: Act) -> None:
        self._tell(self._narrator.sentence(visit, act), day)


def _wall_ms(day: SimulatedDay, mono_s: float) -> int:
    return day.wall_ns(int(mono_s * NS_PER_S)) // NS_PER_MS


def _unheard(share: float, clock: str, what: str) -> None:
    del share, clock, what


def _name_of(target: Target) -> str:
    match target:
        case Target.BOX:
            return say("the box")
        case Target.BROKER:
            return say("the broker")
        case Target.HEADQUARTERS:
            return say("headquarters")
