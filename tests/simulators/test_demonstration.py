"""The demonstration: what it is told; tests/scenarios/ plays it."""

from pathlib import Path

from simulators.demonstration import Demonstration, Script, Strike, Target
from simulators.folder import chosen_port
from tests.scenarios.days import MIDNIGHT_MS, MORNING


def test_the_broker_is_killed_once_unless_told_otherwise() -> None:
    script = Script(MIDNIGHT_MS, shape=MORNING)
    assert script.all_strikes() == (Strike(MORNING.broker_killed_h, Target.BROKER),)
    assert Script(MIDNIGHT_MS, shape=MORNING, strikes=()).all_strikes() == ()


def test_before_the_day_nothing_is_judged(tmp_path: Path) -> None:
    day = Demonstration(Script(MIDNIGHT_MS, shape=MORNING), tmp_path, chosen_port(None))
    assert len(day.workers) == 12
    assert day.summary == {}
    assert day.scene is None
    assert list(tmp_path.iterdir()) == []
