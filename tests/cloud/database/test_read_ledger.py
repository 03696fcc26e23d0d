import pytest
from sqlalchemy import text

from cloud.database import books
from cloud.database.engine import reading, writing
from cloud.database.read_ledger import (
    TransferFilter,
    accounts,
    balances_at,
    ledger_check,
    transfers,
)
from cloud.settlement.waterfall import COMPANY, POOL, Move
from tests.cloud.world import HOUR, PLACE, T0, World, alive, passed


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


def test_balances_as_known_then_and_as_known_now(world: World) -> None:
    """Two times: when it happened, and when it was recorded."""

    def held(at_ms: int, known_at_ms: int) -> int:
        with reading(world.engine) as connection:
            views = balances_at(connection, "acme", "north", at_ms, known_at_ms)
        assert sum(view.balance_fen for view in views) == 0
        return {view.account: view.balance_fen for view in views}.get("pool", 0)

    week = 7 * 24 * HOUR
    with writing(world.engine) as connection:
        for key, at_ms, recorded_ms in (("a", T0, T0), ("b", T0, T0 + week)):
            move = Move(key, "funding", COMPANY, POOL, 100, at_ms, "", {})
            books.post(connection, PLACE, [move], recorded_ms)
    assert held(T0 + HOUR, T0 + HOUR) == 100
    assert held(T0 + HOUR, T0 + week) == 200
    assert held(T0 - 1, T0 + week) == 0
