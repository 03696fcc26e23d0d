"""The control: whoever believes the broker loses records, and the judge says so."""

import asyncio
from pathlib import Path

import pytest

from simulators.kills import campaign
from simulators.kills.campaign import Plan, run

pytestmark = [pytest.mark.broker, pytest.mark.scenario]


def test_a_box_that_takes_puback_for_committed_loses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(campaign, "DRAIN_S_MAX", 3.0)
    plan = Plan(headquarters=2, seed=1, rate_per_s=100, is_trusting=True)
    done = asyncio.run(run(plan, tmp_path))
    assert done.verdict is not None
    assert done.verdict.lost_accepted > 0
    assert not done.verdict.is_clean
