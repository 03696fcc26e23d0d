"""The words of a day: orders that promise what their pack says."""

from simulators.cast import MINUTE_MS, Service, cast_of
from simulators.day import DayPlan, DayShape, PlannedOrder


def test_an_order_promises_every_node_of_its_pack() -> None:
    order = PlannedOrder("a0001", Service.CLEANING, "w-05", "r-001", 100 * MINUTE_MS)
    promised = {node: at_ms // MINUTE_MS for node, at_ms in order.promised_at_ms().items()}
    assert promised == {"arrive": 100, "start": 110, "finish": 150}


def test_an_hour_of_the_day_is_a_moment() -> None:
    plan = DayPlan(DayShape(), 1_000, cast_of(0, 1), (), (), {}, ())
    assert plan.hour_ms(0.5) == 1_000 + 30 * MINUTE_MS
