"""What a technician asks of the running box: how it is, what it hears, a trial, new settings."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final, Protocol

from agreed.words import say
from edge.site import Site
from edge.status import Row
from edge.wires import Watcher, Wires
from firmware_interfaces.observations import (
    Admit,
    Answer,
    Command,
    OpenCompartment,
    Refuse,
    Seen,
    Trigger,
)

TRIAL_OPEN_MS: Final = 3_000
WATCHERS_COUNT_MAX: Final = 8


class Box(Protocol):
    """What the box does about it."""

    async def status(self) -> Row:
        """Say how the box is."""
        ...

    async def reload(self) -> str:
        """Read the settings again; "" or why not."""
        ...

    def tested(self, command: Command) -> bool:
        """Try a device, and record it."""
        ...


def command_row(command: Command) -> Row:
    """Write a trial as a question."""
    row = {"ask": "tell", "command": type(command).__name__, "device": command.device}
    part = getattr(command, "part", 0)
    return row | {"part": part}


def command_of(row: Row) -> Command | None:
    """Read a trial; None for what may not be tried."""
    device, part = row.get("device"), row.get("part", 0)
    if not isinstance(device, str) or not isinstance(part, int):
        return None
    trials: dict[Any, Command] = {
        "Admit": Admit(device, TRIAL_OPEN_MS),
        "Refuse": Refuse(device),
        "Answer": Answer(device, is_good=True),
        "Trigger": Trigger(device),
        "OpenCompartment": OpenCompartment(device, part),
    }
    return trials.get(row.get("command"))


class Asked:
    """Answers the questions that come over the socket."""

    def __init__(self, wires: Wires, site: Site, box: Box) -> None:
        self._wires = wires
        self._site = site
        self._box = box

    async def answers(self, question: Row) -> AsyncIterator[Row]:
        """Give the rows that answer one question."""
        match question.get("ask"):
            case "status":
                yield await self._box.status()
            case "reload":
                yield {"error": await self._box.reload()}
            case "tell":
                yield {"error": self._tell(question)}
            case "watch":
                async for row in self._watch():
                    yield row
            case _:
                yield {"error": say("the box does not know this question; is it older?")}

    def _tell(self, question: Row) -> str:
        command = command_of(question)
        if command is None:
            return say("the box does not know this trial; is it older?")
        if isinstance(command, OpenCompartment) and self._site.holds(command.device, command.part):
            return say(
                "compartment {part} is in use and stays shut; try another: --part",
                part=command.part,
            )
        if not self._box.tested(command):
            return say("the box has no device {name}.", name=command.device)
        return ""

    async def _watch(self) -> AsyncIterator[Row]:
        if len(self._wires.watchers) >= WATCHERS_COUNT_MAX:
            yield {"error": say("too many listen already; end another monitor first.")}
            return
        watcher = Watcher()
        self._wires.watchers.add(watcher)
        try:
            for seen, names in ((Seen.BACK, self._site.back), (Seen.LOST, self._site.lost)):
                for name in sorted(names):
                    yield {"ms": 0, "device": name, "seen": seen.name, "value": "", "part": 0}
            while True:
                yield json.loads(await watcher.next())
        finally:
            self._wires.watchers.discard(watcher)
