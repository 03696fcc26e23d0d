import pytest

from simulators.campaigns.world import hunt
from simulators.world.bugs import BUGS
from simulators.world.playing import stage

QUICK = ("acknowledge-on-puback", "acknowledge-before-commit", "paid-twice")


def test_there_are_more_than_ten_planted_bugs() -> None:
    assert len(BUGS) > 10
    assert set(QUICK) <= set(BUGS)


@pytest.mark.parametrize("plant", QUICK)
def test_a_planted_bug_is_caught(plant: str) -> None:
    with stage() as on:
        assert hunt(on, plant, 0, 12) is not None
