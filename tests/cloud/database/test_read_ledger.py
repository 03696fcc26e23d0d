import pytest
from sqlalchemy import text

from cloud.database.engine import reading, writing
from cloud.database.read_ledger import TransferFilter, accounts, ledger_check, transfers
from tests.cloud.world import HOUR, T0, World, alive, passed


def test_transfers_are_narrowed(world: World) -> None:
    world.order("o-1")
    world.fund(100)
    with reading(world.engine) as connection:
        every = transfers(connection, "acme")
        assert [t.transfer for t in every] == [7, 6, 5, 4, 3, 2, 1]
        assert len(transfers(connection, "acme", TransferFilter(order_id="o-1"))) == 6
        assert len(transfers(connection, "acme", TransferFilter(account="pool"))) == 2
        page = transfers(connection, "acme", TransferFilter(site="north", before=3, limit=1))
        assert [t.transfer for t in page] == [2]
        assert sum(a.balance_fen for a in accounts(connection, "acme", site="north")) == 0


def unguard(world: World, table: str) -> None:
    """What somebody with the file and root can do: only the check finds it."""
    with writing(world.engine) as connection:
        if world.engine.dialect.name == "postgresql":
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            return
        names = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t")
        for name in connection.execute(names, {"t": table}).scalars().all():
            connection.execute(text(f"DROP TRIGGER {name}"))


@pytest.mark.parametrize(
    ("table", "damage"),
    [
        ("accounts", "UPDATE accounts SET credits_fen = credits_fen + 1 WHERE kind = 'pool'"),
        ("transfers", "UPDATE transfers SET amount_fen = amount_fen + 1 WHERE transfer = 1"),
        ("records", "UPDATE records SET wall_ms = wall_ms - 60000 WHERE sequence = 1"),
        ("records", "DELETE FROM records WHERE sequence = 2"),
        ("blocks", "DELETE FROM blocks WHERE first = 1"),
        ("blocks", "UPDATE blocks SET hash = previous WHERE first = 2"),
        ("blocks", "UPDATE blocks SET data = hash"),
        ("blocks", "DELETE FROM blocks WHERE first = 2"),
        ("blocks", "UPDATE blocks SET signature = NULL WHERE first = 2"),
        ("blocks", "UPDATE blocks SET key_number = 9 WHERE first = 1"),
        ("box_keys", "UPDATE box_keys SET public_key = (SELECT hash FROM blocks WHERE first = 1)"),
    ],
)
def test_the_check_finds_what_the_guards_could_not_prevent(
    world: World, table: str, damage: str
) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR))
    world.tell(alive(T0 + HOUR))
    with reading(world.engine) as connection:
        sound = ledger_check(connection, "acme")
    assert (sound.faults, sound.blocks, sound.records, sound.transfers) == ([], 2, 2, 7)
    unguard(world, table)
    with writing(world.engine) as connection:
        connection.execute(text(damage))
    found = world.check()
    assert found.faults
    assert found.is_balanced == (table not in {"accounts", "transfers"})
    assert found.is_chain_verified == (table in {"accounts", "transfers"})
