import pytest
from sqlalchemy import text

from benchmarks.postgresql import running
from cloud.database.engine import open_engine, reading


@pytest.mark.postgres
def test_a_server_comes_and_goes() -> None:
    with running("fsync=off", "work_mem=8MB") as server:
        engine = open_engine(server.fresh())
        with reading(engine) as connection:
            assert connection.execute(text("SHOW work_mem")).scalar_one() == "8MB"
        engine.dispose()
        assert server.folder.exists()
    assert not server.folder.exists()
