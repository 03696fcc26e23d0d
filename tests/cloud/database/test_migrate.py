"""The steps make exactly the tables that the schema states, on both engines."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from cloud.database.engine import open_engine, reading, writing
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
