"""Base wages are booked apart, and bound what a month may deduct."""

import pytest

from agreed.words import language
from cloud.database import books
from cloud.database.engine import reading, writing
from cloud.office.refusals import ConflictError, InvalidError
from cloud.office.wages import PayRules, WageRequest, post_wage, put_pay_rules, read_pay_rules
from cloud.settlement.periods import period_of
from tests.cloud.world import PLACE, T0, World

MONTH = period_of(T0, 480)


def book(world: World, period: str = MONTH) -> None:
    request = WageRequest(worker="w-1", period=period, amount_fen=280_000)
    post_wage(world.engine, PLACE, request, T0)


def test_a_wage_is_booked_once(world: World) -> None:
    for _ in range(2):
        book(world)
    assert world.balance("wage:w-1") == 280_000
    assert world.balance("pool") == world.balance("wage_fund") == 0
    assert world.check().faults == []


def test_a_closed_month_takes_none(world: World) -> None:
    language.set("en")
    with pytest.raises(InvalidError, match="no month"):
        book(world, "2026-3")
    with writing(world.engine) as connection:
        books.close_month(connection, PLACE, MONTH)
    with pytest.raises(ConflictError, match="closed"):
        book(world)


def test_the_minimum_wage_is_kept(world: World) -> None:
    put_pay_rules(world.engine, "acme", PayRules(minimum_wage_fen=269_000))
    with reading(world.engine) as connection:
        assert read_pay_rules(connection, "acme").minimum_wage_fen == 269_000
