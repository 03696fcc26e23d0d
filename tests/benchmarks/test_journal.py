import json
import sys
from pathlib import Path

import pytest

from benchmarks import journal


def test_it_prints_speed_waits_and_bytes_beside_the_floor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ["--json", "--sizes", "1,20", "--records", "40", "--commits", "4", "--rounds", "2"]
    asked += ["--backlog", "1000"]
    monkeypatch.setattr(sys, "argv", ["journal", *asked, "--folder", str(tmp_path)])
    journal.main()
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"figures", "ratios"}
    assert report["ratios"]["accept_20_vs_floor"] > 0
    assert report["figures"]["accept_1_ours_p99_ms"] >= report["figures"]["accept_1_ours_p50_ms"]
    assert report["figures"]["backlog_1000_sending_kib"] >= 0
    curve = [name for name in report["figures"] if name.startswith("written_5_per_s")]
    assert len(curve) == 3 * len(journal.WINDOWS_MS)
    assert list(tmp_path.iterdir()) == []


def test_both_sides_write_the_same_rows() -> None:
    rows, drafts = journal.some_rows(50), journal.some_drafts(50)
    assert [row[6:] for row in rows] == [
        (d.device, d.node_kind, d.subject, d.reference, d.detail) for d in drafts
    ]
    assert [row[0] for row in rows] == list(range(1, 51))
