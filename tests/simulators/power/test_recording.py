from pathlib import Path

import apsw

from simulators.power.recording import Did, recorded


def test_every_write_and_sync_is_recorded_in_order(tmp_path: Path) -> None:
    with recorded() as recording:
        store = apsw.Connection(str(tmp_path / "one.db"))
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("PRAGMA synchronous = FULL")
        store.execute("CREATE TABLE t (x)")
        recording.mark(7)
        store.close()
    acts = [(one.did, one.name) for one in recording.operations]
    count, number = recording.marks[0]
    assert number == 7
    assert acts[count - 1] == (Did.SYNC, "one.db-wal")
    assert acts[-1] == (Did.DELETE, "one.db-wal")
    apsw.Connection(str(tmp_path / "one.db")).execute("INSERT INTO t VALUES (1)")
    assert len(recording.operations) == len(acts)
