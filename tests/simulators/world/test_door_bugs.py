from pathlib import Path

import pytest

from simulators.world.card import card_files
from simulators.world.door import pass_door, quiet
from simulators.world.door_bugs import DOOR_BUGS


@pytest.mark.parametrize("plant", DOOR_BUGS)
def test_a_planted_bug_is_caught(plant: str, tmp_path: Path) -> None:
    with card_files() as files, quiet():
        played = (pass_door(files, tmp_path / "w", seed, DOOR_BUGS[plant]) for seed in range(20))
        assert any(one.broken for one in played)
