import csv
from pathlib import Path

import pytest

from agreed.words import RemedyError
from cloud.replay.rejects import SHOWN_MAX, Rejects
from cloud.replay.rows import Unreadable


def test_all_are_counted_and_written_and_the_first_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with Rejects(path) as rejects:
        for line in range(2, SHOWN_MAX + 7):
            rejects.add(Unreadable(line, 'step: is "empty", too'))
    assert rejects.count == SHOWN_MAX + 5
    assert [row.line for row in rejects.shown] == list(range(2, SHOWN_MAX + 2))
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["line", "reason"]
    assert rows[1] == ["2", 'step: is "empty", too']
    assert len(rows) == SHOWN_MAX + 6


def test_the_list_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    path.write_text("of another log\n")
    with Rejects(path):
        pass
    assert path.read_text(encoding="utf-8-sig").splitlines() == ["line,reason"]


def test_without_a_file_the_rows_are_only_counted() -> None:
    with Rejects(None) as rejects:
        rejects.add(Unreadable(2, "torn"))
    assert rejects.count == 1


def test_a_file_that_cannot_be_written_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match="cannot be written"), Rejects(tmp_path):
        pass
