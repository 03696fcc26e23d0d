"""Random histories with crashes: no fen is made or lost, and a planted error is found."""

import random
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.database.engine import open_engine, sqlite_url, writing
from cloud.database.migrate import migrate
from simulators.histories import CrashError, History, crashing, played


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_made_or_lost(tmp_path: Path, seed: int) -> None:
    history, faults = played(seed, 150, tmp_path)
    assert faults == []
    assert history.crashes > 0
    assert history.closed > 0


def test_a_planted_error_is_found(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "planted.db"))
    migrate(engine)
    history = History(engine, random.Random(5), 60)
    history.begin()
    for _ in range(60):
        history.step()
    history.finish()
    assert history.faults() == []
    with writing(engine) as connection:
        connection.execute(text("UPDATE promises SET score_bp = score_bp - 500 WHERE verdict = 1"))
    assert any("due" in fault for fault in history.faults())
    engine.dispose()


def test_a_crash_leaves_nothing_behind(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "crash.db"))
    migrate(engine)
    history = History(engine, random.Random(5), 10)
    history.begin()
    with pytest.raises(CrashError), crashing(engine, 2):
        history._pay_in(500)
    assert history.faults() == []
    history._pay_in(500)
    assert history.faults() == []
    engine.dispose()
