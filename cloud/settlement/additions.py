"""Turns what a plan makes of a month into what a run posts beside what the books hold already."""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from cloud.settlement.results import Caution, Line, PeriodResult, Rule
from cloud.settlement.running import UNFUNDED, Extra, RunLine
from cloud.settlement.waterfall import NEW_PROFIT, RETAINED, Account, commission

CAUSES_MAX: Final = 10
"""Orders that a line names; it says how many there are."""

NO_REFUNDS: Final[Mapping[str, list[str]]] = MappingProxyType({})

_WORKER: Final = commission("").name
_LEFT_OUT: Final = frozenset({Rule.WATERFALL, Rule.RECOVERY, Rule.SHORTAGE})
"""Booked by differences; decided by the run itself; a run refuses instead of cutting."""


def additions(
    result: PeriodResult,
    accrued_fen: Mapping[str, int],
    booked_fen: Mapping[Account, int],
    refunded: Mapping[str, list[str]] = NO_REFUNDS,
) -> list[Extra]:
    """List what a run adds for a plan, each with the account that pays it.

    Args:
        result: of a period whose funds were taken as unlimited, so that nothing is cut.
        accrued_fen: what the verdicts in force paid each worker for the period's nodes.
        booked_fen: what the waterfalls of the period's orders brought each account.
        refunded: orders of each worker that were refunded in full and therefore pay nothing.
    """
    extras = _reshared(result, booked_fen)
    extras += [
        _paid(line, accrued_fen, refunded) for line in result.lines if line.rule not in _LEFT_OUT
    ]
    return extras + [
        _missing(f"escrow:{warned.subject}", warned.amount_fen)
        for warned in result.warnings
        if warned.caution is Caution.WAGER_UNFUNDED
    ]


def _reshared(result: PeriodResult, booked_fen: Mapping[Account, int]) -> list[Extra]:
    """Share new profit as the plan says: only what the packs shared otherwise moves.

    Retained profit pays every difference; its own is what remains.
    """
    planned: dict[Account, list[Line]] = defaultdict(list)
    for line in result.lines:
        if line.rule is Rule.WATERFALL and line.payee != NEW_PROFIT:
            planned[line.payee].append(line)
    accounts = sorted({*planned, *booked_fen} - {RETAINED}, key=lambda account: account.name)
    return [_share(account, planned[account], booked_fen.get(account, 0)) for account in accounts]


def _share(account: Account, lines: list[Line], booked_fen: int) -> Extra:
    planned_fen = sum(line.amount_fen for line in lines)
    fen = planned_fen - booked_fen
    formula = "; ".join(line.formula for line in lines) or "0 fen"
    inputs: dict[str, Any] = {"planned_fen": planned_fen, "booked_fen": booked_fen}
    reasons = [line.nothing for line in lines if line.nothing]
    if lines:
        inputs["rounding"] = str(lines[-1].rounding)
    if reasons and not fen:
        inputs["nothing"] = str(reasons[0])
    how = f"{formula}; {planned_fen} − {booked_fen} = {fen} fen"
    line = RunLine(account.name, str(Rule.WATERFALL), fen, how, inputs)
    return Extra(line, RETAINED, account.kind)


def _paid(line: Line, accrued_fen: Mapping[str, int], refunded: Mapping[str, list[str]]) -> Extra:
    inputs: dict[str, Any] = dict(line.inputs) | {"rounding": str(line.rounding)}
    if line.nothing is not None:
        inputs["nothing"] = str(line.nothing)
    rule = f"{line.rule}:{line.subject}" if line.subject else str(line.rule)
    fen, formula = line.amount_fen, line.formula
    if line.rule is Rule.PIECE:
        worker = line.payee.name.removeprefix(_WORKER)
        held_fen = accrued_fen.get(worker, 0)
        inputs |= {"planned_fen": fen, "accrued_fen": held_fen}
        if refunded.get(worker):
            orders = refunded[worker]
            inputs |= {"refunded": orders[:CAUSES_MAX], "refunded_count": len(orders)}
        formula = f"{formula}; {fen} − {held_fen} = {fen - held_fen} fen"
        fen -= held_fen
    return Extra(RunLine(line.payee.name, rule, fen, formula, inputs), line.source, line.payee.kind)


def _missing(account: str, missing_fen: int) -> Extra:
    line = RunLine(account, UNFUNDED, 0, f"{missing_fen} fen", {"missing_fen": missing_fen})
    return Extra(line, kind="escrow")
