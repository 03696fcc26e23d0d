"""The independent judge: what devices emitted against what headquarters holds; pure.

It counts nothing along the way and asks no code under test: it compares the devices' own logs, the
journal's bytes and the rows of the store, all read at the end.
"""

from collections import Counter
from typing import Any

from agreed.promises import Verdict
from simulators.audit import audit
from simulators.evidence import PromiseRow
from simulators.expected import Fact, facts_of, pay_fen, possible_verdicts, proof_of, verdict_of
from simulators.findings import Findings, Scene
from simulators.matching import match_deeds, match_journal


def judge(scene: Scene) -> Findings:
    """Compare everything with everything."""
    findings = Findings(records_emitted=len(scene.deeds))
    match_journal(scene, findings)
    match_deeds(scene, findings)
    _judge_promises(scene, findings)
    audit(scene.store, findings)
    findings.blame("programs ended by themselves", scene.ended)
    return findings


def _judge_promises(scene: Scene, findings: Findings) -> None:
    """The verdicts against the records, exactly, and against the deeds, with the allowance."""
    covered_ms = scene.store.covered_until_ms
    recorded = facts_of(scene.store.records)
    done = [
        Fact(kind, deed.worker, deed.order, deed.at_ms)
        for deed in scene.deeds
        if len(deed.kinds) == 1
        for kind in deed.kinds
    ]
    wrong: list[Any] = []
    untrue: list[Any] = []
    for promise in scene.store.promises:
        proof = proof_of(promise, recorded)
        verdict = verdict_of(promise, proof, covered_ms)
        if verdict != promise.verdict:
            wrong.append((promise.order, promise.node, verdict.name, promise.verdict))
        findings.commission_expected_fen += pay_fen(promise, proof, verdict)
        if scene.is_box_steady:
            possible = possible_verdicts(promise, done, covered_ms, scene.latency_ms)
            findings.promises_near += len(possible) > 1
            if promise.verdict not in possible:
                untrue.append((promise.order, promise.node, promise.verdict))
    known = len(scene.store.promises)
    agreed = known if scene.promises_count is None else scene.promises_count
    findings.blame("promises, but others were agreed", [agreed] * (known != agreed))
    findings.promises = _counted(scene.store.promises)
    findings.promises_wrong = len(wrong) + len(untrue)
    findings.blame("verdicts that do not follow from the records", wrong)
    findings.blame("verdicts that do not follow from what was done", untrue)


def _counted(promises: list[PromiseRow]) -> dict[str, int]:
    counts = Counter(promise.verdict for promise in promises)
    return {verdict.name.lower(): counts[verdict] for verdict in Verdict}
