"""A technician reads the journal of a running box, or of a card in a drawer."""

import csv
import json
import shutil
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from agreed.words import RemedyError, language
from edge.inspection import app
from tests.edge.stand_in import box_toml
from tests.edge.test_journal import ENTROPY, entries, opened


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    made = opened(tmp_path)
    for count in (1, 3, 2):
        made.append(entries(count, "楼"), {})
    return tmp_path / "journal.db"


def run(*words: str) -> str:
    token = language.set("en")
    try:
        answer = CliRunner().invoke(app, list(words), catch_exceptions=False)
    finally:
        language.reset(token)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_show_gives_the_last_records_oldest_first(journal: Path) -> None:
    lines = run("show", "--file", str(journal), "-n", "3").splitlines()
    assert [int(line.split()[0]) for line in lines] == [4, 5, 6]
    assert "gate_passed" in lines[0]
    rows = [json.loads(line) for line in run("show", "-f", str(journal), "--json").splitlines()]
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[0]["detail"] == "楼"


def test_verify_says_that_the_chain_is_whole_and_how_far(journal: Path) -> None:
    assert run("verify", "-f", str(journal)).startswith("6 records in 3 blocks: the chain is whole")
    answer = json.loads(run("verify", "-f", str(journal), "--json"))
    assert (answer["records"], answer["blocks"], answer["is_whole"]) == (6, 3, True)
    assert answer["are_signatures_checked"] is False


def test_verify_says_where_signatures_are(journal: Path) -> None:
    token = language.set("en")
    try:
        answer = CliRunner().invoke(app, ["verify", "-f", str(journal)])
    finally:
        language.reset(token)
    assert "Signatures were not checked" in answer.stderr
    assert "duifu cloud ledger check" in answer.stderr


def test_verify_names_the_first_damaged_record(journal: Path) -> None:
    store = apsw.Connection(str(journal))
    store.execute("UPDATE blocks SET bytes = zeroblob(300) WHERE first_sequence = 2")
    with pytest.raises(RemedyError, match="2"):
        run("verify", "-f", str(journal))


def test_what_can_be_read_of_a_damaged_journal_is_written(journal: Path, tmp_path: Path) -> None:
    store = apsw.Connection(str(journal))
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    data = bytearray(journal.read_bytes())
    mark = ENTROPY[:16] + bytes(16) + (2).to_bytes(8, "little")
    data = data.replace(mark, mark[:20] + b"\1" + mark[21:])
    data[:100] = bytes(100)
    journal.write_bytes(data)
    with pytest.raises(RemedyError, match="--readable"):
        run("export", "-f", str(journal))
    lines = run("export", "-f", str(journal), "--json", "--readable").splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [1, 5, 6]
    with pytest.raises(RemedyError, match="nothing can be read"):
        run("export", "-f", str(tmp_path / "none.db"), "--readable")


def test_export_writes_csv_or_json_lines(journal: Path, tmp_path: Path) -> None:
    target = tmp_path / "records.csv"
    run("export", "-f", str(journal), "--to", str(target))
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["subject"] for row in rows] == ["r-0", "r-0", "r-1", "r-2", "r-0", "r-1"]
    lines = run("export", "-f", str(journal), "--json").splitlines()
    assert len(lines) == 6
    with pytest.raises(RemedyError, match="none"):
        run("export", "-f", str(journal), "--to", str(tmp_path / "none" / "x.csv"))


def test_stats_count(journal: Path) -> None:
    assert "6 records in 3 blocks" in run("stats", "-f", str(journal))
    answer = json.loads(run("stats", "-f", str(journal), "--json"))
    assert answer["node_kinds"] == {"gate_passed": 6}
    assert answer["block_bytes"] > 0


def test_an_empty_journal_can_be_looked_at(tmp_path: Path) -> None:
    opened(tmp_path)
    path = str(tmp_path / "journal.db")
    assert run("show", "-f", path) == ""
    assert json.loads(run("verify", "-f", path, "--json"))["records"] == 0
    assert json.loads(run("stats", "-f", path, "--json"))["records"] == 0


def test_a_copy_in_a_folder_that_may_not_be_written_can_be_read(
    journal: Path, tmp_path: Path
) -> None:
    store = apsw.Connection(str(journal))
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    copy = tmp_path / "drawer" / "journal.db"
    copy.parent.mkdir()
    shutil.copy(journal, copy)
    copy.chmod(0o400)
    copy.parent.chmod(0o500)
    assert json.loads(run("verify", "-f", str(copy), "--json"))["records"] == 6
    copy.parent.chmod(0o700)


def test_the_settings_lead_to_the_journal_of_the_box(tmp_path: Path) -> None:
    path = box_toml(tmp_path, "mqtt://127.0.0.1:1", ("/a", "/b", "/c"))
    with pytest.raises(RemedyError, match="journal"):
        run("show", "--config", str(path))
    (tmp_path / "data").mkdir()
    opened(tmp_path / "data").append(entries(1), {})
    assert len(run("show", "--config", str(path)).splitlines()) == 1
