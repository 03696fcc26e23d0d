"""The finance clerk's shell for plans."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from agreed.words import RemedyError, language
from cloud.__main__ import app
from tests.cloud.settlement.small_month import PLAN
from tests.cloud.shells import headquarters, work
from tests.cloud.world import T0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    language.set("en")
    with headquarters(tmp_path) as world:
        work(world, T0)
    return tmp_path


def written(data: Path, **changes: Any) -> str:
    file = data / "plan.json"
    file.write_text(json.dumps(PLAN | changes))
    return str(file)


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["plan", *arguments], catch_exceptions=False)


def test_a_plan_from_file_to_force(data: Path) -> None:
    at = ("--data", str(data))
    assert "the company keeps 30 %" in asked("check", written(data)).stdout
    assert "piece rates of the packs" in asked("show", *at).stdout
    assert "spring version 1 holds from 2026-03" in asked("publish", written(data), *at).stdout
    file = written(data, cap_fen=2_000)
    against = asked("diff", "spring", "1", "--file", file, *at)
    assert against.stdout == "cap_fen: new, 20.00 yuan.\n"
    tried = asked("try", file, "2027-01", "2027-01", *at).stdout
    assert "-10.01" in tried
    assert "Under this plan: new profit 127.06 yuan" in tried
    asked("publish", file, *at)
    assert "spring v2" in asked("show", *at).stdout
    assert "cap_fen" not in asked("diff", "spring", "2", *at).stdout
    [shown] = json.loads(asked("show", "spring", "--version", "1", "--json", *at).stdout)
    assert shown["plan"]["cap_fen"] is None
    found = json.loads(asked("try", file, "2027-01", "2027-01", "--json", *at).stdout)
    assert found["lines"] == 2


def test_everything_wrong_with_a_file_is_named(data: Path) -> None:
    faulty = asked("check", written(data, cap_fen=-1, colour="red"))
    assert faulty.exit_code == 1
    assert "✗ cap_fen must be at least 0." in faulty.stdout
    assert "✗ There is no field colour; correct its spelling or leave it out." in faulty.stdout
    (data / "plan.json").write_text('{\n"key": ')
    with pytest.raises(RemedyError, match="line 2"):
        asked("check", str(data / "plan.json"))
    with pytest.raises(RemedyError, match="cannot be read"):
        asked("check", str(data / "none.json"))


def test_the_books_say_who_published_a_plan(data: Path) -> None:
    at = ("--data", str(data))
    asks = ["users", "add", "zhao", "--name", "Zhao", "--role", "operator", *at]
    token = CliRunner().invoke(app, asks, catch_exceptions=False).stdout.strip()
    asked("publish", written(data), "--token", token, *at)
    [plan] = json.loads(asked("show", "--json", *at).stdout)
    assert plan["published_by"] == "zhao"
    with pytest.raises(RemedyError, match="nobody's"):
        asked("publish", written(data), "--token", "x", *at)
