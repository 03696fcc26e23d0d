"""The control: whoever believes the broker loses records, and the judge says so."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.kills import campaign
from simulators.kills.campaign import Plan, run
from simulators.kills.verdict import Verdict

ROUNDS_MAX = 5  # a kill may find nothing under way: then nothing is lost by it
pytestmark = [pytest.mark.broker, pytest.mark.scenario]


def test_a_box_that_takes_puback_for_committed_loses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(campaign, "DRAIN_S_MAX", 3.0)
    verdicts = rounds(tmp_path)
    losing = next((verdict for verdict in verdicts if verdict.lost_accepted), None)
    assert losing is not None
    assert not losing.is_clean


def rounds(folder: Path) -> Iterator[Verdict]:
    for seed in range(1, ROUNDS_MAX + 1):
        plan = Plan(headquarters=2, seed=seed, rate_per_s=100, is_trusting=True)
        home = folder / str(seed)
        home.mkdir()
        verdict = asyncio.run(run(plan, home)).verdict
        assert verdict is not None
        yield verdict
