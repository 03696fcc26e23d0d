"""Statements, disputes and files over REST."""

import io

import openpyxl
import pytest
from beancount import loader

from tests.cloud.api.conftest import Office
from tests.cloud.api.test_settling import MONTH, V1, person, step
from tests.cloud.world import HOUR, T0, alive, finished, passed

STATEMENTS = f"{V1}/month-statements/north/{MONTH}"


@pytest.fixture
def worked(office: Office) -> Office:
    office.world.order("o-1")
    office.world.fund(9_000)
    office.world.tell(passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"), alive(T0 + 9 * HOUR))
    return office


def test_a_statement_is_read(worked: Office) -> None:
    assert "commission:w-1" in worked.client.get(STATEMENTS).json()
    found = worked.client.get(f"{STATEMENTS}/commission:w-1").json()
    assert (found["payable_fen"], found["emptiness"]) == (3_001, None)
    assert found["moved"][0]["line"]["reason"]["evidence"]["box"] == "gate-box"


def test_a_dispute_is_opened_and_decided(worked: Office) -> None:
    asked = {"worker": "w-1", "period": MONTH, "line": "o-1/arrive/1", "claim": "early"}
    opened = worked.client.post(f"{V1}/disputes/north", json=asked)
    assert opened.status_code == 201, opened.text
    wang = person(worked, "wang", "approver")
    url = f"{V1}/disputes/north/1/decide"
    decided = worked.client.post(url, json={"amount_fen": 10, "decision": "so"}, headers=wang)
    assert decided.json()["status"] == "granted"
    assert len(worked.client.get(f"{V1}/disputes/north", params={"worker": "w-1"}).json()) == 1


@pytest.mark.parametrize("form", ["csv", "xlsx", "json", "pdf"])
def test_lists_are_files(worked: Office, form: str) -> None:
    step(worked, "preview")
    files = ["runs", f"payroll/north/{MONTH}", "balances/north", "transfers"]
    files += [f"runs/north/{MONTH}", f"statements/north/{MONTH}/commission:w-1"]
    # One print is enough: each takes most of a second.
    for name in files if form != "pdf" else files[-1:]:
        found = worked.client.get(f"{V1}/exports/{name}.{form}")
        assert found.status_code == 200, found.text
        assert found.headers["content-disposition"].endswith(f'.{form}"')
        assert found.content[:4] in {b"\xef\xbb\xbfs", b"PK\x03\x04", b"[\n {", b"%PDF"} or (
            form == "csv" and found.content[:3] == b"\xef\xbb\xbf"
        )


def test_a_workbook_holds_the_statement(worked: Office) -> None:
    url = f"{V1}/exports/statements/north/{MONTH}/commission:w-1.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(worked.client.get(url).content))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert [row[2] for row in rows] == [
        "section", "opening", "line", "line", "payable", "paid", "closing",
    ]  # fmt: skip


def test_the_journal_is_in_balance(worked: Office) -> None:
    found = worked.client.get(f"{V1}/exports/journal.beancount")
    assert loader.load_string(found.text)[1] == []
