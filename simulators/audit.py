"""The ledger, added up a second time from its rows; pure."""

from collections import Counter
from typing import Any, Final

from simulators.evidence import Store
from simulators.findings import Findings

_SIGNS: Final = {"commission": 1, "commission_reversal": -1}


def audit(store: Store, findings: Findings) -> None:
    """Hold lines against transfers, transfers against accounts, and all against what is due.

    `findings.commission_expected_fen` must have been worked out before.
    """
    earned: Counter[str] = Counter()
    for line in store.lines:
        earned[line.worker] += line.amount_fen if line.status == "posted" else 0
    held_fen = sum(line.amount_fen for line in store.lines if line.status == "held")
    paid_fen = sum(_SIGNS.get(t.kind, 0) * t.amount_fen for t in store.transfers)
    faults = _unmatched(store) + _unbalanced(store)
    if paid_fen != earned.total():
        faults.append(("statements and ledger differ", earned.total(), paid_fen))
    if paid_fen + held_fen != findings.commission_expected_fen:
        expected_fen = findings.commission_expected_fen
        faults.append(("pay does not follow from the records", expected_fen, paid_fen + held_fen))
    findings.earned_fen = {worker: earned[worker] for worker in sorted(earned)}
    findings.commission_fen = paid_fen
    findings.is_balanced = not faults
    findings.blame("faults of the ledger", faults)


def _unmatched(store: Store) -> list[Any]:
    """Postings without a line, lines without a posting, and gaps in the numbers."""
    posted = {transfer.transfer: transfer for transfer in store.transfers}
    faults: list[Any] = []
    if sorted(posted) != list(range(1, len(store.transfers) + 1)):
        faults.append(("numbers of the postings have a gap or come twice", len(posted)))
    for line in store.lines:
        if line.status == "posted":
            transfer = posted.pop(line.transfer or 0, None)
            if transfer is None or transfer.amount_fen != abs(line.amount_fen):
                faults.append(("line without its posting", line.order, line.node))
    unlined = [number for number, transfer in posted.items() if transfer.kind in _SIGNS]
    return faults + [("posting without its line", number) for number in unlined]


def _unbalanced(store: Store) -> list[Any]:
    debits: Counter[str] = Counter()
    credits_: Counter[str] = Counter()
    for transfer in store.transfers:
        debits[transfer.debit] += transfer.amount_fen
        credits_[transfer.credit] += transfer.amount_fen
    return [
        ("account is not the sum of its postings", row.account)
        for row in store.accounts
        if (row.debits_fen, row.credits_fen) != (debits[row.account], credits_[row.account])
    ]
