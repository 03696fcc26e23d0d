"""The operator's shell for people."""

import json
from pathlib import Path

import pytest

from agreed.words import RemedyError
from tests.cloud.shells import asked, said


def test_people_come_and_go(worked_month: Path) -> None:
    said(
        worked_month,
        "users",
        "add",
        "lin",
        "--name",
        "Lin",
        "--role",
        "clerk",
        "--role",
        "approver",
    )
    assert "approver clerk" in said(worked_month, "users", "ls")
    assert [p["user_id"] for p in json.loads(said(worked_month, "users", "ls", "--json"))] == [
        "lin"
    ]
    said(worked_month, "users", "end", "lin")
    assert json.loads(said(worked_month, "users", "ls", "--json")) == []


def test_a_person_has_a_name(worked_month: Path) -> None:
    with pytest.raises(RemedyError, match="name is too short"):
        asked(worked_month, "users", "add", "wang", "--name", "", "--role", "clerk")
