import math

import pytest

from simulators.campaigns.sharing import folder_in_memory, shared


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_part_is_done_and_given_in_order(jobs: int) -> None:
    assert list(shared(jobs, math.isqrt, [1, 4, 9, 16])) == [1, 2, 3, 4]


def test_a_folder_is_cleared_away() -> None:
    with folder_in_memory("test") as folder:
        (folder / "a").write_text("x")
    assert not folder.exists()
