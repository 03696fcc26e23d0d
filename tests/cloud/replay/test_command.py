"""`duifu replay` as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloud.replay.logs import LOG, MAPPING


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "duifu", "--lang", "en", "replay", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path


def test_figures_for_a_program(folder: Path) -> None:
    options = ("--json", "--data", "store", "--rejects", "r.csv", "--statements", "out")
    first = run(folder, "m.toml", "log.csv", *options)
    assert first.returncode == 0, first.stderr
    figures = json.loads(first.stdout)
    assert figures["rows_unreadable"] == 7
    assert figures["promises"]["closed"]["late"] == 2
    assert figures["commission_fen"] == 2_320
    assert figures["ledger_balanced"] is True
    assert len((folder / "r.csv").read_text().splitlines()) == 8
    assert (folder / "out/totals.csv").exists()
    again = json.loads(run(folder, "m.toml", "log.csv", "--json", "--data", "store").stdout)
    assert (figures["records_new"] > 0, again["records_new"]) == (True, 0)
    same = {k: v for k, v in figures.items() if k not in {"records_new", "duration_ms"}}
    assert same.items() <= again.items()


def test_tables_for_the_eye_and_nothing_left_behind(folder: Path) -> None:
    done = run(folder, "m.toml", "log.csv", TMPDIR=str(folder))
    assert done.returncode == 0, done.stderr
    assert "9 rows read, 7 unreadable, 6 cases" in done.stdout
    assert "opens a quote that is not closed" in done.stdout
    assert "ledger balanced, chain verified" in done.stdout
    assert sorted(p.name for p in folder.iterdir()) == ["log.csv", "m.toml"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("m.toml", "absent.csv"), "absent.csv does not exist"),
        (("absent.toml", "log.csv"), "absent.toml does not exist"),
        (("log.csv", "m.toml"), "log.csv is not TOML"),
        (("m.toml", "."), "is a folder"),
        (("m.toml", "m.toml"), "no column order"),
        (("m.toml", "log.csv", "--data", "m.toml"), "data folder m.toml cannot be used"),
        (("m.toml", "log.csv", "--data", "a", "--database", "b"), "not both"),
        (("m.toml", "log.csv", "--check", "--statements", "out"), "not stored is not paid"),
        (("m.toml", "log.csv", "--database", "mysql://x"), "--database must be"),
        (("m.toml", "log.csv", "--rejects", "."), "cannot be written"),
        (("m.toml", "log.csv", "--statements", "m.toml"), "cannot be written"),
    ],
)
def test_what_a_person_can_put_right_is_one_sentence(
    folder: Path, arguments: tuple[str, ...], why: str
) -> None:
    done = run(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (sentence,) = done.stderr.strip().splitlines()
    assert why in sentence
