import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from agreed.words import RemedyError, language
from cloud.database.engine import open_engine, sqlite_url, writing
from cloud.folder import Folder, Kept, Running, store_trouble


@pytest.fixture(autouse=True)
def _english() -> None:
    language.set("en")


def test_one_headquarters_per_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "deep" / "hq")
    lock = folder.prepare()
    with pytest.raises(RemedyError, match="Another headquarters"):
        folder.prepare()
    lock.close()
    folder.prepare().close()
    assert folder.token() != folder.secret()


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RemedyError, match=r"file.*--data"):
        Folder(tmp_path / "file").prepare()


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(RemedyError, match="duifu cloud run"):
        folder.kept()
    kept = Kept(database="sqlite:///x", company="acme", mqtt_url="mqtt://h:1")
    folder.keep(kept)
    assert folder.kept() == kept
    assert (tmp_path / "settings.json").stat().st_mode & 0o777 == 0o600


def test_scripts_find_headquarters(tmp_path: Path) -> None:
    running = Running(api_url="http://h:1", mqtt_url="mqtt://h:2", broker_pid=None, pid=7)
    Folder(tmp_path).announce(running)
    assert json.loads((tmp_path / "run.json").read_text()) == running.model_dump()
    Folder(tmp_path).withdraw()
    Folder(tmp_path).withdraw()
    assert not (tmp_path / "run.json").exists()


def failure(path: Path, *statements: str) -> DBAPIError:
    engine = open_engine(sqlite_url(path / "store.db"))
    with pytest.raises(DBAPIError) as caught:
        execute(engine, *statements)
    engine.dispose()
    return caught.value


def execute(engine: Engine, *statements: str) -> None:
    with writing(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_a_full_store_says_what_to_do(tmp_path: Path) -> None:
    error = failure(
        tmp_path,
        "CREATE TABLE t (x BLOB)",
        "PRAGMA max_page_count = 3",
        "INSERT INTO t VALUES (zeroblob(1000000))",
    )
    assert "free space" in str(store_trouble(tmp_path, error))


def test_a_read_only_store_says_what_to_do(tmp_path: Path) -> None:
    error = failure(tmp_path, "PRAGMA query_only = ON", "CREATE TABLE t (x)")
    assert "rights" in str(store_trouble(tmp_path, error))


def test_a_fault_of_ours_is_not_excused(tmp_path: Path) -> None:
    assert store_trouble(tmp_path, failure(tmp_path, "SELECT nonsense")) is None
