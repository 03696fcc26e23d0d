"""People: they wait for their moment and their turn, and push doors shut again."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from agreed.codes import with_check
from agreed.directives import CodeAction
from agreed.machine import NS_PER_MS, NS_PER_S, Moment, SimulatedDay
from edge.config import read_settings
from firmware_interfaces.driver import Line, drive
from firmware_interfaces.observations import (
    Admit,
    Answer,
    Command,
    Observation,
    OpenCompartment,
    Refuse,
    Seen,
)
from firmware_interfaces.settings import device_names, make_line
from simulators.cast import GATES, KIOSK, LOCKER, wiegand_card
from simulators.day import Act, Visit
from simulators.people import People, sleep_until
from simulators.site import SimulatedSite

GOOD_CARD, BAD_CARD = wiegand_card(1, 1), wiegand_card(1, 2)
PART = 3
PUT_IN, TAKE_OUT, UNKNOWN = with_check("PUT"), with_check("TAKE"), with_check("NEVER")


class ObligingBox:
    """Does what is asked: knows one card, and opens one compartment for every code but one."""

    def __init__(self, site: SimulatedSite) -> None:
        self.lines: dict[str, Line] = {}
        for table in read_settings(site.settings).line:
            line = make_line(table, os.urandom(16))
            self.lines |= dict.fromkeys(device_names(table), line)

    def observe(self, observation: Observation) -> None:
        device = observation.device
        if observation.seen is Seen.CARD:
            is_known = observation.value == GOOD_CARD
            self.tell(Admit(device) if is_known else Refuse(device))
        if observation.seen is Seen.CODE:
            is_good = observation.value != UNKNOWN
            self.tell(Answer(device, is_good))
            if is_good:
                self.tell(OpenCompartment(LOCKER, PART))

    def tell(self, command: Command) -> None:
        assert self.lines[command.device].tell(command)


def moment() -> Moment:
    return Moment(0, time.monotonic_ns())


@contextlib.asynccontextmanager
async def living(folder: Path) -> AsyncIterator[SimulatedSite]:
    async with SimulatedSite(folder, 1) as site:
        site.write_settings("mqtt://127.0.0.1:1", "", "")
        box = ObligingBox(site)
        tasks = [
            asyncio.create_task(drive(line, box.observe, moment))
            for line in dict.fromkeys(box.lines.values())
        ]
        async with asyncio.timeout(90):
            while not site.is_online():  # noqa: ASYNC110 - the reader has no event to wait for
                await asyncio.sleep(0.02)
        yield site
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_people_do_their_acts_and_remember_what_they_were_told(tmp_path: Path) -> None:
    seen: list[str] = []
    day = SimulatedDay(0, time.monotonic_ns(), 1_000)
    visits = (
        Visit("w-01", (Act(0, GATES[0], BAD_CARD), Act(0, GATES[0], GOOD_CARD))),
        Visit("stranger", (Act(0, KIOSK, UNKNOWN),)),
        Visit("w-01", (Act(0, KIOSK, "", CodeAction.DEPOSIT, "p1"),)),
        Visit("r-001", (Act(0, KIOSK, "", CodeAction.COLLECT, "p1"),)),
    )

    async def play() -> People:
        async with living(tmp_path / "box") as site:
            people = People(site, day, lambda visit, _act: seen.append(visit.person))
            people.learn("p1", {CodeAction.DEPOSIT: PUT_IN, CodeAction.COLLECT: TAKE_OUT})
            await people.live(visits)
            return people

    people = asyncio.run(play())
    assert sorted(seen) == ["r-001", "stranger", "w-01", "w-01", "w-01"]
    gate = [(heard.text, heard.is_good) for heard in people.heard if heard.device == GATES[0]]
    kiosk = {heard.text: heard.is_good for heard in people.heard if heard.device == KIOSK}
    assert gate == [(BAD_CARD, False), (GOOD_CARD, True)]
    assert kiosk == {UNKNOWN: False, PUT_IN: True, TAKE_OUT: True}
    assert [(door.code, door.part) for door in people.doors] == [(PUT_IN, PART), (TAKE_OUT, PART)]


def test_a_moment_of_the_day_comes_at_the_speed_of_the_day() -> None:
    began_ns = time.monotonic_ns()
    day = SimulatedDay(0, began_ns, 1_000)
    asyncio.run(sleep_until(day, 100_000))
    assert time.monotonic_ns() - began_ns >= 100 * NS_PER_MS
    began_ns = time.monotonic_ns()
    long_ago = SimulatedDay(0, began_ns - 3_600 * NS_PER_S, 1)
    asyncio.run(sleep_until(long_ago, 60_000))
    assert time.monotonic_ns() - began_ns < 30 * NS_PER_S  # a moment that is over is not awaited
