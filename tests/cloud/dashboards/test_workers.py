import csv
import io
import re

import httpx
import pytest

from cloud.dashboards.workers import LINE_COLUMNS, WORKER_COLUMNS, empty_word
from cloud.database.views import Emptiness


def test_the_list_adds_up(client: httpx.Client) -> None:
    text = client.get("/workers").text
    amounts = [int(a.replace(",", "").replace(".", "")) for a in _earned(text)]
    assert len(amounts) == 13
    assert sum(amounts[:-1]) == amounts[-1]


def _earned(text: str) -> list[str]:
    return re.findall(r'data-label="Earned"><span class="nowrap">¥ ([\d,.]+)<', text)


def test_a_statement_opens_every_line_to_its_reason(client: httpx.Client) -> None:
    text = client.get("/workers/w01?day=2026-05-20").text
    assert "Statement of 李强" in text
    lines = text.count('<li><details id="line-')
    assert lines == 30
    assert text.count('class="formula"') == lines
    assert text.count('data-copy="Block hash"') == lines  # every one of these was seen
    assert "repair · version 2" in text
    assert "waiting for the pool" in text
    assert "half to even" in text


def test_payable_is_opening_and_lines_and_adjustments(client: httpx.Client) -> None:
    text = client.get("/workers/w01?from=2026-05-20&until=2026-05-21").text
    today = re.findall(r'class="amount">(?:<span class="nowrap">¥ )?([\d.]+)<', text)[:4]
    assert today == ["0.00", "77.07", "0.00", "77.07"]
    later = client.get("/workers/w01?day=2026-05-21").text
    assert '<span class="amount">77.07</span></div><span class="sign"' in later
    assert "Nothing was promised by this worker in this period" in later


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("unknown_worker", "Nobody of this name"),
        ("no_promises", "Nothing was promised"),
        ("all_open", "3 promised steps are not decided yet"),
        ("not_paid", "none of them carries a piece rate"),
    ],
)
def test_an_empty_statement_says_why(code: str, words: str) -> None:
    assert words in empty_word(Emptiness(code, 3, 0))
    assert words in empty_word(Emptiness(code, 3, 1_779_262_327_000))


def test_files_hold_every_worker_and_every_line(client: httpx.Client) -> None:
    text = client.get("/workers.csv").content.decode("utf-8-sig")
    workers = list(csv.DictReader(io.StringIO(text)))
    assert tuple(workers[0]) == WORKER_COLUMNS
    assert len(workers) == 12
    lines = client.get("/workers/w01.json").json()
    assert tuple(lines[0]) == LINE_COLUMNS
    posted = sum(line["amount_fen"] for line in lines if line["status"] == "posted")
    assert posted == 7_707
    assert {w["worker"]: int(w["earned_fen"]) for w in workers}["w01"] == posted
    assert client.get("/workers.json").json()[0]["worker"] == workers[0]["worker"]
    csv_lines = client.get("/workers/w01.csv").content.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(csv_lines)))) == len(lines) + 1
