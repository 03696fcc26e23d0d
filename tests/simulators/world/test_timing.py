import pytest

from simulators.world.timing import Timed, time_boot


@pytest.mark.parametrize("seed", [1, 2])
def test_a_true_time_lies_within_its_bound_whatever_the_clock_does(seed: int) -> None:
    timed = time_boot(seed)
    assert timed.records > 1_000
    assert (timed.claimed_beyond, timed.corrected_beyond) == (0, 0)
    assert timed.claimed_unset > 0
    assert timed.corrected_unset == 0


def test_a_kernel_that_is_believed_at_all_times_is_found_out() -> None:
    assert time_boot(1, is_control=True).claimed_beyond > 0


def test_boots_are_added_up() -> None:
    timed = Timed(records=3, claimed_unset=1)
    timed.add(Timed(records=2, claimed_beyond=1))
    assert (timed.records, timed.claimed_unset, timed.claimed_beyond) == (5, 1, 1)
