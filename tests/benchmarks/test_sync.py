import json
import sys
from pathlib import Path

import pytest
import structlog

from agreed.records import to_columns
from benchmarks import journal, sync

pytestmark = pytest.mark.broker


def test_it_prints_drains_bytes_and_waits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ["--json", "--blocks", "20,500", "--records", "1500", "--blocks-max", "3"]
    rest = ["--rounds", "1", "--live", "1", "--backlog", "10000", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["sync", *asked, *rest])
    try:
        sync.main()
    finally:
        structlog.reset_defaults()
    report = json.loads(capsys.readouterr().out)
    figures, ratios = report["figures"], report["ratios"]
    assert figures["drain_500_ours_per_s"] > 0
    assert figures["live_idle_samples"] > 0
    assert figures["live_behind_backlog_samples"] > 0
    assert ratios["wire_500_vs_json"] < 0.5
    assert list(tmp_path.iterdir()) == []


def test_the_floor_of_bytes_holds_what_the_records_hold() -> None:
    records = journal.some_records(200)
    assert len(sync.as_columns(records)) < 200 * 20
    assert len(sync.as_json(records[0])) > 150
    assert len(to_columns(records)) == 200
