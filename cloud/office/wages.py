"""Books base wages, walled off from commission, and what a deduction must respect."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine, update

from agreed.limits import AMOUNT_FEN_MAX
from agreed.words import say
from cloud.database import books, run_books, schema
from cloud.database.engine import writing
from cloud.database.fleet import Place
from cloud.fields import Fen, Word
from cloud.office.refusals import ConflictError, InvalidError
from cloud.office.sites import hold_site
from cloud.settlement.periods import is_period, span_ms
from cloud.settlement.waterfall import COMPANY, WAGE_FUND, Move, wage


class PayRules(BaseModel):
    """What every deduction must respect.

    Attributes:
        minimum_wage_fen: of a month, where the sites lie; 0 for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum_wage_fen: Fen


class WageRequest(BaseModel):
    """A worker's base wage of a month; the same again changes nothing.

    Attributes:
        period: month, as 2026-03.
        amount_fen: fen, > 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    worker: Word
    period: str
    amount_fen: Annotated[int, Field(gt=0, le=AMOUNT_FEN_MAX)]


def read_pay_rules(connection: Connection, company: str) -> PayRules:
    """Read what every deduction must respect."""
    return PayRules(minimum_wage_fen=run_books.minimum_wage_fen(connection, company))


def put_pay_rules(engine: Engine, company: str, rules: PayRules) -> None:
    """Say what every deduction must respect from now on."""
    companies = schema.companies
    with writing(engine) as connection:
        connection.execute(
            update(companies)
            .where(companies.c.company == company)
            .values(minimum_wage_fen=rules.minimum_wage_fen)
        )


def post_wage(engine: Engine, place: Place, request: WageRequest, now_ms: int) -> None:
    """Book a base wage in accounts of its own.

    Raises:
        UnknownError: no such site.
        InvalidError: no month.
        ConflictError: the month is closed.
    """
    period = request.period
    if not is_period(period):
        raise InvalidError("period", say("{period} is no month; write 2026-03.", period=period))
    key = f"wage/{period}/{request.worker}"
    with writing(engine) as connection:
        hold_site(connection, place)
        if books.is_posted(connection, place, key):
            return
        months = books.calendar(connection, place)
        if months.is_closed(period):
            raise ConflictError("period", say("{period} is closed already.", period=period))
        at_ms = span_ms(period, months.utc_offset_minutes)[1] - 1
        fen, reason = request.amount_fen, {"period": period}
        moves = [
            Move(f"{key}/fund", "wage", COMPANY, WAGE_FUND, fen, at_ms, "", reason),
            Move(key, "wage", WAGE_FUND, wage(request.worker), fen, at_ms, "", reason),
        ]
        books.post(connection, place, moves, now_ms, period=period)
