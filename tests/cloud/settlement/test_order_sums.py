"""Sums over orders settle a month exactly as its nodes and orders do, whatever is exchanged."""

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.settlement.facts import Facts
from cloud.settlement.order_sums import (
    OrderMonth,
    Sums,
    exchanged,
    from_rows,
    made_by,
    of_order,
    read,
    to_rows,
    with_tasks,
)
from cloud.settlement.period import settle_added, settle_period
from cloud.settlement.pieces import rates_of
from cloud.settlement.plans import Plan
from cloud.settlement.waterfall import POOL, RETAINED
from tests.cloud.settlement.histories import months, plans
from tests.cloud.settlement.small_month import earning, plan


def sums_of(rules: Plan, facts: Facts) -> list[Sums]:
    """Each order of a month by itself."""
    rates = rates_of(rules, replace(facts, earnings=(), orders=()))
    return [
        of_order(
            rules,
            rates,
            OrderMonth(order, True, [e for e in facts.earnings if e.order_id == order.order_id]),
        )
        for order in facts.orders
    ]


@given(plans(), months())
def test_sums_settle_a_month_line_by_line(rules: Plan, facts: Facts) -> None:
    total = read(exchanged({}, [], sums_of(rules, facts)))
    by_sums = settle_added(rules, replace(facts, earnings=(), orders=()), total.added)
    by_nodes = settle_period(rules, facts)
    assert by_sums.lines == by_nodes.lines
    assert by_sums.unpaid == by_nodes.unpaid
    assert by_sums.new_profit_fen == by_nodes.new_profit_fen


@settings(max_examples=40)
@given(plans(), months(), months(), st.randoms(use_true_random=False))
def test_exchanging_orders_equals_adding_up_afresh(
    rules: Plan, before: Facts, after: Facts, dice: object
) -> None:
    old, new = sums_of(rules, before), sums_of(rules, after)
    dice.shuffle(old)  # type: ignore[attr-defined]
    kept = old[: len(old) // 2]
    total = exchanged({}, [], old)
    assert exchanged(total, old[len(old) // 2 :], new) == exchanged({}, [], [*new, *kept])
    assert exchanged(total, old, []) == {}


@given(plans(), months())
def test_rows_hold_sums(rules: Plan, facts: Facts) -> None:
    total = exchanged({}, [], sums_of(rules, facts))
    assert from_rows(to_rows(total)) == total
    assert to_rows(total) == sorted(to_rows(total))


def test_an_order_brings_its_pay_its_shares_and_its_task() -> None:
    month = OrderMonth(
        earnings=[earning("o-1", "w-1")],
        accrued_fen={"w-1": 70},
        booked_fen={POOL: 40, RETAINED: 0},
    )
    rates = rates_of(plan(), Facts("", "", "", (), ()))
    found = read(of_order(plan(), rates, month))
    assert found.accrued_fen == {"w-1": 70}
    assert found.booked_fen == {POOL: 40, RETAINED: 0}
    assert found.refunded == {}
    [work] = found.added.gathered.values()
    assert work.nodes == 1
    assert with_tasks((), found) == ()


def test_what_went_back_in_full_is_named_by_its_people() -> None:
    refunded = replace(earning("o-1", "w-1"), is_refunded=True)
    rates = rates_of(plan(), Facts("", "", "", (), ()))
    sums = of_order(plan(), rates, OrderMonth(earnings=[refunded]))
    assert read(sums).refunded == {"w-1": ["o-1"]}


def test_sums_are_of_one_content_of_a_plan() -> None:
    names = Counter(made_by(p) for p in (plan(), plan(), plan(cap_fen=5)))
    assert sorted(names.values()) == [1, 2]
