"""A headquarters in a folder, and its command line as somebody types it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner, Result

from cloud.__main__ import app
from cloud.database.engine import sqlite_url
from cloud.folder import Folder, Kept
from cloud.opening import open_store
from cloud.settlement.periods import period_of
from tests.cloud.world import HOUR, T0, World, alive, finished, passed

# The shell's clock is the real one: a month that is certainly over.
LONG_AGO = T0 - 730 * 24 * HOUR
MONTH = period_of(LONG_AGO, 480)


@contextmanager
def headquarters(folder: Path) -> Iterator[World]:
    """Fill the store of a headquarters that a command opens afterwards."""
    kept = Folder(folder)
    kept.prepare().close()
    url = sqlite_url(folder / "store.db")
    engine = open_store(url, folder)
    yield World(engine)
    engine.dispose()
    kept.keep(Kept(database=url, company="acme", mqtt_url="mqtt://127.0.0.1:1883"))


def work(world: World, at_ms: int) -> None:
    """Do one order, and fund what it pays."""
    world.order("o-1", at_ms=at_ms + HOUR)
    world.fund(9_000)
    done = finished(at_ms + 2 * HOUR, "o-1")
    world.tell(passed(at_ms + HOUR), done, alive(at_ms + 9 * HOUR))


def asked(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(data)], catch_exceptions=False)


def said(data: Path, *arguments: str) -> str:
    done = asked(data, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout
