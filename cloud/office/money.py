"""Puts money into a site's commission pool and its other funds, and stakes into escrow."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine

from agreed.limits import AMOUNT_FEN_MAX
from agreed.money import yuan
from agreed.words import say
from cloud.consequences import pay_what_waits
from cloud.database import books
from cloud.database.engine import writing
from cloud.database.fleet import Place
from cloud.database.plan_books import plan_in_force
from cloud.fields import MaybeWord, Note, Word
from cloud.office.refusals import ConflictError, InvalidError, UnknownError
from cloud.office.sites import hold_site
from cloud.settlement.periods import Calendar, is_period, span_ms
from cloud.settlement.wagers import Side
from cloud.settlement.waterfall import (
    BANK,
    BONUS,
    CARE,
    COMPANY,
    POOL,
    RETAINED,
    WAGER,
    Account,
    Move,
    escrow,
)


class FundingRequest(BaseModel):
    """Money for a site's pool.

    Attributes:
        key: yours, for this funding; the same key again changes nothing.
        amount_fen: fen, > 0.
        note: where it comes from, for the books.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Word
    amount_fen: Annotated[int, Field(gt=0, le=AMOUNT_FEN_MAX)]
    note: Note = ""


def fund_pool(engine: Engine, place: Place, request: FundingRequest, now_ms: int) -> int:
    """Fund the pool and pay the lines that waited for it; gives what the pool holds then, fen.

    Raises:
        UnknownError: no such site.
    """
    with writing(engine) as connection:
        hold_site(connection, place)
        key = f"funding/{request.key}"
        if not books.is_posted(connection, place, key):
            reason = {"note": request.note}
            move = Move(key, "funding", COMPANY, POOL, request.amount_fen, now_ms, "", reason)
            books.post(connection, place, [move], now_ms)
            pay_what_waits(connection, place, now_ms)
        return books.pool_fen(connection, place)


class Fund(StrEnum):
    """What can be funded besides by orders; the stakes are those of a wager's two sides."""

    POOL = "pool"
    RETAINED = "retained"
    BONUS = "bonus"
    CARE = "care"
    COMPANY_STAKE = "company_stake"
    SENIOR_STAKE = "senior_stake"


@dataclass(frozen=True, slots=True)
class AccountHeld:
    """An account of a site and what it holds, fen."""

    account: str
    held_fen: int


class FundsRequest(FundingRequest):
    """Money for one of a site's funds.

    Attributes:
        into: which fund.
        period: month that it belongs to, as 2026-03; None for the one of today.
        wager: key of the wager, for stakes.
        is_from_share: the company's stake comes from the waterfall's share for the senior wager.
    """

    into: Fund
    period: str | None = None
    wager: MaybeWord = ""
    is_from_share: bool = False


def fund_account(engine: Engine, place: Place, request: FundsRequest, now_ms: int) -> AccountHeld:
    """Fund an account of a site once per key; gives what it holds then.

    Raises:
        UnknownError: no such site, or no signed wager of this key in the plan of the month.
        InvalidError: no month.
        ConflictError: the month is closed, or the share does not hold as much.
    """
    if request.into is Fund.POOL:
        return AccountHeld(POOL.name, fund_pool(engine, place, request, now_ms))
    with writing(engine) as connection:
        hold_site(connection, place)
        months = books.calendar(connection, place)
        period = request.period or months.belongs_to(now_ms)
        _check_open(period, months)
        account = _account(connection, place, request, period)
        key = f"funding/{request.key}"
        if not books.is_posted(connection, place, key):
            source = _source(connection, place, request)
            kind = "stake" if account.kind == "escrow" else "funding"
            at_ms = min(now_ms, span_ms(period, months.utc_offset_minutes)[1] - 1)
            reason = {"note": request.note}
            move = Move(key, kind, source, account, request.amount_fen, at_ms, "", reason)
            books.post(connection, place, [move], now_ms, period=period)
        return AccountHeld(account.name, books.balance_fen(connection, place, account))


def _check_open(period: str, months: Calendar) -> None:
    if not is_period(period):
        raise InvalidError("period", say("{period} is no month; write 2026-03.", period=period))
    if months.is_closed(period):
        raise ConflictError("period", say("{period} is closed already.", period=period))


def _account(connection: Connection, place: Place, request: FundsRequest, period: str) -> Account:
    funds = {Fund.RETAINED: RETAINED, Fund.BONUS: BONUS, Fund.CARE: CARE}
    if request.into in funds:
        return funds[request.into]
    published = plan_in_force(connection, place, period)
    wagers = published.plan.wagers if published is not None else ()
    if request.wager not in {wager.key for wager in wagers}:
        raise UnknownError(
            "wager",
            say(
                "The plan of {period} has no wager {wager}; publish one that both sides signed.",
                period=period,
                wager=request.wager or "–",
            ),
        )
    side = Side.COMPANY if request.into is Fund.COMPANY_STAKE else Side.SENIOR
    return escrow(request.wager, side)


def _source(connection: Connection, place: Place, request: FundsRequest) -> Account:
    if request.into is Fund.SENIOR_STAKE:
        return BANK
    if not (request.into is Fund.COMPANY_STAKE and request.is_from_share):
        return COMPANY
    held_fen = books.balance_fen(connection, place, WAGER)
    if held_fen < request.amount_fen:
        raise ConflictError(
            "is_from_share",
            say(
                "{account} is to pay {fen} yuan and holds {held} yuan; fund it first.",
                account=WAGER.name,
                fen=yuan(request.amount_fen),
                held=yuan(held_fen),
            ),
        )
    return WAGER
