from random import Random

from simulators.campaigns.sharing import folder_in_memory
from simulators.power.recording import Did, Operation, Recording
from simulators.power.states import Card, Known, Replayed, replay


def replayed(*, is_control: bool) -> Replayed:
    with folder_in_memory("states") as folder:
        return replay(folder, 400, 3, per_journal=50, is_control=is_control)


def test_no_crash_state_lacks_what_was_accepted() -> None:
    done = replayed(is_control=False)
    assert done.faults == []
    assert (done.states, done.journals) == (400, 8)
    assert done.lossy > 100
    assert done.stock == 8


def test_a_journal_that_does_not_sync_is_found_out() -> None:
    done = replayed(is_control=True)
    assert done.failed > 0
    assert any("accepted through" in fault or "damaged" in fault for fault in done.faults)


def test_what_was_synced_stays_and_the_rest_may_go_by_sectors() -> None:
    write = Operation(Did.WRITE, "a.db", 0, b"1" * 1024)
    again = Operation(Did.WRITE, "a.db", 0, b"2" * 1024)
    known = Known(recording=Recording([write, Operation(Did.SYNC, "a.db"), again]))
    card = Card(known)
    card.advance(3)
    seen = {card.crashed(Random(seed))[0]["a.db"] for seed in range(200)}
    halves = {b"1" * 512, b"2" * 512}
    assert seen == {one + two for one in halves for two in halves}


def test_a_deletion_lasts_from_the_next_sync_on() -> None:
    acts = [
        Operation(Did.WRITE, "a.db-wal", 0, b"1"),
        Operation(Did.SYNC, "a.db-wal"),
        Operation(Did.DELETE, "a.db-wal"),
        Operation(Did.SYNC, "a.db"),
    ]
    card = Card(Known(recording=Recording(acts)))
    card.advance(3)
    assert {"a.db-wal" in card.crashed(Random(seed))[0] for seed in range(50)} == {True, False}
    card.advance(4)
    assert "a.db-wal" not in card.crashed(Random(1))[0]


def test_what_processes_replayed_is_added_up() -> None:
    done = Replayed(states=10)
    done.add(Replayed(states=5, failed=1, faults=["lost"]))
    assert (done.states, done.failed, done.faults) == (15, 1, ["lost"])
    assert done.summary()["rate_below"] is None
