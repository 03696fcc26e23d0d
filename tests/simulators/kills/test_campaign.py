"""A few kills of everything in every run; `python -m simulators.kills` plays as many as wanted."""

import asyncio
from pathlib import Path

import pytest

from simulators.kills.campaign import Plan, run

pytestmark = [pytest.mark.broker, pytest.mark.scenario]


def test_kills_and_wipes_under_load_lose_nothing(tmp_path: Path) -> None:
    plan = Plan(box=8, boxes=2, headquarters=1, broker=1, wipes=1, seed=7, rate_per_s=100)
    done = asyncio.run(run(plan, tmp_path))
    assert done.killed == {"box": 8, "headquarters": 1, "broker": 1, "wipes": 1}
    assert done.working > 0
    assert done.verdict is not None
    assert done.verdict.is_clean, done.as_dict()


def test_a_process_that_starts_from_nothing_is_no_different(tmp_path: Path) -> None:
    plan = Plan(box=1, seed=8, rate_per_s=100, is_executed=True)
    done = asyncio.run(run(plan, tmp_path))
    assert done.verdict is not None
    assert done.verdict.is_clean, done.as_dict()
