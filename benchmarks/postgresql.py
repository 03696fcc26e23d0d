"""A PostgreSQL server of one's own, in a folder of its own, for as long as it is needed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text


class PostgresMissingError(Exception):
    """PostgreSQL is not installed; the message says what to do."""


@dataclass(frozen=True)
class Postgres:
    """A running server, reached by a socket in its folder."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, name: str) -> str:
        """Name a database of the server."""
        return f"postgresql:///{name}?host={self.folder}&user=duifu"

    def fresh(self, template: str = "template0") -> str:
        """Make a database `storeN`, N from 1, and give its URL."""
        name = f"store{next(self.numbers)}"
        admin = create_engine(
            self.url("postgres").replace("postgresql:", "postgresql+psycopg:"),
            isolation_level="AUTOCOMMIT",
        )
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        admin.dispose()
        return self.url(name)


@contextmanager
def running(*settings: str) -> Iterator[Postgres]:
    """Start a server with settings of its own, as "fsync=off"; it is gone afterwards.

    Raises:
        PostgresMissingError: it is not installed.
    """
    programs = _programs()
    if programs is None:
        raise PostgresMissingError("PostgreSQL is not installed: run make system")
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="duifu-pg-"))
    if user is not None:
        shutil.chown(folder, user)

    def run(program: str, *arguments: object) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *map(str, arguments)]
        subprocess.run(command, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)

    try:
        run("initdb", "-U", "duifu", "-A", "trust", "-E", "UTF8", "--no-sync")
        wanted = ["listen_addresses=", f"unix_socket_directories={folder}", *settings]
        options = " ".join(f"-c {setting}" for setting in wanted)
        run("pg_ctl", "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield Postgres(folder)
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(installed[-1]) if installed else None)
    return Path(found).resolve().parent if found else None


def _unprivileged() -> str | None:
    """PostgreSQL refuses root: find somebody else to run it."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)
