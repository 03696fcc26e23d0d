"""Whatever is killed when: nothing accepted is lost, and nothing is counted twice."""

import random
from pathlib import Path

import pytest

from simulators.demonstration import Strike, Target
from tests.scenarios.days import MORNING, last_words, played

pytestmark = [pytest.mark.scenario, pytest.mark.broker]

KILLS_EACH = 2


def strikes_of(seed: int) -> tuple[Strike, ...]:
    """Two kills of every process, each at its own random moment, in both link states."""
    dice = random.Random(f"strikes {seed}")
    open_h, close_h = MORNING.open_h + 0.1, MORNING.close_h - 0.3
    return tuple(
        Strike(dice.uniform(open_h, close_h), target, dice.uniform(0.0, 1.0))
        for target in Target
        for _ in range(KILLS_EACH)
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_kills_at_random_moments(seed: int, tmp_path: Path) -> None:
    day = played(tmp_path, seed, speed=720, strikes=strikes_of(seed))
    assert day.findings.faults == [], last_words(tmp_path)
    assert day.summary["killed"] == {target.value: KILLS_EACH for target in Target}
    assert day.findings.records_committed > 150
