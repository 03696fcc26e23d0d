from pathlib import Path

from simulators.world.card import card_files
from simulators.world.door import Passed, pass_door, quiet

SEEDS = 25


def _played(folder: Path, seeds: range) -> list[Passed]:
    with card_files() as files, quiet():
        return [pass_door(files, folder / f"seed-{seed}", seed) for seed in seeds]


def test_what_the_door_says_is_so_whenever_the_box_dies(tmp_path: Path) -> None:
    played = _played(tmp_path, range(SEEDS))
    assert {one.seed: one.broken for one in played if one.broken} == {}
    assert sum(one.taken for one in played) > 1_000
    assert sum(one.refused for one in played) > 100
    faults = sum((one.faults for one in played), start=played[0].faults)
    assert {"killed", "power cut", "died in a write", "card full", "ended in order"} <= set(faults)
    assert not list(tmp_path.iterdir())


def test_a_seed_replays_exactly(tmp_path: Path) -> None:
    assert _played(tmp_path, range(3, 5)) == _played(tmp_path, range(3, 5))
