"""What a verdict pays, and what a changed verdict takes back: decisions, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from agreed.limits import BASIS_POINTS
from agreed.money import scaled
from agreed.promises import Verdict
from cloud.settlement.claims import (
    Claim,
    NodeOfOrder,
    SetOff,
    fenced,
    raised,
    released,
    settled,
)
from cloud.settlement.periods import NEVER_CLOSED, Calendar
from cloud.settlement.reasons import Hold, ProvenBy, Reason
from cloud.settlement.waterfall import POOL, Move, commission

PAY: Final = "pay"
REVERSAL: Final = "reversal"
POSTED: Final = "posted"
HELD: Final = "held"
NOTHING: Final = "nothing"
MANUAL: Final = "manual"
NOTHING_OWED: Final[Mapping[NodeOfOrder, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Due:
    """A decided node as pay sees it; the other fields as in `reasons.Reason`.

    Attributes:
        worker: who is paid; "" for nobody.
        early_bp_per_hour, early_bp_max: of the promise.
        quantity: pieces, >= 1.
    """

    order_id: str
    node: str
    revision: int
    worker: str
    verdict: Verdict
    pack: str
    pack_version: int
    name_zh: str
    name_en: str
    promised_at_ms: int
    tolerance_ms: int
    hard_ms: int
    early_bp_per_hour: int
    early_bp_max: int
    actual_at_ms: int | None
    bound_ms: int | None
    deviation_ms: int
    score_bp: int
    rate_fen: int
    covered_until_ms: int
    evidence: ProvenBy | None
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A statement line as it is stored: see `schema.lines`; `reason` carries order and node.

    Attributes:
        period: the month it belongs to.
    """

    kind: str
    worker: str
    status: str
    verdict: Verdict
    at_ms: int
    reason: Reason
    period: str

    @property
    def key(self) -> str:
        """Give the idempotency key of its transfer."""
        r = self.reason
        return f"{self.kind}/{r.order_id}/{r.node}/{r.revision}"


@dataclass(frozen=True, slots=True)
class Settled:
    """What a batch of verdicts moves.

    Attributes:
        withdrawn: held lines that the new verdicts replace.
        released: held lines that the pool can now pay.
        lines: new lines.
        moves: transfers for what is posted, in order; a line and its move share their key.
    """

    withdrawn: list[Line]
    released: list[Line]
    lines: list[Line]
    moves: list[Move]


def settle(
    pool_fen: int,
    dues: list[Due],
    paid: list[Line],
    held: list[Line],
    calendar: Calendar = NEVER_CLOSED,
    owed_fen: Mapping[NodeOfOrder, int] = NOTHING_OWED,
) -> Settled:
    """Decide what is posted from the pool, what waits and what is taken back.

    What earlier revisions were paid goes back first. Then everything earned and unpaid is paid in
    the order of the deeds, until the pool cannot pay the next one; that one and all later wait.
    Pay of a closed month is not taken out of what the worker holds: it becomes a claim, less what
    the same node now pays, and runs recover it month by month: see `claims`.

    Args:
        pool_fen: what the pool holds, >= 0.
        dues: newly decided nodes, each once.
        paid: lines of kind pay, posted or held, of earlier revisions of the same nodes.
        held: all other held lines of the site.
        calendar: which months of the site are closed.
        owed_fen: what claims on the nodes of `dues` have left, fen.

    Source: mission, M1 (pool <= funded), Formulas: Commission, Restatement, Clawback.
    """
    old = {(due.order_id, due.node) for due in dues if calendar.is_too_old(due.promised_at_ms)}
    withdrawn = [line for line in paid if line.status == HELD]
    back = [
        _taken_back(line, calendar)
        for line in paid
        if line.status == POSTED and line.reason.amount_fen and _node_of(line) not in old
    ]
    claims = [c for line in paid if _node_of(line) not in old if (c := _claim(line, calendar))]
    lifted_fen = {claim.of: claim.amount_fen for claim in claims}
    own_fen = {of: lifted_fen.get(of, 0) + owed_fen.get(of, 0) for of in {*lifted_fen, *owed_fen}}
    pool_fen -= sum(line.reason.amount_fen for line in back) + sum(lifted_fen.values())
    earned = [
        _earned(due, calendar, is_old=bool(old) and (due.order_id, due.node) in old)
        for due in dues
        if due.worker and due.verdict is not Verdict.OPEN
    ]
    apart = [line for line in earned if line.status in {NOTHING, MANUAL}]
    waiting = sorted([*held, *(line for line in earned if line.status == POSTED)], key=_by_deed)
    waiting = [_now_due(line, calendar) for line in waiting]
    affordable, left_fen = _affordable(pool_fen, waiting, own_fen)
    known = {_node_of(line) for line in held}
    pays = waiting[:affordable]
    fresh = _fresh(pays, known) + [
        _held(line, left_fen) for line in _fresh(waiting[affordable:], known)
    ]
    if own_fen:
        fresh = [_kept(line, own_fen) if line.status == POSTED else line for line in fresh]
    set_offs = [_set_off(line, lifted_fen) for line in fresh if line.reason.set_off_fen]
    kept_fen = {
        _node_of(line): line.reason.set_off_fen for line in fresh if line.reason.set_off_fen
    }
    moves = [
        *raised(claims),
        *map(_move, back),
        *fenced(claims, kept_fen),
        *released(set_offs),
        *map(_move, pays),
        *settled(set_offs),
    ]
    again = [line for line in pays if known and _node_of(line) in known]
    return Settled(withdrawn, again, [*back, *apart, *fresh], moves)


def formula(due: Due) -> str:
    """Write how score and amount follow, with the numbers put in; the same in every language."""
    return _formula(due, scaled(due.quantity * due.rate_fen, due.score_bp))


def _formula(due: Due, amount_fen: int) -> str:
    pieces = f"{due.quantity} × " if due.quantity > 1 else ""
    pay = f"{pieces}{due.rate_fen} fen × {due.score_bp} bp ÷ {BASIS_POINTS} = {amount_fen} fen"
    if due.verdict is Verdict.LATE and due.score_bp:
        left, span = due.hard_ms - due.deviation_ms, due.hard_ms - due.tolerance_ms
        return f"{BASIS_POINTS} × {left} ms ÷ {span} ms = {due.score_bp} bp; {pay}"
    if due.verdict is Verdict.KEPT and due.score_bp > BASIS_POINTS:
        early_ms = -due.deviation_ms - due.tolerance_ms
        credit = f"min({due.early_bp_max}, {early_ms} ms × {due.early_bp_per_hour} bp/h)"
        return f"{BASIS_POINTS} + {credit} = {due.score_bp} bp; {pay}"
    return pay


def _fresh(lines: list[Line], known: set[NodeOfOrder]) -> list[Line]:
    return [line for line in lines if _node_of(line) not in known] if known else lines


def _node_of(line: Line) -> NodeOfOrder:
    return line.reason.order_id, line.reason.node


def _claim(line: Line, calendar: Calendar) -> Claim | None:
    reason = line.reason
    fen = reason.amount_fen if calendar.is_closed(line.period) else reason.set_off_fen
    if line.status != POSTED or not fen:
        return None
    return Claim(reason.order_id, reason.node, reason.revision, line.worker, fen, line.at_ms)


def _now_due(line: Line, calendar: Calendar) -> Line:
    """Give what waited since its month was closed to the first open one."""
    if not calendar.is_closed(line.period):
        return line
    return replace(line, period=calendar.belongs_to(line.at_ms))


def _kept(line: Line, own_fen: Mapping[NodeOfOrder, int]) -> Line:
    kept_fen = min(own_fen.get(_node_of(line), 0), line.reason.amount_fen)
    if not kept_fen:
        return line
    return replace(line, reason=line.reason.model_copy(update={"set_off_fen": kept_fen}))


def _set_off(line: Line, lifted_fen: Mapping[NodeOfOrder, int]) -> SetOff:
    reason = line.reason
    fen = reason.set_off_fen
    from_fence_fen = max(0, fen - lifted_fen.get(_node_of(line), 0))
    return SetOff(
        reason.order_id,
        reason.node,
        reason.revision,
        line.worker,
        fen,
        from_fence_fen,
        line.at_ms,
    )


def _earned(due: Due, calendar: Calendar, *, is_old: bool) -> Line:
    amount_fen = scaled(due.quantity * due.rate_fen, due.score_bp)
    reason = Reason(
        order_id=due.order_id,
        node=due.node,
        pack=due.pack,
        pack_version=due.pack_version,
        name_zh=due.name_zh,
        name_en=due.name_en,
        revision=due.revision,
        verdict=due.verdict.name.lower(),
        promised_at_ms=due.promised_at_ms,
        tolerance_ms=due.tolerance_ms,
        hard_ms=due.hard_ms,
        actual_at_ms=due.actual_at_ms,
        bound_ms=due.bound_ms,
        deviation_ms=due.deviation_ms,
        score_bp=due.score_bp,
        rate_fen=due.rate_fen,
        quantity=due.quantity,
        amount_fen=amount_fen,
        formula=_formula(due, amount_fen),
        covered_until_ms=due.covered_until_ms,
        evidence=due.evidence,
    )
    status = POSTED if amount_fen else NOTHING
    if amount_fen and is_old:
        status, reason = MANUAL, reason.model_copy(update={"hold": Hold.TOO_OLD})
    at_ms = _happened_at_ms(due)
    return Line(PAY, due.worker, status, due.verdict, at_ms, reason, calendar.belongs_to(at_ms))


def _happened_at_ms(due: Due) -> int:
    if due.evidence is None:
        return due.promised_at_ms + due.hard_ms
    if due.bound_ms is None or due.actual_at_ms is None:
        return due.promised_at_ms  # the box had no clock: the agreed time is the best known
    return due.actual_at_ms


def _taken_back(line: Line, calendar: Calendar) -> Line:
    reason = line.reason.model_copy(
        update={
            "amount_fen": -line.reason.amount_fen,
            "takes_back_revision": line.reason.revision,
            "set_off_fen": 0,
            "hold": None,
            "pool_fen": None,
        }
    )
    period = calendar.belongs_to(line.at_ms)
    return replace(line, kind=REVERSAL, reason=reason, period=period)


def _held(line: Line, pool_fen: int) -> Line:
    reason = line.reason.model_copy(update={"hold": Hold.POOL_SHORT, "pool_fen": pool_fen})
    return replace(line, status=HELD, reason=reason)


def _by_deed(line: Line) -> tuple[int, str, str]:
    return line.at_ms, line.reason.order_id, line.reason.node


def _affordable(
    pool_fen: int, waiting: list[Line], own_fen: dict[NodeOfOrder, int]
) -> tuple[int, int]:
    """Count the lines that can be paid, and give what the pool holds after them, fen."""
    for count, line in enumerate(waiting):
        needed_fen = line.reason.amount_fen
        if own_fen:
            needed_fen = max(0, needed_fen - own_fen.get(_node_of(line), 0))
        if needed_fen > pool_fen:
            return count, pool_fen
        pool_fen -= needed_fen
    return len(waiting), pool_fen


def _move(line: Line) -> Move:
    worker, fen, of, key = commission(line.worker), line.reason.amount_fen, line.reason, line.key
    debit, credit = (POOL, worker) if fen > 0 else (worker, POOL)
    kind = "commission" if fen > 0 else "commission_reversal"
    reason = {"order": of.order_id, "node": of.node, "line": key}
    return Move(key, kind, debit, credit, abs(fen), line.at_ms, of.order_id, reason)
