"""The steps make exactly the tables that the schema states, on both engines."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from cloud.database import migrations
from cloud.database.engine import open_engine, reading, sqlite_url, writing
from cloud.database.migrate import NEWEST, NewerStoreError, migrate
from cloud.database.schema import metadata


def test_migrations_equal_the_schema(store: Engine) -> None:
    with reading(store) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def _stated(engine: Engine) -> dict[str, Any]:
    found = inspect(engine)
    return {
        table: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["default"])
                for c in found.get_columns(table)
            ],
            "key": found.get_pk_constraint(table),
            "checks": sorted((c["name"], c["sqltext"]) for c in found.get_check_constraints(table)),
            "unique": sorted(
                (c["name"], tuple(c["column_names"])) for c in found.get_unique_constraints(table)
            ),
            "foreign": sorted(
                (c["name"], tuple(c["constrained_columns"]), c["referred_table"])
                for c in found.get_foreign_keys(table)
            ),
            "indexes": sorted(
                (str(c["name"]), tuple(c["column_names"]), sorted(c.get("dialect_options", {})))
                for c in found.get_indexes(table)
            ),
        }
        for table in metadata.tables
    }


def test_constraints_equal_the_schema(sqlite_store: Engine) -> None:
    plain = open_engine("sqlite://")
    with writing(plain) as connection:
        metadata.create_all(connection)
    assert _stated(sqlite_store) == _stated(plain)
    plain.dispose()


def test_a_second_start_changes_nothing(store: Engine) -> None:
    migrate(store)
    with reading(store) as connection:
        held = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    assert held == [NEWEST]


def test_a_newer_store_is_refused(store: Engine) -> None:
    with writing(store) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'm9999'"))
    with pytest.raises(NewerStoreError):
        migrate(store)


def _migrate_to(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


OLD_STORE = [
    "INSERT INTO companies (company, name, created_at_ms) VALUES ('c', 'C', 1)",
    "INSERT INTO sites (company, site, name, created_at_ms) VALUES ('c', 's', 'S', 1)",
    "INSERT INTO accounts (company, site, account, kind) VALUES ('c', 's', 'company', 'outside')",
    "INSERT INTO accounts (company, site, account, kind) VALUES ('c', 's', 'pool', 'pool')",
    """INSERT INTO transfers (company, site, transfer, key, kind, debit, debit_kind, credit,
    credit_kind, amount_fen, at_ms, recorded_at_ms, order_id, reason) VALUES ('c', 's', 1, 'k',
    'funding', 'company', 'outside', 'pool', 'pool', 700, 1772294400000, 1772294400001, '',
    '{}')""",
]


def test_old_books_keep_their_money_and_learn_their_months(memory_path: Path) -> None:
    engine = open_engine(sqlite_url(memory_path / "old.db"))
    _migrate_to(engine, "m0005")
    with writing(engine) as connection:
        for statement in OLD_STORE:
            connection.execute(text(statement))
    migrate(engine)
    with reading(engine) as connection:
        row = connection.execute(text("SELECT amount_fen, period FROM transfers")).one()
        held = connection.execute(text("SELECT credits_fen FROM accounts ORDER BY account"))
        assert tuple(row) == (700, "2026-03")
        assert held.scalars().all() == [0, 700]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    with pytest.raises(DBAPIError), writing(engine) as connection:
        connection.execute(text("UPDATE transfers SET amount_fen = 1"))
    engine.dispose()
