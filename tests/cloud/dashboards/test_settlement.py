"""Runs, monthly statements and past balances as a person reads them."""

import csv
import io

import httpx
import openpyxl
import pytest

from cloud.dashboards.settlement import dispute_word, run_level, transfer_word
from cloud.database.schema import TRANSFER_KINDS
from cloud.settlement.running import payable_fen

RUN = "/settlement/yuhuayuan/2026-05"


def test_a_run_shows_its_lines_its_people_and_the_next_step(client: httpx.Client) -> None:
    listed = client.get("/settlement").text
    assert f'href="{RUN}"' in listed
    text = client.get(RUN).text
    assert "duifu cloud settle review 2026-05 --site yuhuayuan" in text
    assert "operator" in text
    assert "李强</a> <span" in text
    assert f"POST /api/v1/runs{RUN.removeprefix('/settlement')}/review" in text
    assert "changes nothing" in text
    assert f'href="{RUN}/commission%3Aw01"' in text
    rows = client.get(f"{RUN}.json").json()
    payable = sum(row["amount_fen"] for row in rows if row["rule"] == "payable")
    assert payable == client.get("/settlement.json").json()[-1]["payable_fen"] > 0
    assert payable_fen([]) == 0


def test_a_statement_adds_up_and_opens_to_evidence(client: httpx.Client) -> None:
    rows = client.get(f"{RUN}/commission:w01.json").json()
    sums: dict[str, int] = {}
    for row in rows:
        sums[row["section"]] = sums.get(row["section"], 0) + row["amount_fen"]
    assert sums["opening"] + sums["line"] == sums["payable"] == sums["closing"] == 7_707
    text = client.get(f"{RUN}/commission:w01").text
    assert "Statement of 李强" in text
    assert "once it is, 77.07 yuan are payable" in text
    assert text.count('data-copy="Block hash"') == sum(
        row["block_hash"] is not None for row in rows
    )
    waiting = client.get("/settlement/binjiang/2026-05/commission:w03").text
    assert "Not in the books, and why" in waiting


def test_files_are_of_the_whole_list(client: httpx.Client) -> None:
    found = client.get(f"{RUN}.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(found)))
    assert len(rows) == len(client.get(f"{RUN}.json").json())
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{RUN}/payroll.xlsx").content))
    assert book.worksheets[0].max_row > 3
    printed = client.get("/settlement.pdf", timeout=200)
    assert printed.content.startswith(b"%PDF")
    assert client.get("/ledger.csv?site=yuhuayuan").status_code == 200


def test_a_balance_is_as_known_then(client: httpx.Client) -> None:
    assert "commission:w01" in client.get("/ledger?site=yuhuayuan&at=2026-05-20").text
    before = client.get("/ledger?site=yuhuayuan&at=2026-05-01&known=2026-05-01").text
    assert "Nothing was in the books of this site then." in before


@pytest.mark.parametrize(
    "path",
    [
        "/settlement/yuhuayuan/2020-01",
        "/settlement/nowhere/2026-05/pool",
        "/settlement/yuhuayuan/May/pool",
    ],
)
def test_what_is_not_there_is_said(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_wrong_day_is_refused(client: httpx.Client) -> None:
    assert client.get("/ledger?at=yesterday").status_code == 400


def test_everything_has_a_word() -> None:
    assert all(transfer_word(kind) for kind in TRANSFER_KINDS)
    assert transfer_word("stake") == "stake"
    assert {dispute_word(s) for s in ("open", "granted", "refused")}
    assert (run_level("paid"), run_level("previewed")) == ("good", "warn")
