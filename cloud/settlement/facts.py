"""What a period is settled from: verdicts with their rates, orders, people and balances."""

from dataclasses import dataclass
from typing import Final

from agreed.promises import Verdict

VULNERABLE: Final = "vulnerable"
"""The segment of residents whose orders are left out of every figure of a team."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody at work, and as what: one person may be paid in several roles."""

    worker: str
    role: str


@dataclass(frozen=True, slots=True)
class Earning:
    """A decided node that somebody did, in its newest revision.

    Attributes:
        order_id, node: which node; together unique within the period.
        pack, pack_version: what was agreed.
        worker, role: who did it, and as what; role "" where roles play no part.
        team: of the worker at that time; "" for none.
        at_ms: when the deed happened.
        quantity: pieces, >= 0.
        rate_fen: the pack's piece rate at 10,000 bp.
        score_bp: of the verdict.
        segment: of the resident; "" where unknown.
        proof: where the device record lies: box/epoch/sequence; "" where nothing was seen.
        crew: everybody else who shared the work; empty for single work.
        is_refunded: everything of its order went back, also where that belongs to another period.
    """

    order_id: str
    node: str
    pack: str
    pack_version: int
    worker: str
    role: str
    team: str
    at_ms: int
    quantity: int
    rate_fen: int
    score_bp: int
    verdict: Verdict
    segment: str = ""
    proof: str = ""
    crew: tuple[Member, ...] = ()
    is_refunded: bool = False


@dataclass(frozen=True, slots=True)
class OrderFact:
    """An order's money in the period, and whether it was served as promised.

    Attributes:
        order_id: unique within the period.
        income_fen: what it brought, >= 0.
        supplier_cost_fen: what the supplier gets of it.
        platform_fen: platform and tax, as they were booked by the pack.
        refund_fen: what went back to the resident, 0 to income_fen.
        is_on_time: on time and in full; None while that is not decided.
    """

    order_id: str
    pack: str
    team: str
    income_fen: int
    supplier_cost_fen: int
    platform_fen: int = 0
    refund_fen: int = 0
    segment: str = ""
    is_on_time: bool | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who gets a statement, even an empty one."""

    worker: str
    role: str
    team: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    """A team and who answers for it.

    Attributes:
        leader: gets the override; "" for nobody.
        manager: gets the middle bonus; "" for nobody.
        tasks_received, tasks_passed: what came down to the manager, and what went on to the team.
    """

    team: str
    leader: str = ""
    manager: str = ""
    tasks_received: int = 0
    tasks_passed: int = 0


@dataclass(frozen=True, slots=True)
class Wage:
    """A worker's base wage of the period, which no rule touches.

    Attributes:
        withheld_fen: tax and social insurance.
        minimum_fen: the legal minimum wage there.
    """

    worker: str
    base_fen: int
    withheld_fen: int
    minimum_fen: int


@dataclass(frozen=True, slots=True)
class Receivable:
    """What a worker owes from earlier periods.

    Attributes:
        key: unique for the worker.
        cause: draw or clawback.
        opened_at_ms: the oldest is recovered first.
        balance_fen: still owed, >= 0.
    """

    worker: str
    key: str
    cause: str
    opened_at_ms: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class WagerFact:
    """How a wager stood before this period.

    Attributes:
        wager: key within the plan.
        company_fen, senior_fen: what each side's escrow holds, >= 0.
        actual_fen: measured in all earlier periods of the wager together; signed.
        paid_fen: paid in them: > 0 to the senior, < 0 by the senior.
    """

    wager: str
    company_fen: int
    senior_fen: int
    actual_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about one period; the order within the tuples plays no part.

    Attributes:
        period: local month, as 2026-03.
        pool_fen: what the pool held before, of earlier periods' money; >= 0.
        retained_fen: likewise of the company's retained profit, which advances come from.
        bonus_fen: likewise the share for the middle bonus.
    """

    company: str
    site: str
    period: str
    earnings: tuple[Earning, ...]
    orders: tuple[OrderFact, ...]
    people: tuple[Person, ...] = ()
    teams: tuple[Team, ...] = ()
    wages: tuple[Wage, ...] = ()
    receivables: tuple[Receivable, ...] = ()
    wagers: tuple[WagerFact, ...] = ()
    pool_fen: int = 0
    retained_fen: int = 0
    bonus_fen: int = 0
