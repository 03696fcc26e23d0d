from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.database.engine import reading, writing
from simulators.world.store import Store
from simulators.world.template import make_template


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.db"
    make_template(path, 1, 3_600)
    return path


def _companies(store: Store) -> list[str]:
    with reading(store.engine) as connection:
        return list(connection.execute(text("SELECT name FROM companies")).scalars())


def test_every_world_begins_with_the_template(tmp_path: Path, template: Path) -> None:
    store = Store(tmp_path / "store.db")
    for _ in range(2):
        store.lay_down(template)
        assert _companies(store) == ["Acme"]
        with writing(store.engine) as connection:
            connection.execute(text("UPDATE companies SET name = 'Other'"))
        assert _companies(store) == ["Other"]
    store.clear()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["template.db"]


def test_what_is_raised_before_a_commit_undoes_it_and_is_forgotten_with_the_world(
    tmp_path: Path, template: Path
) -> None:
    def die() -> None:
        raise RuntimeError("killed")

    store = Store(tmp_path / "store.db")
    store.lay_down(template)
    store.before_commit = die
    with pytest.raises(RuntimeError, match="killed"), writing(store.engine) as connection:
        connection.execute(text("UPDATE companies SET name = 'Other'"))
    store.end_process()
    assert _companies(store) == ["Acme"]
    store.lay_down(template)
    with writing(store.engine) as connection:
        connection.execute(text("UPDATE companies SET name = 'Other'"))
    assert _companies(store) == ["Other"]
    store.clear()
