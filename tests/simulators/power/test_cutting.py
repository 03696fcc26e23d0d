from pathlib import Path

import pytest

from simulators.power.cutting import Cuts, cut_box, cut_headquarters
from simulators.power.disk import can_mount

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(not can_mount(), reason="mounts a disk: needs root"),
]


def test_a_cut_loses_nothing_that_a_box_said_is_accepted(tmp_path: Path) -> None:
    cuts = cut_box(tmp_path, 8, 5)
    assert cuts.faults == []
    assert (cuts.cuts, cuts.failed) == (8, 0)
    assert cuts.said["RECORD"] > 0


def test_a_box_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    cuts = cut_box(tmp_path, 20, 5, is_control=True)
    assert cuts.failed > 0
    # Without a flush the files may lack records, directives, or all that makes them a journal.
    found_out = ("records lost", "learned", "set aside")
    assert any(words in fault for words in found_out for fault in cuts.faults)


def test_a_cut_loses_nothing_that_headquarters_said_is_committed(tmp_path: Path) -> None:
    cuts = cut_headquarters(tmp_path, 4, 5)
    assert cuts.faults == []
    assert cuts.said["BLOCK"] > 0


def test_cuts_are_counted() -> None:
    cuts = Cuts(cuts=300)
    assert cuts.summary()["rate_below"] == 0.01
    cuts.blame(["one broke"])
    assert (cuts.failed, cuts.summary()["rate_below"]) == (1, None)
