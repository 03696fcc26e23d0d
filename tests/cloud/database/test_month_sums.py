"""Whatever happens, sums that were kept equal sums that are read from nothing, on both engines."""

import random
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from cloud.database import schema
from cloud.database.engine import writing
from cloud.database.month_moves import read_moves
from cloud.database.month_sums import forget, read_sums
from cloud.office.orders import cancel_order
from cloud.office.refunding import RefundRequest, refund_order
from cloud.office.refusals import OfficeError
from cloud.settlement.order_sums import to_rows
from tests.cloud.settlement.small_month import plan
from tests.cloud.world import HOUR, LATER, MINUTE, PLACE, T0, World, alive, finished, passed

MONTHS = ("2027-01", "2027-02")
DAY = 24 * HOUR
PLANS = [
    plan(
        staff=[{"worker": "w-1", "role": "cleaner", "team": "east"}],
        teams=[{"team": "east", "leader": "w-2", "manager": "m-1"}],
    ),
    plan(
        waterfall={"retained_bp": 4_000, "front_line_bp": 6_000, "income_from": ["repair"]},
        carved_out=["vulnerable"],
    ),
]


def found(engine: Engine, *, anew: bool) -> dict[str, Any]:
    """What a preview would read of every month under every plan; anew leaves nothing behind."""
    with engine.connect() as connection, connection.begin() as transaction:
        if anew:
            forget(connection, PLACE)
        sums = {
            f"{month}/{i}": to_rows(read_sums(connection, PLACE, month, rules))
            for month in MONTHS
            for i, rules in enumerate(PLANS)
        }
        moves = {month: sorted(read_moves(connection, PLACE, month).items()) for month in MONTHS}
        if anew:
            transaction.rollback()
        return {"sums": sums, "moves": moves}


class _Office:
    """Things that happen to orders of two months, at random."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self._world, self._dice = world, dice
        self._orders: list[tuple[str, int]] = []

    def act(self, number: int) -> None:
        if not self._orders or self._dice.random() < 0.3:
            self._book(number)
        order_id, at_ms = self._dice.choice(self._orders)
        acts = [self._tell] * 4 + [self._cancel, self._refund, self._fund]
        try:
            self._dice.choice(acts)(number, order_id, at_ms)
        except OfficeError:
            return  # it may not be done, and was not

    def _book(self, number: int) -> None:
        at_ms = T0 + self._dice.randrange(14, 20) * DAY + self._dice.randrange(24) * HOUR
        crew = [{"worker": "w-2", "role": "mate"}] if self._dice.random() < 0.3 else []
        nodes = [
            {"key": "finish", "quantity": self._dice.randrange(1, 4), "role": "lead", "crew": crew}
        ]
        worker, segment = self._dice.choice(["w-1", "w-2"]), self._dice.choice(["", "vulnerable"])
        self._world.order(f"o-{number}", at_ms, worker=worker, nodes=nodes, segment=segment)
        self._orders.append((f"o-{number}", at_ms))

    def _tell(self, _number: int, order_id: str, at_ms: int) -> None:
        late_ms = self._dice.randrange(-10, 130) * MINUTE
        worker = self._dice.choice(["w-1", "w-2"])
        facts = passed(at_ms + late_ms, worker), finished(at_ms + 90 * MINUTE + late_ms, order_id)
        seen = [fact for fact in facts if self._dice.random() < 0.7]
        alive_ms = at_ms + self._dice.randrange(-5, 5) * DAY
        block = self._world.chain.block(*seen, alive(alive_ms))
        self._world.send(block, now_ms=LATER * 2)

    def _cancel(self, _number: int, order_id: str, _at_ms: int) -> None:
        cancel_order(self._world.engine, PLACE, order_id, T0)

    def _refund(self, number: int, order_id: str, _at_ms: int) -> None:
        fen = self._dice.choice([None, 1_000])
        request = RefundRequest(key=f"r-{number}", amount_fen=fen, cause="again")
        refund_order(self._world.engine, PLACE, order_id, request, T0)

    def _fund(self, number: int, _order_id: str, _at_ms: int) -> None:
        self._world.fund(self._dice.randrange(1, 9_000), key=f"f-{number}")


@pytest.mark.parametrize("seed", range(2))
def test_kept_sums_equal_those_read_from_nothing(world: World, seed: int) -> None:
    office = _Office(world, random.Random(seed))
    for number in range(25):
        office.act(number)
        if number % 4 == seed:
            assert found(world.engine, anew=False) == found(world.engine, anew=True)


def served(world: World) -> None:
    world.fund(1_000_000)
    for number in range(6):
        world.order(f"o-{number}", T0 + number * HOUR)
        world.tell(
            passed(T0 + number * HOUR), finished(T0 + number * HOUR + 90 * MINUTE, f"o-{number}")
        )
    world.tell(alive(T0 + 9 * HOUR))


def stale_orders(engine: Engine) -> set[str]:
    with writing(engine) as connection:
        table = schema.order_sums
        query = select(table.c.order_id).where(table.c.is_stale.is_(True))
        return set(connection.execute(query).scalars())


def test_only_what_changed_is_read_again(world: World) -> None:
    served(world)
    world.order("o-open", T0 + 3 * DAY)
    found(world.engine, anew=False)
    assert stale_orders(world.engine) == set()
    cancel_order(world.engine, PLACE, "o-open", T0)
    request = RefundRequest(key="r", amount_fen=5, cause="c")
    refund_order(world.engine, PLACE, "o-4", request, T0)
    world.order("o-new", T0 + 3 * HOUR)
    world.fund(1, key="more")
    assert stale_orders(world.engine) == {"o-open", "o-4", "o-new"}
    # What nobody marked is not looked at: a change that no trigger saw changes nothing.
    with writing(world.engine) as connection:
        month_sums, order_sums = schema.month_sums, schema.order_sums
        wrong = order_sums.c.order_id.in_(["o-open", "o-4", "o-new"])
        kept = connection.execute(select(month_sums.c.content)).scalars().all()
        connection.execute(update(order_sums).where(wrong).values(is_stale=False))
        sums = [to_rows(read_sums(connection, PLACE, m, rules)) for m in MONTHS for rules in PLANS]
        connection.execute(update(order_sums).where(wrong).values(is_stale=True))
    assert sorted(map(str, sums)) == sorted(map(str, kept))
    assert found(world.engine, anew=False) == found(world.engine, anew=True)


def test_a_month_that_moves_is_read_from_nothing(world: World) -> None:
    served(world)
    found(world.engine, anew=False)
    with writing(world.engine) as connection:
        connection.execute(update(schema.companies).values(utc_offset_minutes=-600))
    assert found(world.engine, anew=False) == found(world.engine, anew=True)


def test_what_is_forgotten_is_read_again(world: World) -> None:
    served(world)
    before = found(world.engine, anew=False)
    with writing(world.engine) as connection:
        forget(connection, PLACE)
        assert not connection.execute(select(schema.month_sums)).all()
        assert not connection.execute(select(schema.month_moves)).all()
    assert found(world.engine, anew=False) == before
