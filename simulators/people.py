"""What people do at the devices: they wait their turn, try again and close the doors."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from agreed.directives import CodeAction
from agreed.machine import NS_PER_MS, NS_PER_S, SimulatedDay
from firmware_interfaces.observations import Seen
from simulators.day import Act, Visit
from simulators.devices.gate_reader import TapOutcome
from simulators.devices.scanner import Answered
from simulators.site import SimulatedSite

_TRIES_MAX: Final = 12
_TRY_AGAIN_S: Final = 0.4
_DOOR_S_MAX: Final = 5.0
_LOOK_S: Final = 0.01
_HANDS_IN_S: Final = 0.4
"""How long a door stands open, in real time, at least."""

_ANSWERS_COUNT: Final = 3
"""And until its board was asked so often: a box believes what two answers in a row show."""

_HANDS_IN_S_MAX: Final = 2.0
"""But not for longer than this: the box may be dead."""

_WITH_DOOR: Final = (CodeAction.DEPOSIT, CodeAction.COLLECT)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one person was told after one act.

    Attributes:
        device: which gate, or the kiosk.
        text: the card or code.
        is_good: green light or good beep; None when nothing was heard at all.
        mono_ns: when.
    """

    device: str
    text: str
    is_good: bool | None
    mono_ns: int


@dataclass(frozen=True, slots=True)
class DoorUsed:
    """A compartment that opened for a code and was pushed shut again at a moment."""

    code: str
    part: int
    mono_ns: int


class People:
    """Everybody on the site, each going through their own day.

    Attributes:
        heard: what they were told, in order.
        doors: compartments that opened for them.
        codes: the code of each (order, action), filled in as orders are created.
    """

    def __init__(
        self, site: SimulatedSite, day: SimulatedDay, happening: Callable[[Visit, Act], None]
    ) -> None:
        self._site = site
        self._day = day
        self._happening = happening
        self._kiosk_turn = asyncio.Lock()
        self._deposits: dict[str, asyncio.Event] = {}
        self._doors: set[asyncio.Task[None]] = set()
        self.heard: list[Heard] = []
        self.doors: list[DoorUsed] = []
        self.codes: dict[tuple[str, CodeAction], str] = {}

    def learn(self, order: str, codes: Mapping[CodeAction, str]) -> None:
        """Hand out the codes of an order."""
        for action, code in codes.items():
            self.codes[order, action] = code

    async def live(self, visits: tuple[Visit, ...]) -> None:
        """Play every visit at its time, until the last has gone home."""
        for visit in visits:
            for act in visit.acts:
                if act.action is CodeAction.DEPOSIT:
                    self._deposits[act.order] = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for visit in visits:
                group.create_task(self._visit(visit))
        await asyncio.gather(*self._doors)

    async def _visit(self, visit: Visit) -> None:
        for act in visit.acts:
            await sleep_until(self._day, act.at_ms)
            self._happening(visit, act)
            if act.text.startswith("26:"):
                await self._tap(act)
            else:
                await self._scan(act)

    async def _tap(self, act: Act) -> None:
        for _ in range(_TRIES_MAX):
            outcome = await self._site.gates[act.device].tap(act.text)
            is_good = None if outcome is TapOutcome.NOTHING else outcome is TapOutcome.ADMITTED
            self._hear(act.device, act.text, is_good)
            if is_good is not None:
                return
            await asyncio.sleep(_TRY_AGAIN_S)

    async def _scan(self, act: Act) -> None:
        code = await self._code(act)
        if act.action is CodeAction.COLLECT:
            await self._deposits[act.order].wait()
        part = 0
        for _ in range(_TRIES_MAX if code else 0):
            is_good, part = await self._scan_once(act, code)
            if is_good is not None:
                break
            await asyncio.sleep(_TRY_AGAIN_S)
        closing = asyncio.create_task(self._close(act, code, part))
        self._doors.add(closing)

    async def _code(self, act: Act) -> str:
        """Give the text to scan; "" when the order was never created."""
        if act.action is None:
            return act.text
        for _ in range(_TRIES_MAX):
            if (act.order, act.action) in self.codes:
                return self.codes[act.order, act.action]
            await asyncio.sleep(_TRY_AGAIN_S)
        return ""

    async def _scan_once(self, act: Act, code: str) -> tuple[bool | None, int]:
        async with self._kiosk_turn:
            said = len(self._site.bank.emitted)
            answered = await self._site.kiosk.scan(code)
            is_good = None if answered is Answered.NOTHING else answered is Answered.GOOD
            self._hear(act.device, code, is_good)
            part = await self._opened(said) if is_good and act.action in _WITH_DOOR else 0
        return is_good, part

    async def _close(self, act: Act, code: str, part: int) -> None:
        """Push the door shut, while its owner already does something else."""
        if part:
            await self._hands_in(part)
            self.doors.append(DoorUsed(code, part, time.monotonic_ns()))
            self._site.bank.close(part)
        if act.action is CodeAction.DEPOSIT:
            self._deposits[act.order].set()

    async def _hands_in(self, part: int) -> None:
        """Keep a door open for a while in which whoever asks its board sees it."""
        bank = self._site.bank
        asked = bank.answers_about(part)
        until_ns = time.monotonic_ns() + int(_HANDS_IN_S_MAX * NS_PER_S)
        await asyncio.sleep(_HANDS_IN_S)
        while bank.answers_about(part) < asked + _ANSWERS_COUNT:
            if time.monotonic_ns() > until_ns:
                break
            await asyncio.sleep(_LOOK_S)

    async def _opened(self, said: int) -> int:
        """Look which door opened since; 0 for none."""
        until_ns = time.monotonic_ns() + int(_DOOR_S_MAX * NS_PER_S)
        while time.monotonic_ns() < until_ns:
            for emission in self._site.bank.emitted[said:]:
                if emission.seen is Seen.DOOR_OPENED and self._site.bank.is_open(emission.part):
                    return emission.part
            await asyncio.sleep(_LOOK_S)
        return 0

    def _hear(self, device: str, text: str, is_good: bool | None) -> None:
        self.heard.append(Heard(device, text, is_good, time.monotonic_ns()))


async def sleep_until(day: SimulatedDay, at_ms: int) -> None:
    """Wait for a moment of the simulated day; not at all when it has passed."""
    due_ns = day.mono_ns_zero + (at_ms * NS_PER_MS - day.wall_ns_zero) // day.speed
    await asyncio.sleep(max(0, due_ns - time.monotonic_ns()) / NS_PER_S)
