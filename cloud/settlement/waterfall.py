"""Where an order's income goes: supplier, platform, new profit, and of that the pool."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from agreed.limits import BASIS_POINTS
from agreed.money import scaled, split
from cloud.settlement.packs import Pack


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a site by name; kind as in `schema.ACCOUNT_KINDS`."""

    name: str
    kind: str


RESIDENTS: Final = Account("residents", "outside")
COMPANY: Final = Account("company", "outside")
INCOME: Final = Account("income", "income")
PLATFORM: Final = Account("platform", "platform")
NEW_PROFIT: Final = Account("new_profit", "new_profit")
RETAINED: Final = Account("retained", "retained")
POOL: Final = Account("pool", "pool")
UNRECOVERED: Final = Account("unrecovered", "unrecovered")
BANK: Final = Account("bank", "outside")
WAGER: Final = Account("wager", "wager")
BONUS: Final = Account("bonus", "bonus")
CARE: Final = Account("care", "care")
WAGE_FUND: Final = Account("wage_fund", "wage_fund")


def supplier(name: str) -> Account:
    """Name a supplier's account."""
    return Account(f"supplier:{name}", "supplier")


@lru_cache(maxsize=4_096)
def commission(worker: str) -> Account:
    """Name a worker's account for what fulfilment earns; base wages are elsewhere."""
    return Account(f"commission:{worker}", "commission")


def receivable(worker: str) -> Account:
    """Name what a worker owes: pay of closed months that was taken back, and advances."""
    return Account(f"receivable:{worker}", "receivable")


def advanced(worker: str) -> Account:
    """Name what the company fences until a worker has paid back advances (draws)."""
    return Account(f"unrecovered:{worker}", "unrecovered")


def escrow(wager: str, side: str) -> Account:
    """Name the stake of one side of a wager."""
    return Account(f"escrow:{wager}:{side}", "escrow")


def wage(worker: str) -> Account:
    """Name a worker's account for base wages; commission never touches it."""
    return Account(f"wage:{worker}", "wage")


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer to be posted: amount_fen > 0 from debit to credit.

    Attributes:
        key: idempotency; a key is posted once, ever.
        kind: as in `schema.TRANSFER_KINDS`.
        at_ms: when the deed happened.
        order_id: "" for none.
        reason: JSON that explains it.
    """

    key: str
    kind: str
    debit: Account
    credit: Account
    amount_fen: int
    at_ms: int
    order_id: str
    reason: dict[str, Any]


def waterfall(pack: Pack, version: int, order_id: str, income_fen: int, at_ms: int) -> list[Move]:
    """Lead an order's income down to the pool; steps of 0 fen are left out.

    Supplier cost and platform share come first, never more than there is; what remains is new
    profit; pool and retained share it exactly, by largest remainder.

    Source: mission, M1, M3.
    """
    cost_fen = min(pack.supplier_cost_fen, income_fen)
    platform_fen = min(scaled(income_fen, pack.platform_bp), income_fen - cost_fen)
    profit_fen = income_fen - cost_fen - platform_fen
    shares = split(profit_fen, {"pool": pack.pool_bp, "retained": BASIS_POINTS - pack.pool_bp})
    steps = [
        ("income", "income", RESIDENTS, INCOME, income_fen),
        ("supplier", "waterfall", INCOME, supplier(pack.supplier), cost_fen),
        ("platform", "waterfall", INCOME, PLATFORM, platform_fen),
        ("profit", "waterfall", INCOME, NEW_PROFIT, profit_fen),
        ("pool", "waterfall", NEW_PROFIT, POOL, shares["pool"]),
        ("retained", "waterfall", NEW_PROFIT, RETAINED, shares["retained"]),
    ]
    reason = {"pack": pack.key, "pack_version": version, "income_fen": income_fen}
    return [
        Move(f"income/{order_id}/{step}", kind, debit, credit, fen, at_ms, order_id, reason)
        for step, kind, debit, credit, fen in steps
        if fen > 0
    ]


@dataclass(frozen=True, slots=True)
class Refund:
    """What goes back of an order's income, and what the order had brought and then brings.

    Attributes:
        number: from 1, of this order.
        before_fen, after_fen: the income less all refunds, before this one and after it.
        supplier_fen: what the supplier's account still holds; what it lacks the company bears.
        cause: for the books.
    """

    order_id: str
    number: int
    before_fen: int
    after_fen: int
    supplier_fen: int
    cause: str


def refunded(pack: Pack, version: int, refund: Refund, at_ms: int) -> list[Move]:
    """Bring an order's waterfall down to what is left of its income, last step first.

    What goes back in full is the exact mirror of what came.
    """
    before = waterfall(pack, version, refund.order_id, refund.before_fen, at_ms)
    after = waterfall(pack, version, refund.order_id, refund.after_fen, at_ms)
    left_fen = {move.key: move.amount_fen for move in after}
    head = f"refund/{refund.order_id}/{refund.number}"
    reason = {"refund": refund.number, "cause": refund.cause}
    moves = []
    for move in reversed(before):
        fen = move.amount_fen - left_fen.get(move.key, 0)
        key = f"{head}/{move.key.rpartition('/')[2]}"
        back = replace(move, key=key, kind="income_reversal", debit=move.credit, credit=move.debit)
        back = replace(back, reason=reason)
        for way, part in _ways(back, fen, refund.supplier_fen):
            moves.append(replace(way, amount_fen=part))
    return moves


def _ways(back: Move, fen: int, supplier_fen: int) -> list[tuple[Move, int]]:
    """Say who gives a step back: a supplier what it holds, the company the rest."""
    if fen < 0:  # a smaller order may leave one fen more by largest remainder
        return [(replace(back, debit=back.credit, credit=back.debit), -fen)]
    if back.debit.kind != "supplier":
        return [(back, fen)] if fen else []
    own_fen = min(fen, supplier_fen)
    company = replace(back, key=f"{back.key}/company", debit=RETAINED)
    return [(way, part) for way, part in ((back, own_fen), (company, fen - own_fen)) if part]
