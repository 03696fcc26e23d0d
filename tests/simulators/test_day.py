"""The words of a day: orders that promise what their pack says."""

from agreed.directives import CodeAction
from agreed.promises import Match
from simulators.cast import MINUTE_MS, PACKS, Service, cast_of
from simulators.day import DayPlan, DayShape, PlannedOrder

ORDER = PlannedOrder("a0001", Service.CLEANING, "w-05", "r-001", 100 * MINUTE_MS)


def test_an_order_promises_every_node_of_its_pack() -> None:
    nodes = ORDER.promised()
    assert [node.node for node in nodes] == ["arrive", "start", "finish"]
    assert [node.promised_at_ms // MINUTE_MS for node in nodes] == [100, 110, 150]
    assert nodes[0].match is Match.BY_WORKER
    assert all(node.promise("a0001").worker == "w-05" for node in nodes)
    assert len(nodes) == len(PACKS[Service.CLEANING].nodes)


def test_the_worker_and_the_resident_hold_different_codes() -> None:
    assert ORDER.actions() == {CodeAction.START: "w-05", CodeAction.FINISH: "r-001"}
    parcel = PlannedOrder("p0001", Service.PARCEL, "w-01", "r-002", 0)
    assert parcel.actions() == {CodeAction.DEPOSIT: "w-01", CodeAction.COLLECT: "r-002"}


def test_an_hour_of_the_day_is_a_moment() -> None:
    plan = DayPlan(DayShape(), 1_000, cast_of(0, 1), (), (), {}, ())
    assert plan.hour_ms(0.5) == 1_000 + 30 * MINUTE_MS
