import math

import pytest

from simulators.campaigns.sharing import folder_in_memory, shared


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_part_is_done_and_given_in_order(jobs: int) -> None:
    assert list(shared(jobs, math.isqrt, [1, 4, 9, 16])) == [1, 2, 3, 4]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_was_done_is_given_when_there_is_no_time_for_the_rest(jobs: int) -> None:
    assert list(shared(jobs, math.isqrt, [1, 4, 9, 16], seconds_max=0)) == [1]


def test_a_folder_is_cleared_away() -> None:
    with folder_in_memory("test") as folder:
        (folder / "a").write_text("x")
    assert not folder.exists()
