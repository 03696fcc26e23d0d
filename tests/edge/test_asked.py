"""What a technician may ask of the running box, and what it refuses."""

import asyncio
from typing import Any

import pytest

from edge.asked import WATCHERS_COUNT_MAX, Asked, command_of, command_row
from edge.decisions import keyed_digest
from edge.site import Site
from edge.wires import Watcher, Wires
from firmware_interfaces.observations import (
    Admit,
    Answer,
    Command,
    Observation,
    OpenCompartment,
    Refuse,
    Rekey,
    Seen,
    Trigger,
)
from tests.edge.test_site import NOW, SETTINGS, STAMP
from tests.firmware_interfaces.worlds import clock


class StandInBox:
    def __init__(self) -> None:
        self.tried: list[Command] = []

    async def status(self) -> dict[str, Any]:
        return {"box": "a"}

    async def reload(self) -> str:
        return "no"

    def tested(self, command: Command) -> bool:
        self.tried.append(command)
        return command.device != "nobody"


def asked() -> tuple[Asked, StandInBox, Wires]:
    box, wires = StandInBox(), Wires([], lambda _: None, clock)
    site = Site(SETTINGS, {"locker/lockers/2": '["held", "o-1", "w-1"]'}, keyed_digest(bytes(32)))
    for device, seen in (("gate", Seen.BACK), ("kiosk", Seen.LOST)):
        site.observed(Observation(device, seen, NOW), STAMP)
    return Asked(wires, site, box), box, wires


async def rows(made: Asked, question: dict[str, Any]) -> list[dict[str, Any]]:
    return [row async for row in made.answers(question)]


@pytest.mark.parametrize(
    "command",
    [
        Admit("gate"),
        Refuse("gate"),
        Answer("kiosk", is_good=True),
        Trigger("kiosk"),
        OpenCompartment("lockers", 3),
    ],
)
def test_a_trial_is_carried_out_as_it_was_written(command: Command) -> None:
    made, box, _ = asked()
    assert asyncio.run(rows(made, command_row(command))) == [{"error": ""}]
    assert box.tried == [command]


def test_keys_and_nonsense_are_no_trial() -> None:
    assert command_of(command_row(Rekey("gate", bytes(16)))) is None
    assert command_of({"command": "Admit", "device": 5}) is None
    assert command_of({"command": ["Admit"], "device": "gate"} | {"command": "?"}) is None


def test_a_compartment_in_use_stays_shut() -> None:
    made, box, _ = asked()
    (answer,) = asyncio.run(rows(made, command_row(OpenCompartment("lockers", 2))))
    assert "2" in answer["error"]
    assert box.tried == []


def test_questions_have_answers_and_unknown_ones_a_sentence() -> None:
    made, _, _ = asked()

    async def play() -> None:
        assert await rows(made, {"ask": "status"}) == [{"box": "a"}]
        assert await rows(made, {"ask": "reload"}) == [{"error": "no"}]
        for question in ({"ask": "weather"}, {"ask": "tell"}, command_row(Refuse("nobody"))):
            (answer,) = await rows(made, question)
            assert answer["error"]

    asyncio.run(play())


def test_who_watches_hears_first_who_answers_and_there_is_room_for_few() -> None:
    made, _, wires = asked()

    async def play() -> None:
        stream = made.answers({"ask": "watch"})
        first, second = await anext(stream), await anext(stream)
        assert (first["device"], first["seen"]) == ("gate", "BACK")
        assert (second["device"], second["seen"]) == ("kiosk", "LOST")
        (watcher,) = wires.watchers
        watcher.put('{"ms": 1}')
        assert await anext(stream) == {"ms": 1}
        wires.watchers.update(Watcher() for _ in range(WATCHERS_COUNT_MAX))
        (refusal,) = await rows(made, {"ask": "watch"})
        assert refusal["error"]

    asyncio.run(play())
