"""Stores on both real engines, and real brokers."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from cloud.database.engine import open_engine, sqlite_url
from cloud.database.migrate import migrate
from tests.cloud.world import World


def _unprivileged() -> str | None:
    """PostgreSQL refuses root: find somebody else to run it."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _postgres_programs() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(installed[-1]) if installed else None)
    return Path(found).resolve().parent if found else None


@dataclass(frozen=True)
class Postgres:
    """A running server; `template` holds a migrated store."""

    folder: Path
    count: list[int]

    def url(self, name: str) -> str:
        return f"postgresql:///{name}?host={self.folder}&user=duifu"

    def fresh(self, template: str = "template0") -> str:
        self.count[0] += 1
        name = f"store{self.count[0]}"
        admin = create_engine(
            self.url("postgres").replace("postgresql:", "postgresql+psycopg:"),
            isolation_level="AUTOCOMMIT",
        )
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        admin.dispose()
        return self.url(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    programs = _postgres_programs()
    if programs is None:
        pytest.fail("PostgreSQL is not installed: run make system")
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="duifu-pg-"))
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"

    def run(program: str, *arguments: object) -> None:
        command = [str(programs / program), "-D", str(data), *map(str, arguments)]
        subprocess.run(command, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)

    run("initdb", "-U", "duifu", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-o", options, "-l", folder / "log", "-w", "start")
    try:
        server = Postgres(folder, [0])
        first = open_engine(server.fresh())
        migrate(first)
        first.dispose()
        yield server
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


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
