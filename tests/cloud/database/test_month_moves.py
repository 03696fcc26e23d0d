from sqlalchemy import select, update

from cloud.database import books, schema
from cloud.database.engine import writing
from cloud.database.month_moves import Moved, read_moves
from cloud.settlement.waterfall import COMPANY, POOL, Move, commission
from tests.cloud.world import HOUR, PLACE, T0, World

MONTH, NEXT = "2027-01", "2027-02"
W1 = commission("w-1")


def post(world: World, key: str, fen: int, period: str) -> None:
    with writing(world.engine) as connection:
        fund = Move(f"fund/{key}", "funding", COMPANY, POOL, fen, T0, "", {})
        pay = Move(key, "commission", POOL, W1, fen, T0 + HOUR, "", {})
        books.post(connection, PLACE, [fund, pay], T0, period=period)


def read(world: World, period: str = MONTH) -> dict[Moved, int]:
    with writing(world.engine) as connection:
        return read_moves(connection, PLACE, period)


def test_what_moved_in_a_month_and_later_is_told_apart(world: World) -> None:
    post(world, "a", 70, MONTH)
    post(world, "b", 5, NEXT)
    own = Moved(W1.name, "commission", "commission", is_later=False)
    assert read(world) == {own: 70, own._replace(is_later=True): 5}
    assert read(world, NEXT) == {own: 5}


def test_only_new_transfers_are_read(world: World) -> None:
    own = Moved(W1.name, "commission", "commission", is_later=False)
    post(world, "a", 70, MONTH)
    assert read(world) == {own: 70}
    with writing(world.engine) as connection:
        # As if a thousand fen had moved before: nothing asks the transfers again.
        told = [[*own, 1_070]]
        connection.execute(update(schema.month_moves).values(content=told))
    post(world, "b", 5, MONTH)
    assert read(world) == {own: 1_075}
    with writing(world.engine) as connection:
        through = connection.execute(select(schema.month_moves.c.through_transfer)).scalar_one()
    assert through == 4


def test_a_site_without_transfers_has_no_moves(world: World) -> None:
    assert read(world) == {}
