import asyncio
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest

from simulators.kills.backlog import Drained, compare, drain

pytestmark = [pytest.mark.broker, pytest.mark.scenario]


def test_a_backlog_drains_across_a_kill_of_everything(tmp_path: Path) -> None:
    drained = asyncio.run(drain(tmp_path, 20_000, 50))
    assert drained.is_clean, drained.as_dict()
    store = tmp_path / "headquarters" / "headquarters.db"
    journal = tmp_path / "east-gate" / "data" / "journal.db"
    db = sqlite.connect(str(journal))
    db.execute("UPDATE blocks SET bytes = x'00' WHERE first_sequence = 1")
    db.commit()
    db.close()
    assert compare(journal, store, 20_000, 50, 1.0).altered == 1


def test_what_is_missing_or_doubled_is_not_clean() -> None:
    assert Drained(5, 1, 5, 5, 0, 0, 0, 1.0).is_clean
    assert not Drained(5, 1, 5, 4, 1, 0, 0, 1.0).is_clean
    assert not Drained(5, 1, 5, 5, 0, 1, 0, 1.0).is_clean
