from cloud.settlement.facts import VULNERABLE
from tests.cloud.settlement.small_month import earning, facts, plan


def test_facts_stay_as_they_were_read() -> None:
    month = facts(earning("o-1", "w-1"))
    assert [order.order_id for order in month.orders] == ["o-1"]
    assert hash(month.earnings) == hash(facts(earning("o-1", "w-1")).earnings)


def test_vulnerable_residents_are_carved_out_unless_a_plan_says_otherwise() -> None:
    assert plan().carved_out == (VULNERABLE,)
