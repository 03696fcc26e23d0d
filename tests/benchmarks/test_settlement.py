import json
import sys

import pytest

from benchmarks import settlement


def test_it_prints_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["settlement", "--json", "--what-if", "2000", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", asked)
    settlement.main()
    [report] = json.loads(capsys.readouterr().out)["what_if"]
    assert report["figures"]["what_if_lines"] == 2_000
    assert report["figures"]["what_if_lines_per_s"] > 0
