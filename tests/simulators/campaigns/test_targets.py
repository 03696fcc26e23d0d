from pathlib import Path
from random import Random

import pytest

from simulators.campaigns.targets import STREAM_INPUTS_MAX, Target, make_targets

NAMES = (
    "block",
    "message",
    "directive",
    "osdp",
    "locker cu16",
    "locker wkly",
    "scanner gm65",
    "scanner ssi",
    "wiegand stx",
    "modbus",
    "contacts",
    "ble",
    "uhppote",
    "settings",
    "mapping",
    "replay rows",
    "replay times",
    "clock memory",
)


@pytest.fixture
def targets(tmp_path: Path) -> dict[str, Target]:
    return {target.name: target for target in make_targets(tmp_path)}


def takes_one(target: Target) -> bool:
    taken = 0
    for data in target.good:
        try:
            taken += target.decode(data)
        except target.errors:
            continue
    return taken > 0


def test_every_decoder_is_there_and_takes_something_good(targets: dict[str, Target]) -> None:
    assert set(NAMES) <= set(targets)
    silent = {name for name, target in targets.items() if not takes_one(target)}
    assert silent == {"scanner text silence"}  # it needs time to pass


@pytest.mark.parametrize("name", ["block", "message", "directive", "osdp", "locker cu16"])
def test_some_hostile_inputs_get_past_the_checksum(targets: dict[str, Target], name: str) -> None:
    target, dice = targets[name], Random(1)
    taken = 0
    for _ in range(400):
        try:
            taken += target.decode(target.hostile(dice))
        except target.errors:
            continue
    assert 0 < taken < 400


def test_a_reader_of_a_line_is_used_for_many_inputs(targets: dict[str, Target]) -> None:
    target = targets["locker cu16"]
    whole = target.good[0]
    assert not target.decode(whole[:4])
    assert target.decode(whole[4:])
    assert not target.decode(whole[:4])
    for _ in range(STREAM_INPUTS_MAX):
        target.decode(b"")
    assert not target.decode(whole[4:])
