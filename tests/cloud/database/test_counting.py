from sqlalchemy import text

from cloud.database.counting import count_once
from cloud.database.engine import writing
from tests.cloud.world import World


def test_tables_are_counted_once_and_on_postgresql_alone(world: World) -> None:
    world.order("o-1")
    is_postgresql = world.engine.dialect.name == "postgresql"
    with writing(world.engine) as connection:
        found = count_once(connection)
        assert found == (sorted(found) if is_postgresql else [])
        assert ("orders" in found) is is_postgresql
        assert count_once(connection) == []
        if is_postgresql:
            counted = text("SELECT reltuples FROM pg_class WHERE relname = 'orders'")
            assert connection.execute(counted).scalar_one() == 1
