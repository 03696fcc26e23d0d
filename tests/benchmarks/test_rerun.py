from pathlib import Path

from benchmarks.rerun import measure
from cloud.database.engine import sqlite_url


def test_what_changed_is_settled_again(tmp_path: Path) -> None:
    report = measure(sqlite_url(tmp_path / "month.db"), 40, 500)
    assert report["changed"] == 2
    assert report["again_vs_first"] > 0
