"""Rows of people: found by the hash of a token that is in force."""

from cloud.database import users
from cloud.database.engine import reading, writing
from tests.cloud.world import T0, World


def test_people_are_found_by_hash(world: World) -> None:
    with writing(world.engine) as connection:
        users.put(connection, "acme", "lin", "Lin", ["clerk"], "aa", T0)
        users.put(connection, "acme", "an", "An", ["approver"], "bb", T0)
        users.put(connection, "acme", "an", "An Na", ["clerk"], "cc", T0 + 1)
    with reading(world.engine) as connection:
        assert [row.name for row in users.in_force(connection, "acme")] == ["An Na", "Lin"]
        assert users.find(connection, "acme", "bb") is None
        found = users.find(connection, "acme", "cc")
        assert found is not None
        assert found.created_at_ms == T0
    with writing(world.engine) as connection:
        assert users.end(connection, "acme", "lin", T0)
        assert not users.end(connection, "acme", "lin", T0)
        assert users.find(connection, "acme", "aa") is None
