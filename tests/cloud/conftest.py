"""Stores on both real engines, and real brokers."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from agreed.words import language
from benchmarks.postgresql import Postgres, running
from cloud.database.engine import open_engine, sqlite_url
from cloud.database.migrate import migrate
from tests.cloud.shells import LONG_AGO, headquarters, work
from tests.cloud.world import World


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running server whose first store is migrated: the template of the others."""
    with running("fsync=off") as server:
        first = open_engine(server.fresh())
        migrate(first)
        first.dispose()
        yield server


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A folder that costs no disk writes, for what is not about durability."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, memory_path: Path) -> Iterator[Engine]:
    """An empty, migrated store on each engine."""
    if request.param == "sqlite":
        url = sqlite_url(memory_path / "store.db")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.fresh(template="store1")
    engine = open_engine(url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_store(memory_path: Path) -> Iterator[Engine]:
    """An empty, migrated store on SQLite, for what does not depend on the engine."""
    engine = open_engine(sqlite_url(memory_path / "store.db"))
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def world(store: Engine) -> World:
    """A headquarters on each engine."""
    return World(store)


@pytest.fixture
def small_world(sqlite_store: Engine) -> World:
    """A headquarters on SQLite, for what does not depend on the engine."""
    return World(sqlite_store)


@pytest.fixture
def worked_month(tmp_path: Path) -> Path:
    """Give the data folder of a headquarters where one order was done in `shells.MONTH`."""
    language.set("en")
    with headquarters(tmp_path) as world:
        work(world, LONG_AGO)
    return tmp_path
