"""Findings: a fault is said once, with examples."""

from simulators.findings import Findings


def test_a_fault_is_said_once_with_examples() -> None:
    findings = Findings()
    findings.blame("things", list(range(9)))
    findings.blame("nothing", [])
    assert findings.faults == ["9 things: 0, 1, 2, 3, 4"]
