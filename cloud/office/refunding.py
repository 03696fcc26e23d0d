"""Gives back to a resident what an order brought, in parts or in full."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine, insert, select

from agreed.limits import AMOUNT_FEN_MAX
from agreed.money import yuan
from agreed.words import say
from cloud.database import books, masters, promising, schema
from cloud.database.engine import writing
from cloud.database.fleet import Place, at
from cloud.database.read_orders import refunds_of
from cloud.fields import Label, Word
from cloud.office.refusals import ConflictError, InvalidError, UnknownError
from cloud.office.sites import hold_site
from cloud.settlement.running import unfunded
from cloud.settlement.waterfall import Move, Refund, refunded, supplier

CANCELLED: Final = "cancelled"


class RefundRequest(BaseModel):
    """What goes back to a resident.

    Attributes:
        key: yours, for this refund; the same key again changes nothing.
        amount_fen: fen, > 0; all that is left of the income when left out.
        cause: why, for books and statements.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Word
    amount_fen: Annotated[int, Field(gt=0, le=AMOUNT_FEN_MAX)] | None = None
    cause: Label


@dataclass(frozen=True, slots=True)
class Refunded:
    """What an order brought and what went back of it, fen; `period` of the newest refund."""

    order_id: str
    income_fen: int
    refunded_fen: int
    period: str


def refund_order(
    engine: Engine, place: Place, order_id: str, request: RefundRequest, now_ms: int
) -> Refunded:
    """Give back a part of an order's income, or all of it, once per key.

    Every share of the order shrinks as if it had brought that much less. What its work was paid
    is another matter: the plan in force says so, and the next run takes it back.

    Raises:
        UnknownError: no such site or order.
        InvalidError: more than is left of the income.
        ConflictError: it was cancelled, the key names another order, or an account does not hold
            what it must give back.
    """
    with writing(engine) as connection:
        hold_site(connection, place)
        order = promising.find_order(connection, place, order_id)
        if order is None:
            raise UnknownError("order_id", say("There is no order {order}.", order=order_id))
        if not _is_known(connection, place, order_id, request.key):
            if order.status == CANCELLED:
                raise ConflictError(
                    "order_id",
                    say("Order {order} was cancelled; everything went back.", order=order_id),
                )
            _give_back(connection, place, order_id, request, now_ms)
        return _refunded(connection, place, order_id)


def give_back(connection: Connection, place: Place, order_id: str, cause: str, now_ms: int) -> None:
    """Give back all that is left of an order's income; nothing where nothing is left.

    Raises:
        ConflictError: an account does not hold what it must give back.
    """
    found = _refunded(connection, place, order_id)
    if found.income_fen > found.refunded_fen:
        request = RefundRequest(key=f"{cause}/{order_id}", cause=cause)
        _give_back(connection, place, order_id, request, now_ms)


def _give_back(
    connection: Connection, place: Place, order_id: str, request: RefundRequest, now_ms: int
) -> None:
    order = promising.find_order(connection, place, order_id)
    assert order is not None
    known = refunds_of(connection, place, order_id)
    left_fen = order.income_fen - sum(refund.amount_fen for refund in known)
    fen = left_fen if request.amount_fen is None else request.amount_fen
    if not 0 < fen <= left_fen:
        raise InvalidError(
            "amount_fen",
            say("Of order {order} {fen} yuan are left.", order=order_id, fen=yuan(left_fen)),
        )
    pack = masters.pack_of_version(connection, place.company, order.pack, order.pack_version)
    held_fen = books.balance_fen(connection, place, supplier(pack.supplier))
    number = len(known) + 1
    refund = Refund(order_id, number, left_fen, left_fen - fen, held_fen, request.cause)
    moves = refunded(pack, order.pack_version, refund, now_ms)
    _check_held(connection, place, moves)
    period = books.calendar(connection, place).belongs_to(order.booked_from_ms)
    books.post(connection, place, moves, now_ms, period=period)
    row = {
        "order_id": order_id,
        "refund": number,
        "key": request.key,
        "amount_fen": fen,
        "cause": request.cause,
        "at_ms": now_ms,
        "period": period,
    }
    connection.execute(insert(schema.refunds), place._asdict() | row)


def _is_known(connection: Connection, place: Place, order_id: str, key: str) -> bool:
    refunds = schema.refunds
    query = select(refunds.c.order_id).where(at(refunds, place), refunds.c.key == key)
    known = connection.execute(query).scalar_one_or_none()
    if known not in {None, order_id}:
        raise ConflictError(
            "key", say("{key} is the refund of {order}; take another.", key=key, order=known)
        )
    return known is not None


def _check_held(connection: Connection, place: Place, moves: list[Move]) -> None:
    accounts = {side for move in moves for side in (move.debit, move.credit)}
    held_fen = {account: books.balance_fen(connection, place, account) for account in accounts}
    for line in unfunded(moves, held_fen):
        held, missing = line.inputs["held_fen"], line.inputs["missing_fen"]
        raise ConflictError(
            line.payee,
            say(
                "{account} must give back {fen} yuan and holds {held} yuan; fund it first: "
                "duifu cloud ledger fund {account} {missing} --key KEY",
                account=line.payee,
                fen=yuan(held + missing),
                held=yuan(held),
                missing=missing,
            ),
        )


def _refunded(connection: Connection, place: Place, order_id: str) -> Refunded:
    order = promising.find_order(connection, place, order_id)
    assert order is not None
    known = refunds_of(connection, place, order_id)
    back_fen = sum(refund.amount_fen for refund in known)
    period = known[-1].period if known else ""
    return Refunded(order_id, order.income_fen, back_fen, period)
