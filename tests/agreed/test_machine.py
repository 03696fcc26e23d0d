"""The two clocks, and the day that runs faster than life."""

import pytest

from agreed.machine import Moment, SimulatedDay, parse_simulated_day


def test_a_simulated_day_runs_at_its_speed_from_its_start() -> None:
    day = SimulatedDay(wall_ns_zero=1_000, mono_ns_zero=500, speed=900)
    assert day.wall_ns(500) == 1_000
    assert day.wall_ns(502) == 1_000 + 1_800
    assert (day.mono_ns(502), day.mono_ns(400)) == (1_800, 0)


def test_a_simulated_day_is_written_and_read_again() -> None:
    day = SimulatedDay(1_700_000_000_000_000_000, 123, 60)
    assert parse_simulated_day(str(day)) == day


@pytest.mark.parametrize("text", ["", "1:2", "1:2:0", "a:b:c", "1:2:3:4"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_simulated_day(text)


def test_a_moment_keeps_its_two_clocks_apart() -> None:
    moment = Moment(wall_ns=1, mono_ns=2)
    assert (moment.wall_ns, moment.mono_ns) == (1, 2)
