"""Gives the stakes of a wager back that is over or withdrawn, without waiting for a run."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from agreed.words import say
from cloud.database import books
from cloud.database.engine import writing
from cloud.database.fleet import Place
from cloud.database.plan_books import plan_in_force
from cloud.database.read_wagers import signed_wagers, stakes_of
from cloud.office.refusals import ConflictError, UnknownError
from cloud.office.sites import hold_site
from cloud.settlement.releasing import Over, Stakes, released
from cloud.settlement.wagers import Wager


@dataclass(frozen=True, slots=True)
class Released:
    """What went back of a wager's stakes, fen; 0 where nothing lay in escrow."""

    wager: str
    senior: str
    senior_fen: int
    company_fen: int


def release_wager(engine: Engine, place: Place, key: str, now_ms: int) -> Released:
    """Give back what is left of both stakes; again, it changes nothing.

    Raises:
        UnknownError: no such site, or no plan of it ever held such a wager.
        ConflictError: a month of the wager is not settled yet.
    """
    with writing(engine) as connection:
        hold_site(connection, place)
        wager = signed_wagers(connection, place).get(key)
        if wager is None:
            raise UnknownError("wager", say("No plan ever held a wager {wager}.", wager=key))
        _refuse_running(connection, place, wager)
        stakes = stakes_of(connection, place).get(key, Stakes(0, 0))
        why = Over.TERM if _is_held(connection, place, wager) else Over.WITHDRAWN
        books.post(connection, place, released(wager, stakes, why, now_ms), now_ms)
        return Released(key, wager.senior, stakes.senior_fen, stakes.company_fen)


def _refuse_running(connection: Connection, place: Place, wager: Wager) -> None:
    months = books.calendar(connection, place)
    open_months = [t.period for t in wager.targets if not months.is_closed(t.period)]
    running = [month for month in open_months if _holds(connection, place, wager, month)]
    if running:
        raise ConflictError(
            "wager",
            say(
                "{wager} still counts {month}; the run of its last month gives the stakes back, "
                "or publish a plan without it.",
                wager=wager.key,
                month=running[0],
            ),
        )


def _is_held(connection: Connection, place: Place, wager: Wager) -> bool:
    return _holds(connection, place, wager, wager.targets[-1].period)


def _holds(connection: Connection, place: Place, wager: Wager, month: str) -> bool:
    published = plan_in_force(connection, place, month)
    return published is not None and wager.key in {w.key for w in published.plan.wagers}
