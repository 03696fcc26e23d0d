import threading

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from cloud.database.engine import open_engine, reading, writing
from cloud.database.fleet import lock_site
from tests.cloud.world import PLACE, T0, World, alive


def test_only_two_kinds_of_store() -> None:
    with pytest.raises(ValueError, match="mysql"):
        open_engine("mysql://h/x")


def test_sqlite_survives_a_power_cut(sqlite_store: Engine) -> None:
    with reading(sqlite_store) as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        said = [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in asked]
    assert said == ["wal", 2, 1, 1]


def test_a_transaction_is_whole_or_nothing(store: Engine) -> None:
    insert = text("INSERT INTO companies (company, name, created_at_ms) VALUES ('c', 'C', 1)")

    def fail() -> None:
        with writing(store) as connection:
            connection.execute(insert)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with reading(store) as connection:
        assert connection.execute(text("SELECT count(*) FROM companies")).scalar_one() == 0


def test_a_reader_sees_one_instant_and_waits_for_nobody(world: World) -> None:
    count = text("SELECT count(*) FROM records")
    with reading(world.engine) as connection:
        assert connection.execute(count).scalar_one() == 0
        world.tell(alive(T0))
        assert connection.execute(count).scalar_one() == 0
    with reading(world.engine) as connection:
        assert connection.execute(count).scalar_one() == 1


def test_postgresql_readers_cannot_write(world: World) -> None:
    if world.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no such transactions")
    with pytest.raises(DBAPIError), reading(world.engine) as connection:
        connection.execute(text("DELETE FROM workers"))


def test_writers_of_a_site_follow_each_other(world: World) -> None:
    order: list[str] = []

    def second() -> None:
        with writing(world.engine) as connection:
            lock_site(connection, PLACE)
            order.append("second")

    with writing(world.engine) as connection:
        lock_site(connection, PLACE)
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join(60)
    assert order == ["first", "second"]
