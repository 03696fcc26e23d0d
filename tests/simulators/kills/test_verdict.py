from dataclasses import replace

import pytest

from agreed.records import Record, to_records
from agreed.wire import decode_block
from simulators.evidence import JournalFile, RecordRow, Store
from simulators.kills.verdict import Key, Verdict, judge
from tests.cloud.world import T0, Chain, fact

KEY: Key = ("kiosk-0", "o-1", "task_started")


def scanned() -> Record:
    return fact(T0, KEY[2], device=KEY[0], reference=KEY[1])


def world(blocks: int = 3) -> tuple[JournalFile, Store]:
    chain = Chain()
    data = [chain.block(scanned(), scanned()) for _ in range(blocks)]
    rows = [
        RecordRow(
            chain.epoch.hex(),
            *(r.sequence, r.wall_ms, r.bound_ms, r.mono_ns, r.clock_state, r.evidence),
            *(r.device, r.node_kind, r.subject, r.reference, r.detail),
        )
        for one in data
        for r in to_records(decode_block(one).columns)
    ]
    stored = {(chain.epoch.hex(), 1 + 2 * i): one for i, one in enumerate(data)}
    return JournalFile(data), Store(rows, [], [], [], [], stored)


def verdict(journal: JournalFile, store: Store, accepted: int = 6, crossed: int = 6) -> Verdict:
    return judge({KEY: accepted}, {KEY: crossed}, journal, store)


def test_all_is_well() -> None:
    found = verdict(*world())
    assert found.is_clean
    assert (found.accepted, found.journaled, found.stored) == (6, 6, 6)
    assert found.as_dict()["is_clean"] is True


def test_nothing_happened_is_not_well() -> None:
    assert not verdict(JournalFile([]), Store([], [], [], [], [], {}), 0, 0).is_clean


def test_a_lost_record_is_seen_twice() -> None:
    journal, store = world()
    found = verdict(journal, replace(store, records=store.records[:-1]))
    assert (found.lost_accepted, found.lost_journaled, found.is_clean) == (1, 1, False)


def test_what_was_accepted_but_is_nowhere_is_lost() -> None:
    found = verdict(*world(), accepted=7, crossed=7)
    assert (found.lost_accepted, found.lost_journaled, found.is_clean) == (1, 0, False)


@pytest.mark.parametrize("crossed", [5, 0])
def test_more_than_went_over_the_wire_is_doubled(crossed: int) -> None:
    found = verdict(*world(), accepted=0, crossed=crossed)
    assert found.duplicated == 6 - crossed


def test_a_row_stored_twice_is_doubled() -> None:
    journal, store = world()
    found = verdict(journal, replace(store, records=[*store.records, store.records[0]]), crossed=9)
    assert (found.duplicated, found.is_clean) == (1, False)


def test_what_the_box_never_wrote_is_strange() -> None:
    journal, store = world()
    found = verdict(JournalFile(journal.blocks[:-1]), store)
    assert found.strange == 3  # two records and their block


def test_a_broken_chain_is_seen() -> None:
    journal, store = world()
    blocks = [journal.blocks[0], journal.blocks[2]]
    assert not verdict(JournalFile(blocks), store).is_chained
