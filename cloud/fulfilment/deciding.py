"""Holds promises against records; the answer depends on the set of records, not on arrival."""

from dataclasses import dataclass

import numpy as np

from agreed.checks import judge
from agreed.promises import NO_CLOCK, Facts, Match, Promise, Verdict, to_terms
from agreed.proofs import Seen, Wanted, prove
from agreed.records import ClockState, Int64s


@dataclass(frozen=True, slots=True)
class Witness:
    """A record that could prove a promise; its identity is (box, epoch, sequence).

    Attributes:
        wall_ms, bound_ms, clock_state, evidence, device, node_kind, subject, reference: as in
            `records.Record`.
        block_first: first sequence of the block that holds it.
    """

    box: str
    epoch: bytes
    sequence: int
    wall_ms: int
    bound_ms: int
    clock_state: int
    evidence: int
    device: str
    node_kind: str
    subject: str
    reference: str
    block_first: int

    @property
    def identity(self) -> tuple[str, bytes, int]:
        """Give what it is known by, for ever."""
        return self.box, self.epoch, self.sequence


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one promise.

    Attributes:
        witness: the record that proves it, None where nothing was seen.
        deviation_ms: actual - promised; 0 where nothing was seen.
        score_bp: [0, 20,000].
    """

    order: str
    node: str
    verdict: Verdict
    deviation_ms: int
    score_bp: int
    witness: Witness | None

    @property
    def bound_ms(self) -> int | None:
        """Clock error of the fact; None where nothing was seen or the clock was never set."""
        if self.witness is None or self.witness.clock_state == ClockState.UNSET:
            return None
        return self.witness.bound_ms


def decide(
    promises: list[Promise], witnesses: list[Witness], covered_until_ms: int
) -> list[Decision]:
    """Decide every promise from the records that could prove it.

    Args:
        promises: any, in any order; of those in turn, all that could want one another's records.
        witnesses: every record of the site that could prove one of them, in any order, each once.
        covered_until_ms: had anything happened by then, it would be among the witnesses.

    Returns:
        one decision per promise, in the same order.

    Source: docs/promises.md#which-record-proves-a-promise.
    """
    ordered = sorted(witnesses, key=lambda w: w.identity)
    by_name = sorted(range(len(promises)), key=lambda i: (promises[i].order, promises[i].node))
    found = np.full(len(promises), -1, np.int64)
    found[by_name] = _proofs([promises[i] for i in by_name], ordered)
    proofs = [ordered[i] if i >= 0 else None for i in found.tolist()]
    facts = Facts(
        np.array([w.wall_ms if w else 0 for w in proofs], np.int64),
        np.array([_bound_ms(w) if w else 0 for w in proofs], np.int64),
        found >= 0,
        np.full(len(promises), covered_until_ms, np.int64),
    )
    judged = judge(to_terms(promises), facts)
    rows = zip(
        promises,
        judged.verdict.tolist(),
        judged.deviation_ms.tolist(),
        judged.score_bp.tolist(),
        proofs,
        strict=True,
    )
    return [Decision(p.order, p.node, Verdict(v), d, s, w) for p, v, d, s, w in rows]


def is_done(nodes: list[tuple[Match, Verdict]]) -> bool:
    """Say whether an order needs its codes no more.

    Every node is decided, and what is proved by a code or card for the order has happened: a
    parcel that was missed can still be collected.
    """
    return all(
        verdict is not Verdict.OPEN and not (verdict is Verdict.MISSED and match is Match.BY_ORDER)
        for match, verdict in nodes
    )


def _bound_ms(witness: Witness) -> int:
    return NO_CLOCK if witness.clock_state == ClockState.UNSET else witness.bound_ms


def _proofs(promises: list[Promise], ordered: list[Witness]) -> Int64s:
    """Give for each promise the row of the witness that proves it; both in order of identity."""
    places: dict[tuple[str, ...], int] = {}
    sought = np.array([places.setdefault(_sought(p), len(places)) for p in promises], np.int64)
    offers = [
        (place, row)
        for row, witness in enumerate(ordered)
        for offered in _offered(witness)
        if (place := places.get(offered)) is not None
    ]
    if not offers:
        return np.full(len(promises), -1, np.int64)
    key, row_of = np.array(offers, np.int64).T
    at_ms = np.array([w.wall_ms for w in ordered], np.int64)
    evidence = np.array([w.evidence for w in ordered], np.uint8)
    found = prove(_wanted(promises, sought), Seen(key, at_ms[row_of], evidence[row_of]))
    return np.where(found >= 0, row_of[found], -1)


def _wanted(promises: list[Promise], sought: Int64s) -> Wanted:
    return Wanted(
        match=np.array([p.match for p in promises], np.uint8),
        key=sought,
        opens_at_ms=np.array([p.opens_at_ms for p in promises], np.int64),
        promised_at_ms=np.array([p.promised_at_ms for p in promises], np.int64),
        hard_ms=np.array([p.hard_ms for p in promises], np.int64),
        weakest=np.array([p.weakest_evidence for p in promises], np.uint8),
    )


def _sought(promise: Promise) -> tuple[str, ...]:
    match promise.match:
        case Match.BY_ORDER:
            return "order", promise.order, promise.node_kind
        case Match.BY_WORKER:
            return "worker", promise.worker, promise.node_kind
        case Match.BY_TURN:
            return "turn", promise.worker, promise.node_kind, promise.place


def _offered(witness: Witness) -> tuple[tuple[str, ...], ...]:
    # What a record leaves empty no promise asks for.
    return (
        ("order", witness.reference, witness.node_kind),
        ("worker", witness.subject, witness.node_kind),
        ("turn", witness.subject, witness.node_kind, witness.device),
    )
