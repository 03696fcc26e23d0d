"""Takes disputes of statement lines, and posts what a person decides."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine, func, insert, select, update

from agreed.limits import AMOUNT_FEN_MAX
from agreed.money import yuan
from agreed.words import say
from cloud.database import books, month_statements, run_books, schema
from cloud.database.engine import writing
from cloud.database.fleet import Place, at
from cloud.database.month_statements import DisputeView
from cloud.fields import Word
from cloud.office.people import Duty, Person
from cloud.office.refusals import ConflictError, InvalidError, UnknownError
from cloud.office.sites import hold_site
from cloud.settlement.periods import is_period
from cloud.settlement.waterfall import POOL, Move, commission

DISPUTE_DAYS: Final = 30
"""A month is disputed until so many days after its run was posted."""

_DAY_MS: Final = 86_400_000

Said = Annotated[str, Field(min_length=1, max_length=500)]


class DisputeRequest(BaseModel):
    """A line that a worker disputes.

    Attributes:
        line: "ORDER/NODE/REVISION" as on the statement, or "rule:NAME" for a line of the run.
        claim: what should be right, in the worker's words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    worker: Word
    period: str
    line: Word
    claim: Said


class DecisionRequest(BaseModel):
    """What a person decided; more than 0 fen is posted in the open month.

    Attributes:
        amount_fen: granted; 0 refuses.
        decision: why, for the statement.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount_fen: Annotated[int, Field(ge=0, le=AMOUNT_FEN_MAX)]
    decision: Said


def open_dispute(
    engine: Engine, place: Place, request: DisputeRequest, who: Person, now_ms: int
) -> DisputeView:
    """Note that a line is disputed.

    Raises:
        ForbiddenError: neither clerk nor approver.
        UnknownError: no such site, or the statement has no such line.
        InvalidError: no month.
        ConflictError: it is disputed already, or the deadline is over.
    """
    who.must_be(Duty.CLERK, Duty.APPROVER)
    period = request.period
    if not is_period(period):
        raise InvalidError("period", say("{period} is no month; write 2026-03.", period=period))
    with writing(engine) as connection:
        hold_site(connection, place)
        _refuse_unknown(connection, place, request)
        _refuse_late(connection, place, period, now_ms)
        known = month_statements.disputes(connection, place, request.worker, period)
        if any(d.line == request.line and d.status == "open" for d in known):
            raise ConflictError("line", say("{line} is disputed already.", line=request.line))
        table = schema.disputes
        last = select(func.coalesce(func.max(table.c.dispute), 0)).where(at(table, place))
        number = connection.execute(last).scalar_one() + 1
        row = request.model_dump() | {
            "dispute": number,
            "opened_by": who.user_id,
            "opened_at_ms": now_ms,
            "status": "open",
        }
        connection.execute(insert(table), place._asdict() | row)
        return _read(connection, place, number)


def decide_dispute(
    engine: Engine,
    place: Place,
    dispute: int,
    request: DecisionRequest,
    who: Person,
    now_ms: int,
) -> DisputeView:
    """Decide a dispute, and post what is granted from the pool in the open month.

    Raises:
        ForbiddenError: not an approver.
        UnknownError: no such site or dispute.
        ConflictError: it is decided, the same person opened it, or the pool does not hold enough.
    """
    who.must_be(Duty.APPROVER)
    with writing(engine) as connection:
        hold_site(connection, place)
        found = _read(connection, place, dispute)
        _refuse_deciding(found, who)
        fen = request.amount_fen
        if fen:
            held_fen = books.pool_fen(connection, place)
            if held_fen < fen:
                raise ConflictError(
                    "pool",
                    say(
                        "{account} is to pay {fen} yuan and holds {held} yuan; fund it first.",
                        account=POOL.name,
                        fen=yuan(fen),
                        held=yuan(held_fen),
                    ),
                )
            reason = {"dispute": dispute, "line": found.line, "decision": request.decision}
            key = f"dispute/{dispute}"
            to = commission(found.worker)
            move = Move(key, "adjustment", POOL, to, fen, now_ms, "", reason)
            books.post(connection, place, [move], now_ms)
        table = schema.disputes
        connection.execute(
            update(table)
            .where(at(table, place), table.c.dispute == dispute)
            .values(
                status="granted" if fen else "refused",
                amount_fen=fen,
                decided_by=who.user_id,
                decided_at_ms=now_ms,
                decision=request.decision,
            )
        )
        return _read(connection, place, dispute)


def _refuse_unknown(connection: Connection, place: Place, request: DisputeRequest) -> None:
    account = commission(request.worker).name
    statement = month_statements.month_statement(connection, place, account, request.period)
    lines = [*statement.waiting, *(m.line for m in statement.moved if m.line is not None)]
    known = {f"{line.order_id}/{line.node}/{line.revision}" for line in lines}
    run = run_books.find_run(connection, place, request.period)
    if run is not None:
        drawn = run_books.lines_of_run(connection, place, request.period, run.run)
        known |= {f"rule:{line.rule}" for line in drawn if line.payee == account}
    if request.line not in known:
        raise UnknownError(
            "line",
            say(
                "The statement of {worker} for {period} has no line {line}.",
                worker=request.worker,
                period=request.period,
                line=request.line,
            ),
        )


def _refuse_late(connection: Connection, place: Place, period: str, now_ms: int) -> None:
    run = run_books.find_run(connection, place, period)
    if run is None:
        return
    acts = run_books.acts_of_run(connection, place, period, run.run)
    posted = [act.at_ms for act in acts if act.status == "posted"]
    if posted and now_ms > posted[0] + DISPUTE_DAYS * _DAY_MS:
        raise ConflictError(
            "period",
            say(
                "{period} was posted more than {days} days ago and can no longer be disputed.",
                period=period,
                days=DISPUTE_DAYS,
            ),
        )


def _refuse_deciding(found: DisputeView, who: Person) -> None:
    if found.status != "open":
        raise ConflictError(
            "dispute", say("Dispute {number} is decided already.", number=found.dispute)
        )
    if found.opened_by == who.user_id:
        raise ConflictError(
            "decided_by", say("{name} opened it; a second person must decide.", name=who.name)
        )


def _read(connection: Connection, place: Place, dispute: int) -> DisputeView:
    for found in month_statements.disputes(connection, place, None, None):
        if found.dispute == dispute:
            return found
    raise UnknownError("dispute", say("There is no dispute {number}.", number=dispute))
