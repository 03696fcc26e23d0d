"""Refunds before and after payout, with a plan in force, through the real store."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from agreed.words import language
from cloud.database.engine import reading
from cloud.database.fleet import Place
from cloud.database.month_statements import MonthStatement, month_statement
from cloud.office.money import Fund, FundsRequest, fund_account
from cloud.office.orders import cancel_order
from cloud.office.refunding import Refunded, RefundRequest, refund_order
from cloud.office.refusals import ConflictError, InvalidError, UnknownError
from cloud.office.settling import Run, Settling
from cloud.settlement.facts import Facts
from cloud.settlement.period import settle_period
from cloud.settlement.restating import is_restated
from tests.cloud.office.test_planned import (
    AFTER,
    BOXES,
    at_ms,
    payable,
    staked,
    storable,
    the_plan,
    worked,
)
from tests.cloud.office.test_settling import LIN, MONTH, NOW, through
from tests.cloud.world import PLACE, T0, Chain, World, alive, finished

MAY = at_ms(6, 2)


@pytest.fixture(autouse=True)
def _english() -> None:
    language.set("en")


def refund(
    world: World, order_id: str = "o-1", now_ms: int = AFTER, fen: int | None = None, key: str = "k"
) -> Refunded:
    request = RefundRequest(key=key, amount_fen=fen, cause="leaked again")
    return refund_order(world.engine, PLACE, order_id, request, now_ms)


def with_refund(facts: Facts, order_id: str = "o-1") -> Facts:
    orders = [
        replace(o, refund_fen=o.income_fen, supplier_cost_fen=0, platform_fen=0)
        if o.order_id == order_id
        else o
        for o in facts.orders
    ]
    return replace(facts, orders=tuple(orders))


def pool_pay_fen(facts: Facts) -> dict[str, int]:
    """What the rules that the pool pays give each worker."""
    found: dict[str, int] = {}
    for line in settle_period(the_plan(), facts).lines:
        if line.payee.kind == "commission" and is_restated(line.rule):
            found[line.payee.name] = found.get(line.payee.name, 0) + line.amount_fen
    return found


def statement(world: World, account: str, period: str) -> MonthStatement:
    with reading(world.engine) as connection:
        return month_statement(connection, PLACE, account, period)


def rules(run: Run, payee: str) -> dict[str, int]:
    return {line.rule: line.amount_fen for line in run.lines if line.payee == payee}


def test_before_the_run_the_piece_is_taken_out(store: Engine) -> None:
    world = worked(store)
    found = refund(world)
    assert (found.refunded_fen, found.period) == (200_000, "2026-03")
    assert refund(world) == found
    run = through(staked(world), "2026-03", AFTER)
    [piece] = [x for x in run.lines if (x.payee, x.rule) == ("commission:w-1", "piece")]
    assert piece.inputs["refunded"] == ["o-1"]
    pieces = statement(world, "commission:w-1", "2026-03").pieces
    assert sum(p.amount_fen for p in pieces) == piece.inputs["planned_fen"]
    assert [p.formula for p in pieces if p.order_id == "o-1"] == [
        "1 × 10000 fen × 0 bp ÷ 10000 = 0 fen"
    ]
    paid, due = payable(run), pool_pay_fen(with_refund(storable()))
    assert {w: paid[f"commission:{w}"] for w in ("w-1", "w-2", "w-9")} == {
        w: due[f"commission:{w}"] for w in ("w-1", "w-2", "w-9")
    }
    assert paid["supplier:clean-co"] == 8 * 80_000
    assert world.balance("residents") == -(8 * 200_000 + 1_000_000)
    assert world.check().faults == []


def test_after_payout_it_is_owed_and_recovered_within_the_cap(store: Engine) -> None:
    world = worked(store)
    desk = staked(world)
    march = payable(through(desk, "2026-03", AFTER))
    before, after = pool_pay_fen(storable()), pool_pay_fen(with_refund(storable()))
    assert march["commission:w-1"] == before["commission:w-1"]
    lost_fen = {w: before[w] - after[w] for w in before if before[w] != after[w]}
    assert lost_fen["commission:w-1"] > 11_000
    april = at_ms(4, 20)
    world.order("o-20", april, april, worker="w-1", pack="deep-clean", nodes=[{"key": "finish"}])
    block = Chain(box=BOXES[0], epoch=b"f" * 16).block(finished(april, "o-20"), alive(at_ms(5, 1)))
    world.send(block, box=BOXES[0], now_ms=AFTER)
    for box in BOXES[1:]:
        world.send(Chain(box=box, epoch=b"f" * 16).block(alive(at_ms(5, 1))), box=box, now_ms=AFTER)
    assert refund(world).period == "2026-04"
    for into in (Fund.BONUS, Fund.POOL):
        funds = FundsRequest(key=into.value, amount_fen=60_000, into=into)
        fund_account(world.engine, PLACE, funds, AFTER)
    run = desk.preview("2026-04", LIN, AFTER)
    found = rules(run, "commission:w-1")
    claimed = next(x for x in run.lines if x.rule == "claimed:2026-03" and x.payee.endswith("w-1"))
    assert claimed.amount_fen == lost_fen["commission:w-1"]
    assert claimed.inputs["refunded"] == ["o-1"]
    restated = sum(fen for rule, fen in found.items() if rule.startswith("restated:2026-03/"))
    assert restated == -lost_fen["commission:w-1"]
    own_fen = found["fulfilment"] + sum(found.get(r, 0) for r in ("piece", "floor", "pool:star"))
    assert found["deduction"] == -(own_fen * 2_000 // 10_000)
    assert found["payable"] == own_fen + found["deduction"]
    through(desk, "2026-04", AFTER)
    left_fen = lost_fen["commission:w-1"] + found["deduction"]
    assert world.balance("receivable:w-1") == -left_fen
    shown = statement(world, "commission:w-1", "2026-04")
    assert shown.owed_fen == left_fen
    assert {m.kind for m in shown.moved} >= {"claim", "settlement_reversal", "recovery"}
    [deduction] = [line for line in shown.rules if line.rule == "deduction"]
    assert deduction.inputs["carried_forward_fen"] == left_fen
    assert shown.payable_fen == shown.paid_fen == found["payable"]
    fenced = world.balance("unrecovered")
    owed = sum(world.balance(f"receivable:{w}") for w in ("w-1", "w-2", "w-3", "w-9", "m-1"))
    assert fenced == -owed
    assert world.check().faults == []
    again = desk.preview("2026-05", LIN, MAY)
    assert not [x for x in again.lines if x.rule.startswith(("restated", "claimed"))]


def test_a_part_leaves_the_work_paid(sqlite_store: Engine) -> None:
    world = worked(sqlite_store)
    found = refund(world, fen=50_000)
    assert (found.income_fen, found.refunded_fen) == (200_000, 50_000)
    run = through(staked(world), "2026-03", AFTER)
    assert "refunded" not in next(
        x.inputs for x in run.lines if (x.payee, x.rule) == ("commission:w-1", "piece")
    )
    # 1,500.00 − 800.00 − 150.00 = 550.00 of new profit instead of 1,000.00.
    assert world.balance("platform") == 100_000 + 175_000
    assert refund(world, key="rest", fen=None, now_ms=MAY).refunded_fen == 200_000
    assert world.check().faults == []


def test_what_cannot_be_refunded_is_said(sqlite_store: Engine) -> None:
    world = worked(sqlite_store)
    with pytest.raises(UnknownError, match="no order"):
        refund(world, "o-404")
    with pytest.raises(InvalidError, match=r"2,000\.00 yuan are left"):
        refund(world, fen=200_001)
    with pytest.raises(ConflictError, match="was cancelled"):
        refund(world, "o-9")
    refund(world, fen=1)
    with pytest.raises(ConflictError, match="is the refund of o-1"):
        refund(world, "o-2")
    request = RefundRequest(key="x", cause="y")
    with pytest.raises(UnknownError, match="no site"):
        refund_order(world.engine, Place("acme", "nowhere"), "o-1", request, AFTER)


def test_an_account_that_holds_too_little_is_named(world: World) -> None:
    world.order("o-1")
    world.tell(finished(T0 + 90 * 60_000, "o-1"), alive(T0 + 9 * 3_600_000))
    desk = Settling(world.engine, PLACE)
    world.fund(1)
    through(desk, MONTH, NOW)
    spent = world.balance("pool")
    assert spent < 6_353
    with pytest.raises(ConflictError, match=r"pool must give back .* fund it first"):
        refund(world, now_ms=NOW)
    world.fund(6_353 - spent, key="more")
    retained = FundsRequest(key="r", amount_fen=6_000, into=Fund.RETAINED)
    fund_account(world.engine, PLACE, retained, NOW)
    refund(world, now_ms=NOW)
    # The supplier was paid out already; the company bears its part.
    assert (world.balance("supplier:clean-co"), world.balance("retained")) == (0, 0)
    assert world.check().faults == []


def test_cancelling_after_a_part_gives_back_the_rest(world: World) -> None:
    world.order("o-1")
    refund(world, fen=900, now_ms=T0)
    cancel_order(world.engine, PLACE, "o-1", T0)
    shown = world.view("o-1")
    assert [r.amount_fen for r in shown.refunds] == [900, 19_000]
    assert [r.cause for r in shown.refunds] == ["leaked again", "cancelled"]
    accounts = ("residents", "income", "pool", "retained", "supplier:clean-co", "platform")
    assert {world.balance(account) for account in accounts} == {0}
