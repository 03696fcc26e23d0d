"""The finance clerk's shell, from preview to payout."""

import json
from pathlib import Path

import pytest

from agreed.words import RemedyError
from tests.cloud.shells import MONTH, asked, said


def test_a_month_from_preview_to_payout(worked_month: Path) -> None:
    done = asked(worked_month, "settle", "preview", MONTH)
    assert "payable 30.01 yuan" in done.stdout
    assert f"next: duifu cloud settle review {MONTH} --site north" in done.stderr
    said(worked_month, "settle", "review", MONTH, "--note", "ok")
    token = said(
        worked_month, "users", "add", "wang", "--name", "Wang", "--role", "approver"
    ).strip()
    with pytest.raises(RemedyError, match="a second person"):
        asked(worked_month, "settle", "approve", MONTH, "--yes")
    with pytest.raises(RemedyError, match="--yes"):
        asked(worked_month, "settle", "approve", MONTH, "--token", token)
    with pytest.raises(RemedyError, match="nobody's"):
        asked(worked_month, "settle", "approve", MONTH, "--token", "x", "--yes")
    said(worked_month, "settle", "approve", MONTH, "--token", token, "--yes")
    said(worked_month, "settle", "post", MONTH, "--yes")
    paid = json.loads(said(worked_month, "settle", "pay", MONTH, "--yes", "--json"))
    assert (paid["status"], paid["approved_by"]) == ("paid", "wang")
    assert json.loads(said(worked_month, "settle", "show", MONTH, "--json")) == paid
    assert "paid out" in said(worked_month, "settle", "ls")
    assert [run["period"] for run in json.loads(said(worked_month, "settle", "ls", "--json"))] == [
        MONTH
    ]
    with pytest.raises(RemedyError, match="closed already"):
        asked(worked_month, "settle", "preview", MONTH)


def test_a_run_is_given_up(worked_month: Path) -> None:
    said(worked_month, "settle", "preview", MONTH)
    done = asked(worked_month, "settle", "discard", MONTH, "--note", "wrong rate")
    assert "settle preview" in done.stderr


def test_a_site_must_be_named_when_there_are_several(worked_month: Path) -> None:
    said(worked_month, "boxes", "add", "south/gate")
    with pytest.raises(RemedyError, match="north, south"):
        asked(worked_month, "settle", "preview", MONTH)
