"""A day with an outage and a killed broker: nothing is lost, nothing counts twice, all is paid."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from simulators.cast import SITE
from simulators.demonstration import Demonstration
from simulators.evidence import read_journal, read_store
from simulators.findings import Findings, Scene
from simulators.judge import judge
from simulators.matching import until
from tests.scenarios.days import last_words, played

pytestmark = [pytest.mark.scenario, pytest.mark.broker]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("day")


@pytest.fixture(scope="module")
def day(folder: Path) -> Demonstration:
    return played(folder, seed=7, speed=720)


def test_the_judge_finds_no_fault(day: Demonstration, folder: Path) -> None:
    assert day.findings.faults == [], last_words(folder)


def test_the_summary_says_what_was_asked_for(day: Demonstration, folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    assert summary == day.summary
    assert summary["records_journaled"] == summary["records_committed"] > 200
    assert summary["records_lost"] == summary["records_duplicated"] == 0
    promises = summary["promises"]
    assert set(promises) == {"kept", "late", "missed", "undecidable", "open"}
    assert sum(promises.values()) == 20 * 3 + 19 * 3
    assert promises["kept"] > sum(promises.values()) / 2
    assert summary["commission_fen"] == summary["commission_expected_fen"] > 0
    assert sum(summary["commission_fen_by_worker"].values()) == summary["commission_fen"]
    assert summary["ledger_balanced"] is True
    assert summary["chain_verified"] is True
    assert 3_500 < summary["outage_seconds"] < 2 * 3_600
    assert summary["killed"] == {"broker": 1}
    assert 0 < summary["seconds"] < 300


def test_devices_emitted_what_the_judge_counted(day: Demonstration) -> None:
    assert day.findings.records_emitted > 150
    assert day.scene is not None
    assert len(day.scene.doors_opened) > 20


def delete_a_record(db: sqlite3.Connection) -> None:
    db.execute(
        "DELETE FROM records WHERE (box, epoch, sequence) IN (SELECT box, epoch, sequence"
        " FROM records WHERE node_kind = 'parcel_deposited' LIMIT 1)"
    )


def double_a_record(db: sqlite3.Connection) -> None:
    columns = [row[1] for row in db.execute("PRAGMA table_info(records)")]
    chosen = ", ".join("sequence + 1000000" if name == "sequence" else name for name in columns)
    db.execute(
        f"INSERT INTO records ({', '.join(columns)}) SELECT {chosen} FROM records"
        " WHERE node_kind = 'gate_passed' LIMIT 1"
    )


def delete_a_posting(db: sqlite3.Connection) -> None:
    db.execute(
        "DELETE FROM transfers WHERE transfer ="
        " (SELECT max(transfer) FROM transfers WHERE kind = 'commission')"
    )


def turn_a_verdict(db: sqlite3.Connection) -> None:
    db.execute("UPDATE verdicts SET verdict = 2 WHERE verdict = 1")


def is_lost(findings: Findings) -> bool:
    return findings.records_lost > 0


def is_doubled(findings: Findings) -> bool:
    return findings.records_duplicated > 0


def is_unbalanced(findings: Findings) -> bool:
    return not findings.is_balanced


def is_wrong(findings: Findings) -> bool:
    return findings.promises_wrong > 0


def left_behind(day: Demonstration, folder: Path) -> Scene:
    """Give the scene with the files as they lie there now: the box lived on after the verdict."""
    assert day.scene is not None
    store = read_store(day.headquarters.store, SITE)
    journal = read_journal(folder / "box" / "data" / "journal.db")
    through = max(record.sequence for record in store.records)
    return replace(day.scene, journal=until(journal, through), store=store)


@pytest.mark.parametrize(
    ("mutilate", "is_found"),
    [
        (delete_a_record, is_lost),
        (double_a_record, is_doubled),
        (delete_a_posting, is_unbalanced),
        (turn_a_verdict, is_wrong),
    ],
    ids=lambda act: act.__name__,
)
def test_the_judge_finds_what_was_done_to_the_store(
    day: Demonstration,
    folder: Path,
    tmp_path: Path,
    mutilate: Callable[[sqlite3.Connection], None],
    is_found: Callable[[Findings], bool],
) -> None:
    copy = Path(shutil.copy(day.headquarters.store, tmp_path / "copy.db"))
    with closing(sqlite3.connect(copy)) as db:
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        mutilate(db)
        assert db.total_changes > 0
        db.commit()
    scene = left_behind(day, folder)
    assert judge(scene).is_good
    findings = judge(replace(scene, store=read_store(copy, SITE)))
    assert is_found(findings)
    assert not findings.is_good
