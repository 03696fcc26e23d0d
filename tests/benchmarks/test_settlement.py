import json
import sys

import pytest

from benchmarks import settlement


def asked(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["settlement", "--json", *arguments])


def test_it_prints_one_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--sizes", "1000,2000", "--orders", "30", "--what-if", "2000", "--rounds", "1"]
    asked(monkeypatch, *small, "--stores", "sqlite")
    settlement.main()
    report = json.loads(capsys.readouterr().out)
    posted = report["posting"]["sqlite"]
    assert posted["2000"]["posting_lines_per_s"] > 0
    assert posted["cost_per_line_largest_vs_smallest"] > 0
    assert report["rerun"]["sqlite"]["changed"] == 1
    [tried] = report["what_if"]
    assert tried["figures"]["what_if_lines"] == 2_000


@pytest.mark.postgres
def test_it_starts_a_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(monkeypatch, "--parts", "posting", "--stores", "postgresql", "--sizes", "1000")
    settlement.main()
    report = json.loads(capsys.readouterr().out)
    assert report["posting"]["postgresql"]["1000"]["vs_floor"] > 0
    assert report["missing"] == []


def test_an_unknown_part_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(monkeypatch, "--parts", "posting,poster")
    with pytest.raises(SystemExit):
        settlement.main()
    assert "choose from" in capsys.readouterr().err
