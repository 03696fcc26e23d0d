"""The finance clerk's shell, from preview to payout."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agreed.limits import WALL_MS_MAX
from agreed.words import RemedyError, language
from cloud.__main__ import app
from cloud.clerk import local_ms
from cloud.database.engine import sqlite_url
from cloud.folder import Folder, Kept
from cloud.opening import open_store
from cloud.settlement.periods import period_of
from tests.cloud.world import HOUR, World, alive, finished, passed
from tests.cloud.world import T0 as SOON

runner = CliRunner()
# The shell's clock is the real one: a month that is certainly over.
T0 = SOON - 730 * 24 * HOUR
MONTH = period_of(T0, 480)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    language.set("en")
    folder = Folder(tmp_path)
    folder.prepare().close()
    url = sqlite_url(tmp_path / "store.db")
    engine = open_store(url, tmp_path)
    world = World(engine)
    world.order("o-1", at_ms=T0 + HOUR)
    world.fund(9_000)
    world.tell(passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"), alive(T0 + 9 * HOUR))
    engine.dispose()
    folder.keep(Kept(database=url, company="acme", mqtt_url="mqtt://127.0.0.1:1883"))
    return tmp_path


def asked(data: Path, *arguments: str) -> Result:
    return runner.invoke(app, [*arguments, "--data", str(data)], catch_exceptions=False)


def said(data: Path, *arguments: str) -> str:
    done = asked(data, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_month_from_preview_to_payout(data: Path) -> None:
    done = asked(data, "settle", "preview", MONTH)
    assert "payable 30.01 yuan" in done.stdout
    assert f"next: duifu cloud settle review {MONTH} --site north" in done.stderr
    said(data, "settle", "review", MONTH, "--note", "ok")
    token = said(data, "users", "add", "wang", "--name", "Wang", "--role", "approver").strip()
    with pytest.raises(RemedyError, match="a second person"):
        asked(data, "settle", "approve", MONTH, "--yes")
    with pytest.raises(RemedyError, match="--yes"):
        asked(data, "settle", "approve", MONTH, "--token", token)
    with pytest.raises(RemedyError, match="nobody's"):
        asked(data, "settle", "approve", MONTH, "--token", "x", "--yes")
    said(data, "settle", "approve", MONTH, "--token", token, "--yes")
    said(data, "settle", "post", MONTH, "--yes")
    paid = json.loads(said(data, "settle", "pay", MONTH, "--yes", "--json"))
    assert (paid["status"], paid["approved_by"]) == ("paid", "wang")
    assert json.loads(said(data, "settle", "show", MONTH, "--json")) == paid
    assert "paid out" in said(data, "settle", "ls")
    assert [run["period"] for run in json.loads(said(data, "settle", "ls", "--json"))] == [MONTH]
    with pytest.raises(RemedyError, match="closed already"):
        asked(data, "settle", "preview", MONTH)


def test_a_run_is_given_up(data: Path) -> None:
    said(data, "settle", "preview", MONTH)
    done = asked(data, "settle", "discard", MONTH, "--note", "wrong rate")
    assert "settle preview" in done.stderr


def test_a_past_balance(data: Path) -> None:
    assert "commission:w-1" in said(data, "ledger", "balance", "--site", "north")
    then = json.loads(said(data, "ledger", "balance", "--at", "2020-01-01", "--json"))
    assert then == []
    with pytest.raises(RemedyError, match="no time"):
        asked(data, "ledger", "balance", "--at", "yesterday")


def test_local_times_are_read_in_the_company_s_zone() -> None:
    assert local_ms(None, 480) == WALL_MS_MAX
    assert local_ms("1970-01-01", 480) == 16 * HOUR - 1
    assert local_ms("1970-01-01T08:00", 480) == 0
    assert local_ms("1970-01-01T00:00:00+00:00", 480) == 0


def test_people_come_and_go(data: Path) -> None:
    said(data, "users", "add", "lin", "--name", "Lin", "--role", "clerk", "--role", "approver")
    assert "approver clerk" in said(data, "users", "ls")
    assert [p["user_id"] for p in json.loads(said(data, "users", "ls", "--json"))] == ["lin"]
    said(data, "users", "end", "lin")
    assert json.loads(said(data, "users", "ls", "--json")) == []


def test_a_site_must_be_named_when_there_are_several(data: Path) -> None:
    said(data, "boxes", "add", "south/gate")
    with pytest.raises(RemedyError, match="north, south"):
        asked(data, "settle", "preview", MONTH)


def test_funds_and_refunds_from_the_shell(data: Path) -> None:
    fund = ("ledger", "fund", "bonus", "700", "--key", "spring")
    for _ in range(2):
        assert said(data, *fund) == "bonus holds 7.00 yuan\n"
    assert said(data, "ledger", "fund", "pool", "5", "--key", "p").startswith("pool holds")
    with pytest.raises(RemedyError, match="has no wager spring"):
        asked(data, "ledger", "fund", "senior_stake", "5", "--key", "s", "--wager", "spring")
    assert asked(data, "ledger", "fund", "pocket", "5", "--key", "x").exit_code == 2
    refund = ("ledger", "refund", "o-1", "--fen", "900", "--key", "k", "--cause", "leaked")
    for _ in range(2):
        assert said(data, *refund) == f"o-1: 9.00 of 199.00 yuan went back, counted in {MONTH}.\n"
    with pytest.raises(RemedyError, match="no order o-9"):
        asked(data, "ledger", "refund", "o-9", "--key", "n", "--cause", "leaked")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ledger", "fund", "bonus", "5", "--key", "a\tb"), "key: .*control characters"),
        (
            ("ledger", "refund", "o-1", "--key", "k", "--cause", "x" * 81),
            "cause is too long; give at most 80 characters",
        ),
        (("users", "add", "wang", "--name", "", "--role", "clerk"), "name is too short"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    data: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(RemedyError, match=sentence):
        asked(data, *arguments)
