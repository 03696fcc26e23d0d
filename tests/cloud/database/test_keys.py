"""A box is known by one key at a time, and every key it ever had stays known."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cloud.database.engine import reading, writing
from cloud.database.keys import BY_FIRST_WORD, FormerKey, KnownKey, keys_of, known_key, pin_key
from tests.cloud.world import BOX, KEY, LATER, T0, World


def test_the_last_key_counts_and_the_others_stay(world: World) -> None:
    with writing(world.engine) as connection:
        assert known_key(connection, BOX) == KnownKey(1, KEY.public)
        pin_key(connection, BOX, b"o" * 32, BY_FIRST_WORD, LATER)
        assert known_key(connection, BOX) == KnownKey(2, b"o" * 32)
        assert keys_of(connection, BOX) == {
            1: FormerKey(KEY.public, T0),
            2: FormerKey(b"o" * 32, LATER),
        }
    with reading(world.engine) as connection:
        assert known_key(connection, BOX._replace(box="nobody")) is None


@pytest.mark.parametrize("statement", ["UPDATE box_keys SET number = 2", "DELETE FROM box_keys"])
def test_no_program_changes_a_key(world: World, statement: str) -> None:
    with pytest.raises(DBAPIError, match="only grows"), writing(world.engine) as connection:
        connection.execute(text(statement))
