"""What the demonstration says at its end: summary.json, and the same as tables."""

from typing import Any, Final

from rich.console import Console, Group
from rich.table import Table

from agreed.money import yuan
from agreed.words import marked, say
from simulators.findings import Findings

PROMISES: Final = (
    marked("kept"),
    marked("late"),
    marked("missed"),
    marked("undecidable"),
    marked("open"),
)
_RECORDS: Final = (
    marked("at devices"),
    marked("journaled"),
    marked("committed"),
    marked("lost"),
    marked("duplicated"),
)


def summary_of(
    findings: Findings, *, outage_s: float, seconds: float, more: dict[str, Any]
) -> dict[str, Any]:
    """Give what summary.json holds.

    Args:
        findings: the judge's.
        outage_s: simulated seconds for which the link was cut.
        seconds: real seconds from start to verdict.
        more: further keys.
    """
    return {
        "records_journaled": findings.records_journaled,
        "records_committed": findings.records_committed,
        "records_lost": findings.records_lost,
        "records_duplicated": findings.records_duplicated,
        "promises": {name: findings.promises.get(name, 0) for name in PROMISES},
        "commission_fen": findings.commission_fen,
        "ledger_balanced": findings.is_balanced,
        "chain_verified": findings.is_chained,
        "outage_seconds": round(outage_s),
        "seconds": round(seconds, 1),
        "records_emitted": findings.records_emitted,
        "promises_wrong": findings.promises_wrong,
        "promises_near_a_limit": findings.promises_near,
        "commission_expected_fen": findings.commission_expected_fen,
        "faults": findings.faults,
        **more,
    }


def show(console: Console, findings: Findings, workers: dict[str, str]) -> None:
    """Print the tables."""
    console.print(Group(_records(findings), _promises(findings)))
    console.print(_commissions(findings, workers))
    for fault in findings.faults:
        console.print(f"✗ {fault}", style="bold red", markup=False)
    if findings.is_good:
        told = say("✓ nothing lost, nothing counted twice, every fen explained")
        console.print(told, style="bold green")


def _records(findings: Findings) -> Table:
    table = Table(title=say("Records"), title_justify="left")
    for name in _RECORDS:
        table.add_column(say(name), justify="right")
    wrong = "red" if findings.records_lost or findings.records_duplicated else "green"
    table.add_row(
        str(findings.records_emitted),
        str(findings.records_journaled),
        str(findings.records_committed),
        f"[{wrong}]{findings.records_lost}[/]",
        f"[{wrong}]{findings.records_duplicated}[/]",
    )
    return table


def _promises(findings: Findings) -> Table:
    table = Table(title=say("Promises"), title_justify="left")
    for name in PROMISES:
        table.add_column(say(name), justify="right")
    table.add_row(*(str(findings.promises.get(name, 0)) for name in PROMISES))
    return table


def _commissions(findings: Findings, workers: dict[str, str]) -> Table:
    table = Table(title=say("Commissions, yuan"), title_justify="left", show_footer=True)
    table.add_column(say("worker"), footer=say("total"))
    table.add_column(say("name"))
    table.add_column(say("earned"), footer=f"¥{yuan(findings.commission_fen)}", justify="right")
    for worker, earned_fen in findings.earned_fen.items():
        table.add_row(worker, workers.get(worker, ""), f"¥{yuan(earned_fen)}")
    return table
