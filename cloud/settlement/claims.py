"""What a worker owes because late records took back pay of a closed month, in double entry.

Taking back goes in four steps, so that each mirrors what was posted and the pool never counts
money that has not come back: the claim lifts the worker's account, the reversal empties it into
the pool, the pool fences what is not there yet, and pay of the same node is set off at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud.settlement.waterfall import (
    POOL,
    RETAINED,
    UNRECOVERED,
    Account,
    Move,
    advanced,
    commission,
    receivable,
)

CLAIM: Final = "claim"
FENCE: Final = "fence"
RECOVERY: Final = "recovery"
RELEASE: Final = "release"

NodeOfOrder = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """Pay that is taken back and is out of reach; fields as in the line that paid it."""

    order_id: str
    node: str
    revision: int
    worker: str
    amount_fen: int
    at_ms: int

    @property
    def of(self) -> NodeOfOrder:
        """Name the node."""
        return self.order_id, self.node


@dataclass(frozen=True, slots=True)
class SetOff:
    """What a node now pays and is kept for what the same node owes.

    Attributes:
        order_id, node, revision, worker, at_ms: of the line that pays.
        amount_fen: kept, > 0.
        released_fen: of it, what the pool had fenced before.
    """

    order_id: str
    node: str
    revision: int
    worker: str
    amount_fen: int
    released_fen: int
    at_ms: int


def raised(claims: Sequence[Claim]) -> list[Move]:
    """Lift the workers' accounts by what they owe."""
    return [
        _move(c, CLAIM, receivable(c.worker), commission(c.worker), c.amount_fen) for c in claims
    ]


def fenced(claims: Sequence[Claim], kept_fen: Mapping[NodeOfOrder, int]) -> list[Move]:
    """Wall off in the pool what has yet to come back, once it is known what each node keeps."""
    left = [(c, c.amount_fen - kept_fen.get(c.of, 0)) for c in claims]
    return [_move(c, FENCE, POOL, UNRECOVERED, fen) for c, fen in left if fen > 0]


def released(set_offs: Sequence[SetOff]) -> list[Move]:
    """Give the pool back what it had fenced for nodes that pay again."""
    return [
        _move(s, RELEASE, UNRECOVERED, POOL, s.released_fen) for s in set_offs if s.released_fen
    ]


def settled(set_offs: Sequence[SetOff]) -> list[Move]:
    """Settle claims with what the same nodes now pay."""
    return [
        _move(s, RECOVERY, commission(s.worker), receivable(s.worker), s.amount_fen)
        for s in set_offs
    ]


def recovered(
    worker: str, amount_fen: int, key: str, at_ms: int, advance_fen: int = 0
) -> list[Move]:
    """Deduct from what a worker holds, and give back what was fenced to whom it belongs.

    Args:
        worker: who owes.
        amount_fen: deducted, >= 0.
        key: of the run's line.
        at_ms: the end of the month.
        advance_fen: of it, what repays advances; the rest repays the pool.
    """
    reason = {"worker": worker}
    legs = [
        ("deduction", commission(worker), receivable(worker), amount_fen),
        ("pool", UNRECOVERED, POOL, amount_fen - advance_fen),
        ("retained", advanced(worker), RETAINED, advance_fen),
    ]
    return [
        Move(f"{key}/{leg}", RECOVERY, debit, credit, fen, at_ms, "", reason)
        for leg, debit, credit, fen in legs
        if fen
    ]


@dataclass(frozen=True, slots=True)
class Repost:
    """What a rule of a closed month had paid a worker, and what it pays by what is known now.

    Attributes:
        key: of the run's line.
        posted_fen, now_fen: signed.
        formula: of the run's line.
    """

    key: str
    posted_fen: int
    now_fen: int
    formula: str


def reposted(
    worker: str, key: str, reposts: Sequence[Repost], at_ms: int, source: Account = POOL
) -> list[Move]:
    """Reverse what a closed month's rules had paid a worker, and post what they pay now.

    As with nodes, nothing of it comes out of what the worker holds: a claim lifts the account by
    all that goes back, what is posted again is set off at once, and the pool fences the rest.
    What another account had paid it has back at once; the company advances it, as a draw.

    Args:
        worker: who was paid.
        key: of the claim; the legs of each line have the line's.
        reposts: the lines, of rules that one account pays.
        at_ms: the end of the open month.
        source: that account.
    """
    pay, owes = commission(worker), receivable(worker)
    fence = (POOL, UNRECOVERED) if source == POOL else (RETAINED, advanced(worker))
    back_fen = sum(max(0, r.posted_fen) + max(0, -r.now_fen) for r in reposts)
    lost_fen = max(0, sum(r.posted_fen - r.now_fen for r in reposts))
    legs = [(f"{r.key}/reversed", -r.posted_fen, r.formula) for r in reposts]
    legs += [(f"{r.key}/posted", r.now_fen, r.formula) for r in reposts]
    # What goes back comes first, so that the pool need not hold what is posted again.
    legs.sort(key=lambda leg: leg[1] > 0)
    moves = [(f"{key}/claim", CLAIM, owes, pay, back_fen, "")]
    moves += [
        (name, "settlement", source, pay, fen, formula)
        if fen > 0
        else (name, "settlement_reversal", pay, source, -fen, formula)
        for name, fen, formula in legs
    ]
    moves += [
        (f"{key}/set-off", RECOVERY, pay, owes, back_fen - lost_fen, ""),
        (f"{key}/fence", FENCE, *fence, lost_fen, ""),
    ]
    return [
        Move(name, kind, debit, credit, fen, at_ms, "", {"worker": worker, "formula": formula})
        for name, kind, debit, credit, fen, formula in moves
        if fen
    ]


def _move(of: Claim | SetOff, name: str, debit: Account, credit: Account, fen: int) -> Move:
    key = f"{name}/{of.order_id}/{of.node}/{of.revision}"
    reason = {"order": of.order_id, "node": of.node, "revision": of.revision}
    kind = RECOVERY if name == RELEASE else name
    return Move(key, kind, debit, credit, fen, of.at_ms, of.order_id, reason)
