"""Plan a service day: the dice decide who is late, absent or refused; by seed, pure."""

import random
from dataclasses import replace
from typing import Final

from agreed.codes import LETTERS, with_check
from agreed.directives import CodeAction
from simulators.cast import GATES, HOUR_MS, KIOSK, MINUTE_MS, Cast, Person, Service
from simulators.day import Act, DayPlan, DayShape, PlannedOrder, Renewal, Visit

_BATCH_MAX: Final = 6
"""Parcels that a courier carries in at once."""

_UNCOLLECTED_MAX: Final = 4
"""Parcels that nobody comes for today; they keep their compartments."""

_HOURLY_WEIGHTS: Final = {7: 5, 8: 6, 9: 5, 16: 5, 17: 6, 18: 7, 19: 6, 20: 5}
"""How busy the gates are; 4 in every other hour."""

_MARGIN_MS: Final = 15 * MINUTE_MS
"""Nobody tries a card this close to the moments at which it changes."""


def plan_day(seed: int, midnight_ms: int, shape: DayShape, cast: Cast) -> DayPlan:
    """Plan a day; the same arguments give the same day."""
    planner = _Planner(random.Random(f"day {seed}"), midnight_ms, shape, cast)
    planner.plan_parcels()
    for service in (Service.CLEANING, Service.REPAIR):
        planner.plan_homes(service)
    planner.plan_passages()
    return planner.finish()


class _Planner:
    """The dice and what they have decided so far."""

    def __init__(self, dice: random.Random, midnight_ms: int, shape: DayShape, cast: Cast) -> None:
        self._dice = dice
        self._midnight_ms = midnight_ms
        self._shape = shape
        self._cast = cast
        self._orders: list[PlannedOrder] = []
        self._visits: list[Visit] = []
        self._uncollected = 0
        expired_h, renewed_h = shape.card_expired_h
        self._expired_from_ms, self._expired_until_ms = self._at(expired_h), self._at(renewed_h)
        self._expiring = cast.workers[Service.REPAIR][0]

    def plan_parcels(self) -> None:
        """Couriers carry parcels in by the batch; residents collect them later."""
        couriers = self._cast.workers[Service.PARCEL]
        total = self._shape.orders[Service.PARCEL]
        batches = -(-total // _BATCH_MAX)
        step_ms = (self._at(self._shape.close_h) - self._at(self._shape.open_h)) // (batches + 1)
        for batch in range(batches):
            at_ms = self._at(self._shape.open_h) + (batch + 1) * step_ms - 80 * MINUTE_MS
            at_ms = max(at_ms, self._at(self._shape.open_h) + 20 * MINUTE_MS)
            size = (total * (batch + 1)) // batches - (total * batch) // batches
            self._plan_batch(couriers[batch % len(couriers)], self._quarter(at_ms), size)

    def plan_homes(self, service: Service) -> None:
        """Cleaners and repairers go from home to home, one order after the other."""
        workers = self._cast.workers[service]
        total = self._shape.orders[service]
        first_ms = self._at(self._shape.open_h) + 30 * MINUTE_MS
        last_ms = self._at(self._shape.close_h) - 115 * MINUTE_MS
        for number, worker in enumerate(workers):
            count = len(range(number, total, len(workers)))
            step_ms = (last_ms - first_ms) // max(count, 1)
            free_ms = first_ms - 20 * MINUTE_MS
            for slot in range(count):
                slack_ms = self._dice.randint(0, step_ms // 8)
                at_ms = self._quarter(first_ms + slot * step_ms + slack_ms)
                free_ms = self._plan_home(self._order(service, worker, at_ms), worker, free_ms)

    def plan_passages(self) -> None:
        """Residents come and go; strangers and expired cards are refused."""
        hours = range(int(self._shape.open_h), int(self._shape.close_h))
        weights = [_HOURLY_WEIGHTS.get(hour, 4) for hour in hours]
        for full_hour in self._dice.choices(hours, weights, k=self._shape.passages):
            resident = self._dice.choice(self._cast.residents)
            self._pass(resident.id, resident.card, self._at(full_hour + self._dice.random()))
        for card in self._cast.foreign_cards:
            hour = self._dice.uniform(self._shape.open_h, self._shape.close_h - 0.1)
            self._pass("stranger", card, self._at(hour))
            code = with_check("".join(self._dice.choices(LETTERS, k=10)))
            act = Act(self._at(hour), KIOSK, code)
            self._visits.append(Visit("stranger", (act,)))

    def finish(self) -> DayPlan:
        """Put everything in order and decide which orders are created late."""
        expired = {resident.id: self._midnight_ms for resident in self._cast.residents[:3]}
        expired[self._expiring.id] = self._expired_from_ms
        return DayPlan(
            self._shape,
            self._midnight_ms,
            self._cast,
            tuple(sorted(self._created(), key=lambda order: (order.at_ms, order.order))),
            tuple(sorted(self._visits, key=lambda visit: visit.acts[0].at_ms)),
            expired,
            (Renewal(self._expired_until_ms, self._expiring),),
        )

    def _plan_batch(self, courier: Person, at_ms: int, size: int) -> None:
        orders = [self._order(Service.PARCEL, courier, at_ms) for _ in range(size)]
        kind = self._fate(absent=3, late=14)
        if kind == "absent":
            return
        arrived_ms = at_ms + self._deviation_ms(kind)
        acts = self._gate_acts(courier, arrived_ms)
        now_ms = arrived_ms + 3 * MINUTE_MS
        for order in orders:
            if self._dice.random() < 0.02:  # not in the van
                continue
            acts.append(Act(now_ms, KIOSK, "", CodeAction.DEPOSIT, order.order))
            self._plan_collecting(order, now_ms)
            now_ms += self._minutes(1.5, 2.5)
        self._visits.append(Visit(courier.id, tuple(acts)))

    def _plan_collecting(self, order: PlannedOrder, deposited_ms: int) -> None:
        if self._uncollected < _UNCOLLECTED_MAX and self._dice.random() < 0.05:
            self._uncollected += 1
            return
        at_ms = min(
            deposited_ms + self._minutes(25, 80),
            max(self._at(self._shape.close_h) - self._minutes(2, 15), deposited_ms),
        )
        act = Act(at_ms, KIOSK, "", CodeAction.COLLECT, order.order)
        self._visits.append(Visit(order.resident, (act,)))

    def _plan_home(self, order: PlannedOrder, worker: Person, free_ms: int) -> int:
        kind = self._fate(absent=4, late=11)
        if kind == "absent":
            return free_ms
        arrived_ms = max(order.at_ms + self._deviation_ms(kind), free_ms)
        if worker.id == self._expiring.id and self._has_no_card(arrived_ms):
            if self._has_no_card(arrived_ms - _MARGIN_MS) and self._has_no_card(
                arrived_ms + _MARGIN_MS
            ):
                self._pass(worker.id, worker.card, arrived_ms)
            return free_ms
        acts = self._gate_acts(worker, arrived_ms)
        started_ms = acts[-1].at_ms + self._minutes(2, 6)
        acts.append(Act(started_ms, KIOSK, "", CodeAction.START, order.order))
        is_long = order.service is Service.CLEANING
        finished_ms = started_ms + (self._minutes(30, 40) if is_long else self._minutes(17, 27))
        if self._dice.random() >= 0.03:  # else nobody is there to accept it
            acts.append(Act(finished_ms, KIOSK, "", CodeAction.FINISH, order.order))
        self._visits.append(Visit(worker.id, tuple(acts)))
        return finished_ms + 3 * MINUTE_MS

    def _gate_acts(self, worker: Person, at_ms: int) -> list[Act]:
        gate = self._dice.choice(GATES)
        if self._dice.random() < 0.04:  # the wrong card first
            wrong = self._dice.choice(self._cast.foreign_cards)
            second_ms = at_ms + MINUTE_MS
            return [Act(at_ms, gate, wrong), Act(second_ms, gate, worker.card)]
        return [Act(at_ms, gate, worker.card)]

    def _has_no_card(self, at_ms: int) -> bool:
        return self._expired_from_ms - _MARGIN_MS < at_ms < self._expired_until_ms + _MARGIN_MS

    def _fate(self, *, absent: int, late: int) -> str:
        return self._dice.choices(
            ("absent", "late", "punctual"), (absent, late, 100 - absent - late)
        )[0]

    def _deviation_ms(self, kind: str) -> int:
        return self._minutes(22, 42) if kind == "late" else self._minutes(-10, 3)

    def _order(self, service: Service, worker: Person, at_ms: int) -> PlannedOrder:
        resident = self._dice.choice(self._cast.residents)
        order = PlannedOrder(
            f"{service.value[0]}{len(self._orders) + 1:04d}",
            service,
            worker.id,
            resident.id,
            at_ms,
        )
        self._orders.append(order)
        return order

    def _created(self) -> list[PlannedOrder]:
        """Choose the orders that are created while the day runs."""
        cut_ms, healed_ms = map(self._at, self._shape.outage_h)
        early_ms = self._at(self._shape.open_h) + 100 * MINUTE_MS
        live = [
            order
            for order in self._orders
            if order.at_ms > early_ms and not cut_ms <= order.at_ms - 80 * MINUTE_MS < healed_ms
        ]
        chosen = {o.order for o in self._dice.sample(live, min(self._shape.live_orders, len(live)))}
        orders = [
            replace(o, created_at_ms=o.at_ms - 80 * MINUTE_MS) if o.order in chosen else o
            for o in self._orders
        ]
        after = [i for i, o in enumerate(orders) if o.at_ms > healed_ms + 80 * MINUTE_MS]
        if after:
            first = min(after, key=lambda i: orders[i].at_ms)
            orders[first] = replace(orders[first], created_at_ms=(cut_ms + healed_ms) // 2)
        return orders

    def _pass(self, person: str, card: str, at_ms: int) -> None:
        self._visits.append(Visit(person, (Act(at_ms, self._dice.choice(GATES), card),)))

    def _minutes(self, least: float, most: float) -> int:
        return int(self._dice.uniform(least, most) * MINUTE_MS)

    def _at(self, hour: float) -> int:
        return self._midnight_ms + int(hour * HOUR_MS)

    def _quarter(self, at_ms: int) -> int:
        quarter_ms = 5 * MINUTE_MS
        return at_ms // quarter_ms * quarter_ms
