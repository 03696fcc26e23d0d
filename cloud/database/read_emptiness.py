"""Says why nothing moved on a month's statement."""

from sqlalchemy import Connection, func, select

from agreed.promises import Verdict
from cloud.database import schema
from cloud.database.books import calendar
from cloud.database.fleet import Place, at
from cloud.database.plan_books import plan_in_force
from cloud.database.views import LineView
from cloud.settlement.periods import span_ms


def why_empty(
    connection: Connection,
    place: Place,
    worker: str | None,
    period: str,
    waiting: list[LineView],
    *,
    is_known: bool,
) -> str:
    """Give the code of the reason.

    Args:
        connection: the store.
        place: the site.
        worker: whose statement it is; None for suppliers and the pool.
        period: the month.
        waiting: lines that are not in the books.
        is_known: the account was ever used.

    Returns:
        pool_short: something is earned and waits for the pool. too_old: a person decides.
        all_missed: every step was missed. nothing_pays: the steps have no rate, or came too late.
        all_open: steps were promised, none is decided. no_plan: no step was promised, and no
        plan is in force that could pay anything else. no_promises: likewise, and the plan pays
        nothing else. no_account: nothing was ever booked. nothing_moved: nothing this month.
    """
    statuses = {line.status for line in waiting}
    for status, code in (("held", "pool_short"), ("manual", "too_old")):
        if status in statuses:
            return code
    if waiting:
        missed = all(line.verdict is Verdict.MISSED for line in waiting)
        return "all_missed" if missed else "nothing_pays"
    if worker is not None:
        promised, still_open = _promised(connection, place, worker, period)
        if promised == 0:
            has_plan = plan_in_force(connection, place, period) is not None
            return "no_promises" if has_plan else "no_plan"
        if promised == still_open:
            return "all_open"
    return "nothing_moved" if is_known else "no_account"


def _promised(connection: Connection, place: Place, worker: str, period: str) -> tuple[int, int]:
    """Count a worker's promised steps of a month, and those that are not decided."""
    promises = schema.promises
    from_ms, until_ms = span_ms(period, calendar(connection, place).utc_offset_minutes)
    query = (
        select(promises.c.verdict, func.count())
        .where(at(promises, place), promises.c.worker == worker)
        .where(promises.c.promised_at_ms >= from_ms, promises.c.promised_at_ms < until_ms)
        .where(promises.c.is_withdrawn.is_(False))
        .group_by(promises.c.verdict)
    )
    found = {int(verdict): int(count) for verdict, count in connection.execute(query)}
    return sum(found.values()), found.get(Verdict.OPEN, 0)
