import asyncio
from pathlib import Path
from typing import Any

import pytest

from edge.keying import INSTALL, REKEY, Keying
from edge.reader_keys import write_key, write_new_key
from firmware_interfaces.observations import Command, Install, Observation, Rekey, Seen
from firmware_interfaces.osdp.reader import EITHER_KEY, INSTALL_S_MAX, KEEPS_KEY
from firmware_interfaces.osdp.settings import new_key_file
from tests.firmware_interfaces.worlds import at_ms

OLD, NEW = bytes(range(1, 17)), bytes(range(2, 18))


class World:
    """A keying, its reader's key file, and what the line was told."""

    def __init__(self, folder: Path, *, takes: bool = True) -> None:
        self.key_file = folder / "gate.key"
        write_key(self.key_file, OLD)
        self.told: list[Command] = []
        self._takes = takes
        files = {"gate": self.key_file, "plain": None}
        self.keying = Keying(files, self._tell, lambda count: NEW[:count])

    def _tell(self, command: Command) -> bool:
        self.told.append(command)
        return self._takes

    def say(self, seen: Seen, value: str = "") -> None:
        self.keying.observed(Observation("gate", seen, at_ms(0), value=value))

    def keys(self) -> tuple[str, bool]:
        return self.key_file.read_text().strip(), new_key_file(self.key_file).exists()

    def ask(self, act: str, *said: tuple[Seen, str], device: str = "gate") -> dict[str, Any]:
        async def scene() -> dict[str, Any]:
            asked = asyncio.create_task(self.keying.act({"act": act, "device": device}))
            await asyncio.sleep(0)
            for seen, value in said:
                self.say(seen, value)
            return await asked

        return asyncio.run(scene())


def test_a_new_key_replaces_the_old_one_once_the_reader_has_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.ask(REKEY, (Seen.REKEYED, "")) == {"outcome": "rekeyed", "value": ""}
    assert world.told == [Rekey("gate", NEW)]
    assert world.keys() == (NEW.hex(), False)


def test_new_settings_decide_whose_key_may_be_changed(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.keying.settings_changed({"porch": world.key_file})
    assert world.ask(REKEY) == {"outcome": "no_such_reader"}
    world.say(Seen.REKEYED)  # of a reader that is no longer ours
    assert world.told == []


@pytest.mark.parametrize("why", [KEEPS_KEY, "lost", "busy"])
def test_a_key_that_was_not_taken_leaves_the_old_one(tmp_path: Path, why: str) -> None:
    world = World(tmp_path)
    outcome = world.ask(REKEY, (Seen.REFUSED_BY_DEVICE, why))
    assert outcome == {"outcome": "refused_by_device", "value": why}
    assert world.keys() == (OLD.hex(), False)


def test_while_either_may_count_both_are_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.ask(REKEY, (Seen.REFUSED_BY_DEVICE, EITHER_KEY))
    assert world.keys() == (OLD.hex(), True)
    assert world.ask(REKEY) == {"outcome": "unfinished"}
    world.say(Seen.LOST)
    assert world.keys() == (OLD.hex(), True)
    world.say(Seen.REKEYED)
    assert world.keys() == (NEW.hex(), False)


def test_after_a_crash_the_reader_decides_which_key_counts(tmp_path: Path) -> None:
    world = World(tmp_path)
    write_new_key(world.key_file, NEW)
    world.say(Seen.REFUSED_BY_DEVICE, "output not driven")
    assert world.keys() == (OLD.hex(), True)
    world.say(Seen.REFUSED_BY_DEVICE, KEEPS_KEY)
    assert world.keys() == (OLD.hex(), False)


def test_a_window_is_told_and_its_end_is_the_outcome(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.ask(INSTALL, (Seen.INSTALL_CLOSED, "keyed"))["value"] == "keyed"
    assert world.told == [Install("gate", 120)]
    assert world.keys() == (OLD.hex(), False)


def test_a_window_is_never_longer_than_it_may_be(tmp_path: Path) -> None:
    world = World(tmp_path, takes=False)
    for for_s in (10**9, -1, "long"):
        request = {"act": INSTALL, "device": "gate", "for_s": for_s}
        assert asyncio.run(world.keying.act(request)) == {"outcome": "busy"}
    assert world.told == [Install("gate", INSTALL_S_MAX)] * 3


def test_a_full_line_takes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, takes=False)
    assert world.ask(REKEY) == {"outcome": "busy"}
    assert world.keys() == (OLD.hex(), False)


def test_readers_that_cannot_be_given_a_key(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.ask(REKEY, device="nobody") == {"outcome": "no_such_reader"}
    assert world.ask(REKEY, device="plain") == {"outcome": "no_key_file"}
