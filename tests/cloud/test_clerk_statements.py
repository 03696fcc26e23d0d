"""The clerk reads, writes and disputes statements from the shell."""

import json
from pathlib import Path

import openpyxl
import pytest
from beancount import loader

from agreed.words import RemedyError
from tests.cloud.test_clerk import MONTH, asked, said
from tests.cloud.test_clerk import data as data  # noqa: PLC0414  # the fixture


def test_a_month_is_shown(data: Path) -> None:
    text = said(data, "statement", "month", "commission:w-1", MONTH)
    assert "payable" in text
    assert "30.01" in text
    found = json.loads(said(data, "statement", "month", "commission:w-1", MONTH, "--json"))
    assert found["payable_fen"] == 3_001
    empty = json.loads(said(data, "statement", "month", "commission:w-2", MONTH, "--json"))
    assert empty["emptiness"] == "no_plan"
    told = said(data, "statement", "month", "commission:w-2", MONTH)
    assert "no plan is in force" in told


def test_every_file_of_a_month_is_written(data: Path, tmp_path: Path) -> None:
    said(data, "settle", "preview", MONTH)
    folder = tmp_path / "files"
    forms = ["--form", "xlsx", "--form", "csv"]
    said(data, "statement", "export", MONTH, "--into", str(folder), *forms)
    names = {path.name for path in folder.iterdir()}
    assert {f"payroll-{MONTH}.csv", f"run-{MONTH}.xlsx", "journal.beancount"} <= names
    assert f"statement-{MONTH}-commission-w-1.xlsx" in names
    assert openpyxl.load_workbook(folder / f"payroll-{MONTH}.xlsx").worksheets[0].max_row == 2
    assert loader.load_file(str(folder / "journal.beancount"))[1] == []
    with pytest.raises(RemedyError, match="csv, xlsx"):
        asked(data, "statement", "export", MONTH, "--into", str(folder), "--form", "doc")


def test_a_dispute_from_the_shell(data: Path) -> None:
    opened = said(
        data, "statement", "dispute", "w-1", MONTH, "o-1/arrive/1", "--claim", "I was early"
    )
    assert "Dispute 1 of o-1/arrive/1: open" in opened
    token = said(data, "users", "add", "wang", "--name", "Wang", "--role", "approver").strip()
    decided = said(
        data,
        *("statement", "decide", "1", "--decision", "yes", "--grant-fen", "50"),
        *("--token", token, "--json"),
    )
    assert json.loads(decided)["status"] == "granted"
