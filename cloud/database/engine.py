"""Opens the store: SQLite in the data folder by default, PostgreSQL by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pysqlite3.dbapi2
from pydantic_core import from_json
from sqlalchemy import Connection, Engine, create_engine, event, make_url

BUSY_TIMEOUT_MS: Final = 15_000
CHECKPOINT_PAGES: Final = 4_000
"""How long the log grows before its pages go into the file: a page that many commits change is
written there once. Every commit is flushed into the log all the same."""

_READS: Final = {"duifu_reads": True}


def open_engine(url: str) -> Engine:
    """Open a store without touching its tables.

    Args:
        url: "sqlite:///PATH" or "postgresql://USER:PASSWORD@HOST/NAME".

    Raises:
        ValueError: neither of the two.
    """
    wanted = make_url(url)
    if wanted.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    if wanted.get_backend_name() == "postgresql":
        return create_engine(
            wanted.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            json_deserializer=from_json,
        )
    raise ValueError(f"{wanted.get_backend_name()}: use sqlite or postgresql")


def sqlite_url(path: Path) -> str:
    """Name the SQLite store in a file."""
    return f"sqlite:///{path}"


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that writes; it is undone whole when the body raises."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that only reads, all of it at one instant; it waits for no writer."""
    options: dict[str, Any] = dict(_READS)
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection:
        yield connection


def _open_sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        module=pysqlite3.dbapi2,
        json_deserializer=from_json,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # without it REPLACE would delete past the triggers
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    is_reading = connection.get_execution_options().get("duifu_reads", False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")
