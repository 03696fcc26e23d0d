from random import Random

from agreed.machine import NS_PER_MS, NS_PER_S
from simulators.world.clocks import ERROR_US_MAX, Crystal, true_wall_ms

HOUR = 3_600 * NS_PER_S


def error_ms(crystal: Crystal, now_ns: int) -> float:
    return crystal.moment(now_ns).wall_ns / NS_PER_MS - true_wall_ms(now_ns)


def test_a_steered_clock_is_as_right_as_the_kernel_says() -> None:
    for seed in range(20):
        crystal = Crystal(Random(seed), 100)
        assert abs(error_ms(crystal, 5 * HOUR)) * 1_000 <= ERROR_US_MAX
        assert crystal.discipline().is_synced


def test_a_free_clock_drifts_and_a_moved_one_is_moved() -> None:
    crystal = Crystal(Random(3), 100)
    crystal.lose_source(HOUR)
    drifted = error_ms(crystal, 11 * HOUR) - error_ms(crystal, HOUR)
    assert 0 < abs(drifted) <= 3_601
    crystal.step(12 * HOUR, Random(1))
    assert not crystal.discipline().is_synced
    crystal.steer()
    assert abs(error_ms(crystal, 13 * HOUR)) <= 2


def test_a_power_cut_begins_a_boot_and_perhaps_1970() -> None:
    walls = set()
    for seed in range(10):
        crystal = Crystal(Random(1), 0)
        crystal.power_cut(HOUR, Random(seed))
        assert crystal.machine_boot == "boot-2"
        assert crystal.mono_ns(HOUR) == 0
        walls.add(crystal.moment(HOUR).wall_ns < NS_PER_S)
    assert walls == {True, False}


def test_an_alarm_rings_when_the_clock_shows_it() -> None:
    crystal = Crystal(Random(4), 100)
    for mono_ns in (0, NS_PER_S, 50 * HOUR, 500 * HOUR):
        assert crystal.mono_ns(crystal.virtual_ns(mono_ns)) >= mono_ns
