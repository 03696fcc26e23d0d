"""Every bound holds over many seeds of clocks, and trusting the wall clock does not."""

import json

import pytest

from simulators.campaigns.anchors import Tally, main, percentiles, play, play_day, trusting


def test_every_bound_holds_and_records_of_1970_find_their_time() -> None:
    tally = Tally()
    for seed in range(60):
        play(seed, tally)
    assert tally.failed == []
    assert tally.unset_corrected < tally.unset_claimed // 5
    assert tally.steps > 100


def test_the_same_seed_plays_the_same() -> None:
    one, two = Tally(), Tally()
    play(7, one)
    play(7, two)
    assert one == two


def test_the_control_must_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3", "--control"]) == 0
    assert json.loads(capsys.readouterr().out)["false_claims"] > 0
    assert main(["--seeds", "3"]) == 0
    assert json.loads(capsys.readouterr().out)["false_corrections"] == 0


def test_the_day_of_a_small_board_is_known_to_the_minute_of_its_boot() -> None:
    tally = Tally()
    play_day(tally)
    assert (tally.records, tally.unset_claimed, tally.unset_corrected) == (1_440, 60, 0)
    assert (tally.false_claims, tally.false_corrections, tally.contradictions) == (0, 0, 0)
    assert max(tally.corrected_ms) < 41_000
    control = Tally()
    play_day(control, trusting)
    assert control.false_claims > 100


def test_percentiles_are_values_that_were_seen() -> None:
    assert percentiles([]) == {}
    assert percentiles([4, 1, 9]) == {"p50": 4, "p90": 9, "p99": 9, "max": 9}
