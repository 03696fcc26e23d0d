"""`duifu replay` as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from agreed.words import RemedyError
from cloud.database.engine import open_engine, writing
from cloud.replay.__main__ import app
from tests.cloud.replay.logs import LOG, MAPPING


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "log.csv").write_text(LOG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=True)


def test_figures_for_a_program(folder: Path) -> None:
    options = ("--json", "--data", "store", "--rejects", "r.csv", "--statements", "out")
    first = run("m.toml", "log.csv", *options)
    assert first.exit_code == 0, first.output
    figures = json.loads(first.stdout)
    assert figures["rows_unreadable"] == 7
    assert figures["promises"]["closed"]["late"] == 2
    assert figures["commission_fen"] == 2_320
    assert figures["ledger_balanced"] is True
    assert len((folder / "r.csv").read_text().splitlines()) == 8
    assert (folder / "out/totals.csv").exists()
    again = json.loads(run("m.toml", "log.csv", "--json", "--data", "store").stdout)
    assert (figures["records_new"] > 0, again["records_new"]) == (True, 0)
    same = {k: v for k, v in figures.items() if k not in {"records_new", "duration_ms"}}
    assert same.items() <= again.items()


def test_tables_for_the_eye_and_nothing_left_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    done = run("m.toml", "log.csv")
    assert done.exit_code == 0, done.output
    assert "9 rows read, 7 unreadable, 6 cases" in done.stdout
    assert "opens a quote that is not closed" in done.stdout
    assert "ledger balanced, chain verified" in done.stdout
    assert sorted(p.name for p in folder.iterdir()) == ["log.csv", "m.toml"]


def test_checking_pays_nothing(folder: Path) -> None:
    figures = json.loads(run("m.toml", "log.csv", "--check", "--json").stdout)
    assert figures["promises"]["closed"]["judged"] == 3
    assert (figures["commission_fen"], figures["ledger_balanced"]) == (None, None)
    assert sorted(p.name for p in folder.iterdir()) == ["log.csv", "m.toml"]


def test_a_store_of_ones_own(folder: Path) -> None:
    done = run("m.toml", "log.csv", "--json", "--database", "sqlite:///own.db")
    assert json.loads(done.stdout)["commission_fen"] == 2_320
    assert (folder / "own.db").exists()


def test_books_that_do_not_hold_are_exit_status_one(folder: Path) -> None:
    run("m.toml", "log.csv", "--database", "sqlite:///own.db")
    engine = open_engine("sqlite:///own.db")
    with writing(engine) as connection:
        for trigger in (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            .scalars()
            .all()
        ):
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("UPDATE records SET wall_ms = wall_ms + 1 WHERE sequence = 1"))
    engine.dispose()
    done = run("m.toml", "log.csv", "--database", "sqlite:///own.db")
    assert done.exit_code == 1
    assert "NOT VERIFIED" in done.stdout
    assert folder.exists()


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
@pytest.mark.usefixtures("folder")
def test_what_a_person_can_put_right_is_one_sentence(arguments: tuple[str, ...], why: str) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, RemedyError)
    assert why in str(done.exception)
    assert done.stdout == ""


def test_the_sentence_stands_alone_with_exit_status_two(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "duifu", "--lang", "en", "replay", "m.toml", "absent.csv"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "✗ absent.csv does not exist: check the path.\n"
