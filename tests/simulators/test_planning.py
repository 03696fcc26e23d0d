"""Planning: a day that could really happen, and in which everything does happen."""

from dataclasses import replace
from itertools import pairwise

import pytest

from agreed.directives import CodeAction
from simulators.cast import COMPARTMENTS, GATES, KIOSK, MINUTE_MS, PACKS, Service, cast_of
from simulators.day import DayPlan, DayShape, Visit
from simulators.planning import plan_day

MIDNIGHT_MS = 1_772_380_800_000
SEEDS = range(40)
SHORT = DayShape(
    close_h=11,
    orders={Service.PARCEL: 20, Service.CLEANING: 10, Service.REPAIR: 9},
    residents=40,
    passages=60,
    outage_h=(8.5, 9),
    broker_killed_h=10,
    card_expired_h=(8, 10),
    live_orders=3,
)


def planned(seed: int, shape: DayShape | None = None) -> DayPlan:
    shape = shape or DayShape()
    return plan_day(seed, MIDNIGHT_MS, shape, cast_of(seed, shape.residents))


def of_person(plan: DayPlan, person: str) -> list[Visit]:
    return [visit for visit in plan.visits if visit.person == person]


def test_the_same_seed_plans_the_same_day() -> None:
    assert planned(5) == planned(5)
    assert planned(5) != planned(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_has_two_hundred_orders_of_three_packs_in_opening_hours(seed: int) -> None:
    plan = planned(seed)
    orders = plan.orders
    assert len({order.order for order in orders}) == 200
    assert {order.service for order in orders} == set(Service)
    assert {order.worker for order in orders} == {w.id for w in plan.cast.everyone_working()}
    assert all(acted(plan, visit) for visit in plan.visits)
    assert last_end_ms(plan) <= plan.hour_ms(plan.shape.close_h)


def last_end_ms(plan: DayPlan) -> int:
    """When the last paid promise has its hard limit behind it."""
    return max(
        order.at_ms + (node.after_minutes + node.hard_minutes) * MINUTE_MS
        for order in plan.orders
        for node in PACKS[order.service].nodes
        if node.rate_fen
    )


def acted(plan: DayPlan, visit: Visit) -> bool:
    shape = plan.shape
    times = [act.at_ms for act in visit.acts]
    is_open = plan.hour_ms(shape.open_h) <= times[0] and times[-1] <= plan.hour_ms(shape.close_h)
    return is_open and times == sorted(times)


@pytest.mark.parametrize("seed", SEEDS)
def test_compartments_suffice(seed: int) -> None:
    acts = [act for visit in planned(seed).visits for act in visit.acts]
    moves = [(act.at_ms, act.action) for act in acts if act.action is not None]
    taken = most = 0
    for _, action in sorted(moves):
        taken += (action is CodeAction.DEPOSIT) - (action is CodeAction.COLLECT)
        most = max(most, taken)
    assert 6 < most < COMPARTMENTS


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_in_two_places(seed: int) -> None:
    plan = planned(seed)
    for service in (Service.CLEANING, Service.REPAIR):
        for worker in plan.cast.workers[service]:
            visits = of_person(plan, worker.id)
            for before, after in pairwise(visits):
                assert before.acts[-1].at_ms <= after.acts[0].at_ms


@pytest.mark.parametrize("seed", SEEDS)
def test_a_parcel_is_collected_only_after_it_was_deposited(seed: int) -> None:
    acts = [act for visit in planned(seed).visits for act in visit.acts]
    deposited = {act.order: act.at_ms for act in acts if act.action is CodeAction.DEPOSIT}
    for act in acts:
        if act.action is CodeAction.COLLECT:
            assert act.at_ms >= deposited[act.order]


def test_in_every_day_some_are_late_absent_and_refused() -> None:
    refused = absent = late = 0
    for seed in SEEDS:
        plan = planned(seed)
        expired = {r.worker.card for r in plan.renewals}
        acts = [act for visit in plan.visits for act in visit.acts]
        done = {act.order for act in acts}
        absent += sum(order.order not in done for order in plan.orders)
        refused += sum(len(v.acts) == 1 and v.acts[0].text in expired for v in plan.visits)
        promised = {order.order: order.promised_at_ms() for order in plan.orders}
        for act in acts:
            if act.action in {CodeAction.FINISH, CodeAction.DEPOSIT}:
                late += act.at_ms > promised[act.order][act.action.value] + 15 * MINUTE_MS
        assert {act.text for act in acts} >= set(plan.cast.foreign_cards)
    assert refused > len(SEEDS)
    assert absent > 3 * len(SEEDS)
    assert late > 8 * len(SEEDS)


def test_people_use_the_gates_and_the_kiosk_only() -> None:
    acts = [act for visit in planned(0).visits for act in visit.acts]
    assert {act.device for act in acts} == {*GATES, KIOSK}
    assert all((act.device == KIOSK) or act.text.startswith("26:") for act in acts)
    assert all(bool(act.text) != (act.action is not None) for act in acts)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_order_is_created_while_the_link_is_cut_and_others_while_it_is_not(seed: int) -> None:
    plan = planned(seed)
    cut_ms, healed_ms = map(plan.hour_ms, plan.shape.outage_h)
    created = [o for o in plan.orders if o.created_at_ms is not None]
    during = [o for o in created if cut_ms <= (o.created_at_ms or 0) < healed_ms]
    assert len(created) >= plan.shape.live_orders
    assert len(during) == 1
    assert during[0].at_ms > healed_ms + 60 * MINUTE_MS


@pytest.mark.parametrize("seed", SEEDS)
def test_a_short_day_is_planned_as_well(seed: int) -> None:
    plan = planned(seed, SHORT)
    assert len(plan.orders) == 39
    assert all(acted(plan, visit) for visit in plan.visits)
    assert last_end_ms(plan) <= plan.hour_ms(plan.shape.close_h)


def test_a_day_may_be_without_a_service() -> None:
    none = {Service.PARCEL: 0, Service.CLEANING: 0, Service.REPAIR: 1}
    assert len(planned(0, replace(SHORT, orders=none)).orders) == 1
