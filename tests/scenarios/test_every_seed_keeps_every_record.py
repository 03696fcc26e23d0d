"""Whatever a seed does to boxes, lines, broker and headquarters, every record arrives once."""

import pytest

from simulators.world.playing import play, stage

SEEDS = 25

pytestmark = pytest.mark.scenario


def test_every_seed_keeps_every_record() -> None:
    with stage() as on:
        played = [play(on, seed) for seed in range(SEEDS)]
    assert {one.seed: one.judgement.faults for one in played if one.judgement.faults} == {}
    assert sum(one.judgement.records for one in played) > 1_000
    assert sum(sum(one.faults.values()) for one in played) > 100
