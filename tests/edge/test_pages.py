"""Rows are found on the pages of a file and its log, whatever the tree above them says."""

import os
import random
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from edge.pages import Pages, long_value

MARK = b"MARK"


def made(path: Path, page_bytes: int, sizes: list[int]) -> apsw.Connection:
    store = apsw.Connection(str(path))
    store.execute(f"PRAGMA page_size = {page_bytes}")
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, count, a, b, value) STRICT".replace(
        "count, a, b, value", "count INTEGER, a BLOB, b BLOB, value BLOB"
    ))  # fmt: skip
    dice = random.Random(1)
    for number, size in enumerate(sizes):
        value = MARK + number.to_bytes(4, "big") + dice.randbytes(size)
        digests = (bytes(32), bytes(32))
        store.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", (number, size, *digests, value))
    return store


def found(pages: Pages) -> dict[int, int]:
    values = {}
    for image, at in pages.marks(MARK):
        value = long_value(pages, image, at, 1 << 20, with_log=True)
        if value is not None:
            values[int.from_bytes(value[4:8], "big")] = len(value) - 8
    return values


@pytest.mark.parametrize("page_bytes", [1_024, 4_096])
def test_every_row_is_found_in_the_log_and_in_the_file(tmp_path: Path, page_bytes: int) -> None:
    path = tmp_path / "rows.db"
    sizes = [0, 1, 300, 700, 880, 881, 882, 990, 1_000, 2_000, 70_000, 200_000, 5, 3_900, 4_000]
    store = made(path, page_bytes, sizes)
    with closing(Pages(path, page_bytes)) as pages:
        assert found(pages) == dict(enumerate(sizes))
    store.close()
    assert not path.with_name("rows.db-wal").exists()
    with closing(Pages(path, page_bytes)) as pages:
        assert found(pages) == dict(enumerate(sizes))


def test_what_was_not_committed_is_not_read_from_the_log(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    store = made(path, 1_024, [10])
    log = path.with_name("rows.db-wal")
    size = log.stat().st_size
    store.execute("INSERT INTO rows VALUES (1, 10, zeroblob(32), zeroblob(32), ?)", (MARK * 4,))
    whole = log.read_bytes()
    store.close()
    path.unlink()
    path.touch()
    log.write_bytes(whole[: size + 24 + 1_024 - 1])
    with closing(Pages(path, 1_024)) as pages:
        assert list(found(pages)) == [0]


def test_a_missing_file_has_no_pages(tmp_path: Path) -> None:
    with closing(Pages(tmp_path / "none.db", 1_024)) as pages:
        assert list(pages.marks(MARK)) == []
        assert pages.page(1, with_log=True) == b""


def test_rubbish_gives_nothing_and_costs_little(tmp_path: Path) -> None:
    dice = random.Random(2)
    path = tmp_path / "rubbish.db"
    pieces = [dice.randbytes(dice.randrange(1, 300)) for _ in range(2_000)]
    path.write_bytes(MARK.join(pieces))
    path.with_name("rubbish.db-wal").write_bytes(os.urandom(100) + MARK.join(pieces))
    with closing(Pages(path, 1_024)) as pages:
        for image, at in pages.marks(MARK):
            value = long_value(pages, image, at, 1 << 20, with_log=True)
            assert value is None or len(value) <= 1 << 20
