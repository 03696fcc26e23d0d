"""What a reader is told: typed rows for the API and the pages. Money in fen, time in ms."""

from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Annotated, Any

from pydantic import PlainSerializer

from agreed.directives import Code
from agreed.promises import Match, Verdict
from agreed.records import Record
from cloud.settlement.reasons import Reason


def _spelled(value: IntEnum) -> str:
    return value.name.lower()


def _spelled_out(record: Record) -> dict[str, Any]:
    named = {"clock_state": record.clock_state, "evidence": record.evidence}
    return asdict(record) | {name: _spelled(value) for name, value in named.items()}


# Numbers inside, words in JSON.
SpelledVerdict = Annotated[Verdict, PlainSerializer(_spelled)]
SpelledMatch = Annotated[Match, PlainSerializer(_spelled)]
SpelledRecord = Annotated[Record, PlainSerializer(_spelled_out)]


@dataclass(frozen=True, slots=True)
class CompanyView:
    """The company this headquarters serves."""

    company: str
    name: str
    utc_offset_minutes: int


@dataclass(frozen=True, slots=True)
class BoxView:
    """One box and how far headquarters has heard it.

    Attributes:
        status: pending, accepted or retired.
        incident: kind of the incident that waits for a person, None for none.
        epoch: hex of the journal that spoke last, None before the first word.
        committed_through: last sequence of that journal in the database.
        committed_head: hex hash of the block that ends there.
        covered_until_ms: had it recorded anything by then, we would know; 0 for never.
        waiting_records, oldest_waiting_ms: as the box last said, None before its first status.
        devices_lost, clock_bound_ms: likewise.
        status_at_ms: when it last said so.
        directives_waiting: directives it has not applied.
        last_heard_ms: any sign of life; None for never.
        fingerprint: of the key that it must sign with, None before its first word.
        key_accepted_by: person, or first_word; None likewise.
        key_accepted_at_ms: when; None likewise.
        offered_fingerprint: of another key that it named and nobody accepted, None for none.
    """

    company: str
    site: str
    box: str
    status: str
    incident: str | None
    is_online: bool
    presence_at_ms: int | None
    last_heard_ms: int | None
    epoch: str | None
    committed_through: int
    committed_head: str
    covered_until_ms: int
    waiting_records: int | None
    oldest_waiting_ms: int | None
    devices_lost: list[str]
    clock_bound_ms: int | None
    status_at_ms: int | None
    directives_waiting: int
    applied_through: int
    fingerprint: str | None = None
    key_accepted_by: str | None = None
    key_accepted_at_ms: int | None = None
    offered_fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Something at a box that a person must look at; `detail` explains it."""

    site: str
    box: str
    incident: int
    kind: str
    at_ms: int
    detail: dict[str, Any]
    resolved_at_ms: int | None


@dataclass(frozen=True, slots=True)
class PreviewView:
    """A record that was seen and is not committed yet; fields as in `agreed.records.Record`.

    Attributes:
        epoch: hex of the journal it is of.
        seen_at_ms: when headquarters saw it.
    """

    epoch: str
    sequence: int
    wall_ms: int
    bound_ms: int
    clock_state: int
    evidence: int
    device: str
    node_kind: str
    subject: str
    reference: str
    detail: str
    seen_at_ms: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Promises by what became of them."""

    open: int = 0
    kept: int = 0
    late: int = 0
    missed: int = 0
    undecidable: int = 0


@dataclass(frozen=True, slots=True)
class SiteView:
    """One site today.

    Attributes:
        covered_until_ms: everything up to then is known; 0 for never.
        promises: promised today (the company's day), by verdict.
        at_risk: open ones that need help now.
        earned_fen: commission lines of deeds done today, reversals taken off.
        held_fen: earned but not posted, of any day.
        pool_fen: what the site's pool can still pay.
    """

    site: str
    name: str
    covered_until_ms: int
    boxes: int
    boxes_online: int
    incidents: int
    promises: Counts
    at_risk: int
    earned_fen: int
    held_fen: int
    pool_fen: int


@dataclass(frozen=True, slots=True)
class AtRisk:
    """An open promise that needs help now.

    Attributes:
        due_at_ms: full credit ends.
        hard_at_ms: all credit ends.
        is_overdue: due_at_ms has passed.
        is_covered: the box has been heard beyond due_at_ms, so it is certainly not done in time.
    """

    site: str
    order_id: str
    node: str
    name_zh: str
    name_en: str
    worker: str
    promised_at_ms: int
    due_at_ms: int
    hard_at_ms: int
    is_overdue: bool
    is_covered: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The company now.

    Attributes:
        as_of_ms: when this was read.
        day_from_ms, day_until_ms: what "today" means, half-open.
        promises, earned_fen, held_fen, pool_fen, at_risk: sums over the sites.
        records_committed: in the database, of all boxes and days.
        risks: the most urgent, at most 50.
    """

    company: CompanyView
    as_of_ms: int
    day_from_ms: int
    day_until_ms: int
    sites: list[SiteView]
    boxes: list[BoxView]
    promises: Counts
    at_risk: int
    earned_fen: int
    held_fen: int
    pool_fen: int
    records_committed: int
    risks: list[AtRisk]


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A device record with its place in the chain.

    Attributes:
        epoch, block_hash, block_previous: hex.
        block_first, block_last: sequences that the block holds.
        received_at_ms: when headquarters stored the block.
        corrected_wall_ms: the time in force where anchors put the record's right; else None.
        corrected_bound_ms: its error; None also where anchors contradict each other.
    """

    site: str
    box: str
    epoch: str
    record: SpelledRecord
    block_hash: str
    block_previous: str
    block_first: int
    block_last: int
    received_at_ms: int
    corrected_wall_ms: int | None = None
    corrected_bound_ms: int | None = None


@dataclass(frozen=True, slots=True)
class VerdictView:
    """One decision about one node; the highest revision counts.

    Attributes:
        bound_ms: None where nothing was seen or the clock was never set.
        box, epoch, sequence, block_hash: the record that proves it, None where nothing was seen.
    """

    site: str
    order_id: str
    node: str
    revision: int
    verdict: SpelledVerdict
    actual_at_ms: int | None
    bound_ms: int | None
    deviation_ms: int
    score_bp: int
    covered_until_ms: int
    decided_at_ms: int
    box: str | None
    epoch: str | None
    sequence: int | None
    block_hash: str | None


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A time that was put right afterwards.

    Attributes:
        claimed_at_ms: what the box's clock had said.
        corrected_at_ms, bound_ms: what its anchors say; bound_ms None where they contradict.
    """

    claimed_at_ms: int
    corrected_at_ms: int
    bound_ms: int | None


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of a statement.

    Attributes:
        kind: pay or reversal.
        status: posted; held (earned, the pool is short); nothing (0 fen); withdrawn (was held,
            then the verdict changed); manual (its month was closed too long ago: a person
            decides).
        amount_fen: signed.
        transfer: number of the ledger transfer, None where nothing was posted.
        at_ms: when the deed happened, or was certainly missed.
        period: the month it belongs to, as 2026-03.
        correction: what anchors made of the time of the record behind it; None where the box's
            own time stands.
    """

    site: str
    worker: str
    order_id: str
    node: str
    revision: int
    kind: str
    status: str
    verdict: SpelledVerdict
    amount_fen: int
    transfer: int | None
    at_ms: int
    recorded_at_ms: int
    reason: Reason
    period: str
    correction: CorrectionView | None = None


@dataclass(frozen=True, slots=True)
class CrewView:
    """Somebody who shares the work of a node, and as what."""

    worker: str
    role: str


@dataclass(frozen=True, slots=True)
class RefundView:
    """What went back to a resident; fields as in `schema_refunds.refunds`."""

    refund: int
    amount_fen: int
    cause: str
    at_ms: int
    period: str


@dataclass(frozen=True, slots=True)
class NodeView:
    """One promised node of an order, what became of it and why.

    Attributes:
        opens_at_ms, hard_at_ms: the window in which a record by worker counts.
        is_at_risk: open and its at-risk time has come.
        decided: the verdict in force, None while open and never decided.
        history: every revision, oldest first.
        evidence: the record behind `decided`, None where nothing was seen.
        lines: what it moved on the worker's statement, oldest first.
        role: as what the worker does it; "" for the usual role.
        quantity: pieces, each paid rate_fen.
        crew: who shares the work besides the worker.
    """

    node: str
    name_zh: str
    name_en: str
    worker: str
    node_kind: str
    match: SpelledMatch
    opens_at_ms: int
    promised_at_ms: int
    due_at_ms: int
    hard_at_ms: int
    tolerance_ms: int
    hard_ms: int
    weight: int
    is_critical: bool
    rate_fen: int
    verdict: SpelledVerdict
    score_bp: int
    is_at_risk: bool
    decided: VerdictView | None
    history: list[VerdictView]
    evidence: EvidenceView | None
    lines: list[LineView]
    role: str = ""
    quantity: int = 1
    crew: list[CrewView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order in a list; score_bp is None while a node is open."""

    site: str
    order_id: str
    pack: str
    pack_version: int
    pack_name_zh: str
    pack_name_en: str
    worker: str
    resident: str
    status: str
    booked_from_ms: int
    booked_until_ms: int
    income_fen: int
    promises: Counts
    score_bp: int | None
    segment: str = ""


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order with its nodes.

    Attributes:
        refunds: what went back of its income, oldest first.
        codes: what may be scanned for it.
        earned_fen: commission posted for it.
        covered_until_ms: everything at its site is known up to then.
    """

    order: OrderRow
    codes: list[Code]
    nodes: list[NodeView]
    earned_fen: int
    covered_until_ms: int
    created_at_ms: int
    ended_at_ms: int | None
    refunds: list[RefundView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Emptiness:
    """Why a statement has no lines.

    Attributes:
        code: unknown_worker, no_promises, all_open or not_paid.
        promises: the worker's promises in the period.
        covered_until_ms: the earliest of the worker's sites; for all_open.
    """

    code: str
    promises: int
    covered_until_ms: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One worker's pay from fulfilment over [from_ms, until_ms).

    Attributes:
        earned_fen: posted lines, reversals taken off.
        held_fen: earned, waiting for the pool.
        paid_as_undecidable_fen: part of earned_fen whose verdict is undecidable.
        balance_fen: the commission account now, all periods.
        promises: the worker's promises in the period by verdict.
        emptiness: None when there are lines.
    """

    company: str
    worker: str
    name: str
    from_ms: int
    until_ms: int
    lines: list[LineView]
    earned_fen: int
    held_fen: int
    paid_as_undecidable_fen: int
    balance_fen: int
    promises: Counts
    emptiness: Emptiness | None


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker; balance_fen is the commission account."""

    site: str
    worker: str
    name: str
    balance_fen: int


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account; balance_fen = credits - debits."""

    site: str
    account: str
    kind: str
    debits_fen: int
    credits_fen: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class TransferView:
    """One ledger transfer: amount_fen from debit to credit."""

    site: str
    transfer: int
    key: str
    kind: str
    debit: str
    credit: str
    amount_fen: int
    at_ms: int
    recorded_at_ms: int
    order_id: str
    reason: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """Whether the books and the chains hold; `faults` names what does not.

    Attributes:
        is_balanced: accounts equal the sum of their transfers, and all accounts sum to zero.
        is_chain_verified: every block decodes, follows its predecessor and equals its rows.
    """

    is_balanced: bool
    is_chain_verified: bool
    accounts: int
    transfers: int
    blocks: int
    records: int
    faults: list[str]
