import json

import pytest

from simulators.campaigns.world import Tally, main
from simulators.world.judging import Judgement
from simulators.world.playing import Played


def test_the_campaign_prints_its_figures_and_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--from", "4"]) == 0
    first, _second, figures = capsys.readouterr().out.splitlines()
    assert first.startswith("seed 4 trace ")
    said = json.loads(figures)
    assert (said["seeds"], said["failed"], said["from"]) == (2, 0, 4)
    assert said["rate_below"] == 1.5


def test_a_planted_bug_that_is_not_caught_fails_the_campaign(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--plant", "acknowledge-before-commit", "--seeds", "0"]) == 1
    assert "MISSED" in capsys.readouterr().out
    assert main(["--plant", "acknowledge-before-commit", "--seeds", "9"]) == 0
    assert "caught by seed" in capsys.readouterr().out


def test_a_failed_seed_is_counted_and_gives_no_bound() -> None:
    tally = Tally()
    tally.add(Played(1, "t", 3_600.0, 5, Judgement(7, 2, ["lost"])))
    summary = tally.summary()
    assert tally.failed == {1: ["lost"]}
    assert (summary["failed"], summary["rate_below"], summary["records_accepted"]) == (1, None, 7)
