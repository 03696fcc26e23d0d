"""The clerk reads, writes and disputes statements from the shell."""

import json
from pathlib import Path

import openpyxl
import pytest
from beancount import loader

from agreed.words import RemedyError
from tests.cloud.shells import MONTH, asked, said


def test_a_month_is_shown(worked_month: Path) -> None:
    text = said(worked_month, "statement", "month", "commission:w-1", MONTH)
    assert "payable" in text
    assert "30.01" in text
    found = json.loads(said(worked_month, "statement", "month", "commission:w-1", MONTH, "--json"))
    assert found["payable_fen"] == 3_001
    empty = json.loads(said(worked_month, "statement", "month", "commission:w-2", MONTH, "--json"))
    assert empty["emptiness"] == "no_plan"
    told = said(worked_month, "statement", "month", "commission:w-2", MONTH)
    assert "no plan is in force" in told


def test_every_file_of_a_month_is_written(worked_month: Path, tmp_path: Path) -> None:
    said(worked_month, "settle", "preview", MONTH)
    folder = tmp_path / "files"
    forms = ["--form", "xlsx", "--form", "csv"]
    said(worked_month, "statement", "export", MONTH, "--into", str(folder), *forms)
    names = {path.name for path in folder.iterdir()}
    assert {f"payroll-{MONTH}.csv", f"run-{MONTH}.xlsx", "journal.beancount"} <= names
    assert f"statement-{MONTH}-commission-w-1.xlsx" in names
    assert openpyxl.load_workbook(folder / f"payroll-{MONTH}.xlsx").worksheets[0].max_row == 2
    assert loader.load_file(str(folder / "journal.beancount"))[1] == []
    with pytest.raises(RemedyError, match="csv, xlsx"):
        asked(worked_month, "statement", "export", MONTH, "--into", str(folder), "--form", "doc")


def test_a_dispute_from_the_shell(worked_month: Path) -> None:
    opened = said(
        worked_month, "statement", "dispute", "w-1", MONTH, "o-1/arrive/1", "--claim", "I was early"
    )
    assert "Dispute 1 of o-1/arrive/1: open" in opened
    token = said(
        worked_month, "users", "add", "wang", "--name", "Wang", "--role", "approver"
    ).strip()
    decided = said(
        worked_month,
        *("statement", "decide", "1", "--decision", "yes", "--grant-fen", "50"),
        *("--token", token, "--json"),
    )
    assert json.loads(decided)["status"] == "granted"
