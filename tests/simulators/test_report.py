"""The report: summary.json holds what was asked for, the tables say the same."""

from rich.console import Console

from agreed.words import language
from simulators.findings import Findings
from simulators.judge import judge
from simulators.report import show, summary_of
from tests.simulators.judged import good_scene

WANTED = {
    "records_journaled": 4,
    "records_committed": 4,
    "records_lost": 0,
    "records_duplicated": 0,
    "promises": {"kept": 2, "late": 0, "missed": 0, "undecidable": 0, "open": 0},
    "commission_fen": 100,
    "ledger_balanced": True,
    "chain_verified": True,
    "outage_seconds": 7200,
    "seconds": 61.2,
}


def printed(findings: Findings) -> str:
    language.set("en")
    console = Console(record=True, width=100, quiet=False, force_terminal=False)
    with console.capture() as capture:
        show(console, findings, {"w-01": "王伟"})
    return capture.get()


def test_the_summary_holds_every_key_that_was_asked_for() -> None:
    summary = summary_of(judge(good_scene()), outage_s=7_200.4, seconds=61.24, more={"seed": 1})
    assert WANTED.items() <= summary.items()
    assert summary["seed"] == 1
    assert summary["faults"] == []


def test_the_tables_say_what_was_earned() -> None:
    text = printed(judge(good_scene()))
    assert "王伟" in text
    assert "¥1.00" in text
    assert "nothing lost" in text


def test_a_fault_is_printed() -> None:
    findings = judge(good_scene())
    findings.blame("records [lost]", [7])
    text = printed(findings)
    assert "✗ 1 records [lost]: 7" in text
    assert "nothing lost" not in text
