import json

import pytest

from simulators.campaigns.door import Tally, main
from simulators.world.door import Passed


def test_the_campaign_prints_its_figures_and_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--from", "2"]) == 0
    first, _second, figures = capsys.readouterr().out.splitlines()
    assert first.startswith("seed 2 trace ")
    said = json.loads(figures)
    assert (said["seeds"], said["failed"], said["from"], said["rate_below"]) == (2, 0, 2, 1.5)


def test_a_planted_bug_that_is_not_caught_fails_the_campaign(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--plant", "card-lies", "--seeds", "0"]) == 1
    assert "MISSED" in capsys.readouterr().out
    assert main(["--plant", "all", "--seeds", "20"]) == 0
    assert capsys.readouterr().out.count("caught by seed") == 6


def test_a_failed_seed_is_counted_and_gives_no_bound() -> None:
    tally = Tally()
    tally.add(Passed(1, taken=3, broken=["lost"]))
    summary = tally.summary()
    assert (summary["failed"], summary["rate_below"], summary["records_taken"]) == (1, None, 3)
