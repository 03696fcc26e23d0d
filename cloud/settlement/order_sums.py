"""What each order adds to its month under a plan; sums of these settle the month.

Everything that a plan makes of nodes and orders is a function of sums over orders. So an order that
changed is taken out of the sums as it was and put in again as it is, and the rest is not looked at.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any, Final

from cloud.settlement.facts import Earning, Facts, OrderFact, Team
from cloud.settlement.management import punctuality
from cloud.settlement.period import Added
from cloud.settlement.pieces import Rates, Seat, Work, gather, refunded_orders
from cloud.settlement.plans import Plan
from cloud.settlement.profit import Takings, take
from cloud.settlement.waterfall import Account

FORM: Final = 1
"""Raise it when an order adds up to anything else than before: kept sums are read no more."""

Key = tuple[str, ...]
"""What is summed and of whom: as work, its field, worker, role and team."""

Sums = dict[Key, int]

_WORK: Final = tuple(f.name for f in fields(Work))
_TAKEN: Final = tuple(f.name for f in fields(Takings) if f.name != "unshared_packs")


@dataclass(slots=True)
class OrderMonth:
    """All that a month knows of one order.

    Attributes:
        order: None where it was booked for another month.
        is_passed_on: whether somebody took it; None where it is no task of the month.
        earnings: its nodes whose deeds are in the month.
        accrued_fen: what the verdicts in force paid each worker for them.
        booked_fen: what its waterfall brought each account.
    """

    order: OrderFact | None = None
    is_passed_on: bool | None = None
    earnings: list[Earning] = field(default_factory=list)
    accrued_fen: dict[str, int] = field(default_factory=dict)
    booked_fen: dict[Account, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MonthSums:
    """A month, added up.

    Attributes:
        added: nodes and orders.
        teams: tasks that came down to each, and those passed on.
        accrued_fen, booked_fen: as in `OrderMonth`.
        refunded: orders of each worker that went back in full and pay nothing, sorted.
    """

    added: Added
    teams: Mapping[str, tuple[int, int]]
    accrued_fen: Mapping[str, int]
    booked_fen: Mapping[Account, int]
    refunded: Mapping[str, list[str]]


def made_by(plan: Plan) -> str:
    """Name what sums follow from beside the facts, by its content."""
    return sha256(f"{FORM} {plan.model_dump_json()}".encode()).hexdigest()


def of_order(plan: Plan, rates: Rates, month: OrderMonth) -> Sums:
    """Add up one order.

    Args:
        plan: which rules.
        rates: of the plan; whose orders are refunded plays no part.
        month: what is known of the order.
    """
    orders = () if month.order is None else (month.order,)
    facts = Facts("", "", "", tuple(month.earnings), orders)
    refunded = refunded_orders(plan, facts)
    sums: Sums = defaultdict(int)
    work, _ = gather(replace(rates, refunded=refunded), facts)
    for seat, done in work.items():
        for name in _WORK:
            sums["work", name, *seat] += getattr(done, name)
    _add_order(sums, plan, month)
    for earning in month.earnings:
        if earning.order_id in refunded:
            for worker in {earning.worker, *(member.worker for member in earning.crew)}:
                sums["refunded", worker, earning.order_id] = 1
    for worker, fen in month.accrued_fen.items():
        sums["accrued", worker] += fen
    for account, fen in month.booked_fen.items():
        sums["booked", account.name, account.kind] += fen
        sums["bookings", account.name, account.kind] += 1  # an account that holds 0 has a line, too
    return {key: number for key, number in sums.items() if number}


def _add_order(sums: Sums, plan: Plan, month: OrderMonth) -> None:
    if month.order is None:
        return
    taken = take(plan.waterfall, (month.order,))
    for name in _TAKEN:
        sums["taken", name] += getattr(taken, name)
    for pack in taken.unshared_packs:
        sums["unshared", pack] += 1
    for team, (kept, due) in punctuality((month.order,), frozenset(plan.carved_out)).items():
        sums["kept", team] += kept
        sums["due", team] += due
    if month.is_passed_on is not None:
        sums["received", month.order.team] += 1
        sums["passed", month.order.team] += month.is_passed_on


def exchanged(total: Mapping[Key, int], old: Iterable[Sums], new: Iterable[Sums]) -> Sums:
    """Take orders out of sums as they were, and put them in as they are."""
    found: Sums = defaultdict(int, total)
    for sums, sign in ((old, -1), (new, 1)):
        for of_one in sums:
            for key, number in of_one.items():
                found[key] += sign * number
    return {key: number for key, number in found.items() if number}


def read(sums: Mapping[Key, int]) -> MonthSums:
    """Give sums their meaning again."""
    of: dict[str, dict[Key, int]] = defaultdict(dict)
    for (what, *key), number in sums.items():
        of[what][tuple(key)] = number
    work: dict[Seat, Work] = defaultdict(Work)
    for (name, *seat), number in of["work"].items():
        setattr(work[Seat(*seat)], name, number)
    taken = Takings(unshared_packs=frozenset(pack for (pack,) in of["unshared"]))
    for (name,), fen in of["taken"].items():
        setattr(taken, name, fen)
    refunded: dict[str, list[str]] = defaultdict(list)
    for worker, order_id in sorted(of["refunded"]):
        refunded[worker].append(order_id)
    return MonthSums(
        Added(dict(work), taken, _pairs(of["kept"], of["due"])),
        _pairs(of["received"], of["passed"]),
        {worker: fen for (worker,), fen in of["accrued"].items()},
        {Account(*key): of["booked"].get(key, 0) for key in of["bookings"]},
        dict(refunded),
    )


def with_tasks(teams: Iterable[Team], sums: MonthSums) -> tuple[Team, ...]:
    """Say of each team what came down to it, and what somebody took on."""
    found = []
    for team in teams:
        received, passed = sums.teams.get(team.team, (0, 0))
        found.append(replace(team, tasks_received=received, tasks_passed=passed))
    return tuple(found)


def to_rows(sums: Mapping[Key, int]) -> list[list[Any]]:
    """Write sums down, as JSON may hold them: each key with its number, sorted."""
    return [[*key, number] for key, number in sorted(sums.items())]


def from_rows(rows: Iterable[list[Any]]) -> Sums:
    """Read what `to_rows` wrote."""
    return {tuple(key): number for *key, number in rows}


def _pairs(first: Mapping[Key, int], second: Mapping[Key, int]) -> dict[str, tuple[int, int]]:
    keys = {*first, *second}
    return {name: (first.get((name,), 0), second.get((name,), 0)) for (name,) in keys}
