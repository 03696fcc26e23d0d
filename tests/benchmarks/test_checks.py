import json
import sys
from pathlib import Path

import pytest

from benchmarks import checks


def test_it_prints_figures_ratios_and_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ["--json", "--sizes", "1000", "--open", "10000", "--rounds", "1", "--log"]
    monkeypatch.setattr(sys, "argv", ["checks", *asked, str(tmp_path / "none.csv")])
    checks.main()
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"figures", "ratios", "missing"}
    assert report["ratios"]["batch_1e3_vs_straightforward_numpy"] > 0
    assert report["figures"]["tick_1e4_bytes_per_promise"] <= 64
    assert any(line.startswith("log: ") for line in report["missing"])
