"""What a verdict pays, and what a changed verdict takes back: decisions, no database."""

from dataclasses import dataclass, replace
from typing import Final

from agreed.limits import BASIS_POINTS
from agreed.money import scaled
from agreed.promises import Verdict
from cloud.settlement.reasons import Hold, ProvenBy, Reason
from cloud.settlement.waterfall import POOL, Move, commission

PAY: Final = "pay"
REVERSAL: Final = "reversal"
POSTED: Final = "posted"
HELD: Final = "held"
NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Due:
    """A decided node as pay sees it; the other fields as in `reasons.Reason`.

    Attributes:
        worker: who is paid; "" for nobody.
        early_bp_per_hour, early_bp_max: of the promise.
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


@dataclass(frozen=True, slots=True)
class Line:
    """A statement line as it is stored: see `schema.lines`; `reason` carries order and node."""

    kind: str
    worker: str
    status: str
    verdict: Verdict
    at_ms: int
    reason: Reason

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


def settle(pool_fen: int, dues: list[Due], paid: list[Line], held: list[Line]) -> Settled:
    """Decide what is posted from the pool, what waits and what is taken back.

    What earlier revisions were paid goes back first. Then everything earned and unpaid is paid in
    the order of the deeds, until the pool cannot pay the next one; that one and all later wait.

    Args:
        pool_fen: what the pool holds, >= 0.
        dues: newly decided nodes, each once.
        paid: lines of kind pay, posted or held, of earlier revisions of the same nodes.
        held: all other held lines of the site.

    Source: mission, M1 (pool <= funded), Formulas: Commission, Restatement.
    """
    withdrawn = [line for line in paid if line.status == HELD]
    back = [_taken_back(line) for line in paid if line.status == POSTED and line.reason.amount_fen]
    pool_fen -= sum(line.reason.amount_fen for line in back)
    earned = [_earned(due) for due in dues if due.worker and due.verdict is not Verdict.OPEN]
    nothing = [line for line in earned if line.status == NOTHING]
    waiting = sorted([*held, *(line for line in earned if line.status != NOTHING)], key=_by_deed)
    affordable = _affordable(pool_fen, waiting)
    moves = [_move(line) for line in [*back, *waiting[:affordable]]]
    left_fen = pool_fen - sum(line.reason.amount_fen for line in waiting[:affordable])
    known = {id(line) for line in held}
    new = [(i, line) for i, line in enumerate(waiting) if id(line) not in known]
    fresh = [line if i < affordable else _held(line, left_fen) for i, line in new]
    released = [line for line in waiting[:affordable] if id(line) in known]
    return Settled(withdrawn, released, [*back, *nothing, *fresh], moves)


def formula(due: Due) -> str:
    """Write how score and amount follow, with the numbers put in; the same in every language."""
    amount_fen = scaled(due.rate_fen, due.score_bp)
    pay = f"{due.rate_fen} fen × {due.score_bp} bp ÷ {BASIS_POINTS} = {amount_fen} fen"
    if due.verdict is Verdict.LATE and due.score_bp:
        left, span = due.hard_ms - due.deviation_ms, due.hard_ms - due.tolerance_ms
        return f"{BASIS_POINTS} × {left} ms ÷ {span} ms = {due.score_bp} bp; {pay}"
    if due.verdict is Verdict.KEPT and due.score_bp > BASIS_POINTS:
        early_ms = -due.deviation_ms - due.tolerance_ms
        credit = f"min({due.early_bp_max}, {early_ms} ms × {due.early_bp_per_hour} bp/h)"
        return f"{BASIS_POINTS} + {credit} = {due.score_bp} bp; {pay}"
    return pay


def _earned(due: Due) -> Line:
    amount_fen = scaled(due.rate_fen, due.score_bp)
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
        amount_fen=amount_fen,
        formula=formula(due),
        covered_until_ms=due.covered_until_ms,
        evidence=due.evidence,
    )
    status = POSTED if amount_fen else NOTHING
    return Line(PAY, due.worker, status, due.verdict, _happened_at_ms(due), reason)


def _happened_at_ms(due: Due) -> int:
    if due.evidence is None:
        return due.promised_at_ms + due.hard_ms
    if due.bound_ms is None or due.actual_at_ms is None:
        return due.promised_at_ms  # the box had no clock: the agreed time is the best known
    return due.actual_at_ms


def _taken_back(line: Line) -> Line:
    reason = line.reason.model_copy(
        update={
            "amount_fen": -line.reason.amount_fen,
            "takes_back_revision": line.reason.revision,
            "hold": None,
            "pool_fen": None,
        }
    )
    return replace(line, kind=REVERSAL, reason=reason)


def _held(line: Line, pool_fen: int) -> Line:
    reason = line.reason.model_copy(update={"hold": Hold.POOL_SHORT, "pool_fen": pool_fen})
    return replace(line, status=HELD, reason=reason)


def _by_deed(line: Line) -> tuple[int, str, str]:
    return line.at_ms, line.reason.order_id, line.reason.node


def _affordable(pool_fen: int, waiting: list[Line]) -> int:
    for count, line in enumerate(waiting):
        pool_fen -= line.reason.amount_fen
        if pool_fen < 0:
            return count
    return len(waiting)


def _move(line: Line) -> Move:
    worker, fen = commission(line.worker), line.reason.amount_fen
    debit, credit = (POOL, worker) if fen > 0 else (worker, POOL)
    kind = "commission" if fen > 0 else "commission_reversal"
    reason = {"order": line.reason.order_id, "node": line.reason.node, "line": line.key}
    return Move(line.key, kind, debit, credit, abs(fen), line.at_ms, line.reason.order_id, reason)
