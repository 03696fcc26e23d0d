"""The independent judge of a seed: what the world saw against the files that are left."""

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pysqlite3.dbapi2 as sqlite

from agreed.records import ClockState
from simulators.audit import audit
from simulators.evidence import JournalFile, Store, read_journal, read_store
from simulators.expected import facts_of, pay_fen, proof_of, verdict_of
from simulators.findings import Findings, Scene
from simulators.matching import match_journal
from simulators.world.seen import Seen

_GROWING: Final = (
    "blocks",
    "records",
    "verdicts",
    "transfers",
    "lines",
    "incidents",
    "directives",
)
_TOLD: Final = """
    SELECT number, content FROM directives JOIN boxes USING (site, box)
    WHERE box = ? AND stream = directive_stream ORDER BY number
"""
_HELD: Final = """
    SELECT journals.epoch, committed_through FROM journals JOIN boxes USING (site, box)
    WHERE box = ?
"""


@dataclass(frozen=True, slots=True)
class Left:
    """The files that a world leaves.

    Attributes:
        store: headquarters'.
        site: the site.
        journals: of each box, by name.
        learned: likewise.
    """

    store: Path
    site: str
    journals: dict[str, Path]
    learned: dict[str, Path]


@dataclass(slots=True)
class Judgement:
    """What the judge says of one seed.

    Attributes:
        records: accepted at boxes.
        promises: judged again.
        faults: one sentence for each broken rule.
    """

    records: int = 0
    promises: int = 0
    faults: list[str] = field(default_factory=list)


def judge(left: Left, seen: Seen) -> Judgement:
    """Hold everything against everything."""
    store = read_store(left.store, left.site)
    blocks = {box: read_journal(path).blocks for box, path in left.journals.items()}
    findings = Findings()
    all_blocks = JournalFile([block for one in blocks.values() for block in one])
    match_journal(Scene([], all_blocks, store, [], 0), findings)
    for box, held in blocks.items():
        epochs = {block[4:20].hex() for block in held}
        _judge_records(box, epochs, store, seen, findings)
    _judge_times(store, seen, findings)
    _judge_verdicts(store, findings)
    audit(store, findings)
    with closing(sqlite.connect(str(left.store))) as db:
        for box, path in left.journals.items():
            _judge_committed(box, path, db, findings)
            _judge_directives(box, left.learned[box], db, findings)
        _judge_forgeries(db, seen, findings)
    _judge_acts(seen, findings)
    findings.faults[:0] = seen.broken
    accepted = sum(map(len, seen.accepted.values()))
    return Judgement(accepted, len(store.promises), findings.faults)


def rows_count(path: Path) -> dict[str, int]:
    """Count what only grows."""
    with closing(sqlite.connect(str(path))) as db:
        return {
            table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
            for table in _GROWING
        }


def _judge_records(
    box: str, epochs: set[str], store: Store, seen: Seen, findings: Findings
) -> None:
    """Every accepted record exactly once and in order; nothing that never happened."""
    held = [row.detail for row in store.records if row.epoch in epochs]
    counts = Counter(held)
    accepted, unsure = seen.accepted[box], set(seen.unsure[box])
    findings.blame(
        f"accepted at {box}, not at headquarters", [n for n in accepted if n not in counts]
    )
    findings.blame(f"more than once from {box}", [n for n, c in counts.items() if c > 1])
    known = {*accepted, *unsure}
    findings.blame(f"from {box}, where it never happened", [n for n in held if n not in known])
    wanted = set(accepted)
    in_order = [name for name in held if name in wanted]
    if in_order != [name for name in accepted if name in counts]:
        findings.blame("order", [f"records of {box} are not in the order of their acceptance"])


def _judge_times(store: Store, seen: Seen, findings: Findings) -> None:
    beyond = []
    for row in store.records:
        true_ms = seen.true_ms.get(row.detail)
        is_set = row.clock_state != ClockState.UNSET
        if true_ms is not None and is_set and abs(row.wall_ms - true_ms) > row.bound_ms:
            beyond.append((row.detail, row.wall_ms - true_ms, row.bound_ms))
    findings.blame("records whose true time lies outside their bound", beyond)


def _judge_verdicts(store: Store, findings: Findings) -> None:
    facts = facts_of(store.records)
    wrong = []
    for promise in store.promises:
        proof = proof_of(promise, facts)
        verdict = verdict_of(promise, proof, store.covered_until_ms)
        findings.commission_expected_fen += pay_fen(promise, proof, verdict)
        if verdict != promise.verdict:
            wrong.append((promise.order, promise.node, verdict.name, promise.verdict))
    findings.blame("verdicts that do not follow from the records", wrong)


def _judge_committed(box: str, journal: Path, db: Any, findings: Findings) -> None:
    with closing(sqlite.connect(str(journal))) as own:
        state = dict(own.execute("SELECT name, value FROM state"))
        last = own.execute("SELECT max(first_sequence + count - 1) FROM blocks").fetchone()[0] or 0
    held = dict(db.execute(_HELD, (box,)))
    through = held.get(state["epoch"], 0)
    committed = state.get("committed_through", 0)
    if committed > through:
        findings.blame("box believes more than headquarters holds", [(box, committed, through)])
    if through != last:
        findings.blame("journal not drained", [(box, last, through)])


def _judge_directives(box: str, learned: Path, db: Any, findings: Findings) -> None:
    """What the box learned, against everything it was told, applied in order by other code."""
    credentials: dict[str, str] = {}
    orders: dict[str, str] = {}
    told = list(db.execute(_TOLD, (box,)))
    for _number, content in told:
        directive = json.loads(content)
        match directive["kind"]:
            case "put_credential":
                credentials[directive["card"]] = content
            case "end_credential":
                credentials.pop(directive["card"], None)
            case "put_order":
                orders[directive["order"]] = content
            case "end_order":
                orders.pop(directive["order"], None)
            case _:
                raise ValueError(content)
    with closing(sqlite.connect(str(learned))) as own:
        through = own.execute("SELECT applied_through FROM cursor").fetchone()
        has_credentials = dict(own.execute("SELECT card, directive FROM credentials"))
        has_orders = dict(own.execute("SELECT name, directive FROM orders"))
        passed_over = own.execute("SELECT count(*) FROM passed_over").fetchone()[0]
    if (through[0] if through else 0) != len(told):
        findings.blame("directives not all applied", [(box, through, len(told))])
    if (has_credentials, has_orders) != (credentials, orders) or passed_over:
        findings.blame("what was learned is not what was told", [box])


def _judge_acts(seen: Seen, findings: Findings) -> None:
    """A number may be missing where the box died before it could act, but never come again."""
    wrong = [key[0] for key, acts in seen.acted.items() if acts != sorted(set(acts))]
    findings.blame("directives acted upon twice or out of order", wrong)


def _judge_forgeries(db: Any, seen: Seen, findings: Findings) -> None:
    told = dict(db.execute("SELECT kind, count(*) FROM incidents GROUP BY kind"))
    if seen.forged and not told.get("forked"):
        findings.blame("another history was offered and nobody was told", [seen.forged])
    if seen.unsigned and not told.get("unsigned"):
        findings.blame("somebody else's signature came and nobody was told", [seen.unsigned])
