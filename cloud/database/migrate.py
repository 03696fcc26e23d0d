"""Brings a store to the newest tables; runs at every start and does nothing when they are there."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from cloud.database.engine import writing

NEWEST: Final = "m0014"
_LOCK_NUMBER: Final = 0x44554946


class NewerStoreError(Exception):
    """The store was made by a newer Duifu."""


def migrate(engine: Engine) -> None:
    """Create or upgrade every table, all or nothing; one process at a time.

    Raises:
        NewerStoreError: the store is newer than this program.
    """
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})"))
        held = _held(connection)
        if held == NEWEST:
            return
        if held is not None and held > NEWEST:
            raise NewerStoreError(held)
        _upgrade(connection)


def _held(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: Connection) -> None:
    # Imported here: most starts find the newest tables and need nothing of it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
