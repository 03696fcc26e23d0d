"""A store is durable, and what goes wrong with it has a name."""

import os
import resource
import signal
from pathlib import Path

import apsw
import pytest

from edge.store import (
    Reserve,
    StoreDamagedError,
    StoreError,
    StoreFaultError,
    StoreFullError,
    StoreReadOnlyError,
    named_faults,
    open_for_reading,
    open_store,
)

SCHEMA = "CREATE TABLE IF NOT EXISTS t (x)"


def test_a_store_syncs_every_commit(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.db", SCHEMA)
    assert store.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert store.execute("PRAGMA synchronous").fetchall() == [(2,)]


def test_sqlite_is_newer_than_the_fault_that_loses_a_wal() -> None:
    assert tuple(map(int, apsw.sqlite_lib_version().split("."))) >= (3, 51, 3)


def test_a_reader_sees_what_the_owner_commits_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a#?.db"
    store = open_store(path, SCHEMA)
    store.execute("INSERT INTO t VALUES (1)")
    reader = open_for_reading(path)
    assert reader.execute("SELECT x FROM t").fetchall() == [(1,)]
    with pytest.raises(StoreReadOnlyError), named_faults():
        reader.execute("INSERT INTO t VALUES (2)")
    with pytest.raises(StoreError):
        open_for_reading(tmp_path / "none.db")


def test_a_file_that_is_no_store_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreDamagedError):
        open_store(tmp_path / "a.db", SCHEMA)


def test_a_folder_that_is_not_there_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StoreReadOnlyError):
        open_store(tmp_path / "none" / "a.db", SCHEMA)


@pytest.mark.parametrize(
    ("fault", "expected", "retry"),
    [
        (apsw.FullError(), StoreFullError, True),
        (apsw.CorruptError(), StoreDamagedError, False),
        (apsw.IOError(), StoreFaultError, False),
    ],
)
def test_every_fault_has_a_name(fault: apsw.Error, expected: type[StoreError], retry: bool) -> None:
    with pytest.raises(expected) as caught, named_faults():
        raise fault
    assert caught.value.retry is retry


def test_a_reserve_holds_room_and_gives_it_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 65_536)
    reserve.make()
    reserve.make()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 65_536
    reserve.spend()
    reserve.spend()
    assert not (tmp_path / "reserve").exists()
    with pytest.raises(StoreReadOnlyError):
        Reserve(tmp_path / "none" / "reserve").make()


def test_a_reserve_without_room_says_so(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        # A child, because a limit on file sizes cannot be taken back.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
        try:
            Reserve(tmp_path / "reserve").make()
        except StoreError:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
