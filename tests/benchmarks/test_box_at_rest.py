import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.box_at_rest import at_rest, boxes


def test_every_box_has_one_family_more_than_the_one_before() -> None:
    names = [[part.name for part in parts] for parts in boxes()]
    assert [len(box) for box in names] == [0, 1, 2, 3, 4]
    assert all(more[:-1] == less for less, more in pairwise(names))


@pytest.mark.scenario
def test_a_real_box_is_measured_once_its_devices_answer(tmp_path: Path) -> None:
    scanners = boxes()[3][2]
    measured = asyncio.run(at_rest([scanners], 1.0, tmp_path, settle_s=0.0))
    assert 0 <= measured["cpu_percent_of_one_core"] < 100
    assert 20 < measured["resident_mb"] <= measured["resident_peak_mb"] < 200
