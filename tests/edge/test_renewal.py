"""A journal that cannot go on leaves nothing behind that headquarters lacks."""

from pathlib import Path

import pytest

from agreed.records import GAP, Record, to_records
from agreed.wire import Block
from edge.journal import FILE, Journal, Place, checked_chain, open_journal, read_rows, read_state
from edge.renewal import PART, NothingPartedError, renew_journal
from edge.store import StoreDamagedError, StoreFaultError, open_for_reading
from tests.edge.test_journal import entries

NAMES = ("greentown", "lakeside", "east-gate")
ENTROPY = bytes(range(64))


def begun(folder: Path, boot: int = 1) -> Journal:
    return open_journal(folder / FILE, NAMES, entropy=b"o" * 48, boot=bytes([boot]) * 16)


def blocks(path: Path) -> list[Block]:
    store = open_for_reading(path)
    try:
        return list(checked_chain(read_rows(store), Place()))
    finally:
        store.close()


def facts(found: list[Block]) -> list[tuple[object, ...]]:
    """Everything of the records but their numbers, and the boot they are of."""
    names = [name for name in Record.__slots__ if name != "sequence"]
    return [
        (block.origin.boot, *(getattr(record, name) for name in names))
        for block in found
        for record in to_records(block.columns)
    ]


def parted(folder: Path) -> tuple[list[Block], int]:
    journal = begun(folder)
    for _ in range(3):
        journal.append(entries(2), {"compartment-1": "o-1"})
    journal.note_parting(Place(4, journal.hash_at(4) or b""))
    journal.close()
    journal = begun(folder, boot=2)
    journal.append(entries(3), {})
    journal.close()
    return blocks(folder / FILE), 4


def test_what_lies_behind_the_parting_goes_on_in_a_new_journal(tmp_path: Path) -> None:
    old, through = parted(tmp_path)
    done = renew_journal(tmp_path, NAMES, ENTROPY)
    assert (done.parted_through, done.carried) == (through, 5)
    new = blocks(tmp_path / FILE)
    assert facts(new)[1:] == facts(old)[4:]
    assert {block.origin.epoch for block in new} == {ENTROPY[:16]}
    [gap] = to_records(new[0].columns)
    assert (gap.node_kind, gap.detail) == (GAP, "journal_left journal-left-1.db")
    assert facts(blocks(done.left)) == facts(old)
    assert not (tmp_path / PART).exists()


def test_the_new_journal_knows_the_compartments_and_goes_on(tmp_path: Path) -> None:
    parted(tmp_path)
    renew_journal(tmp_path, NAMES, ENTROPY)
    journal = begun(tmp_path, boot=3)
    assert (journal.kept, journal.committed) == ({"compartment-1": "o-1"}, Place())
    assert [r.sequence for r in journal.append(entries(1), {})] == [7]
    journal.close()
    assert len(facts(blocks(tmp_path / FILE))) == 7
    with pytest.raises(NothingPartedError):
        renew_journal(tmp_path, NAMES, ENTROPY)


def test_a_copy_may_take_another_name(tmp_path: Path) -> None:
    parted(tmp_path)
    renew_journal(tmp_path, (*NAMES[:2], "west-gate"), ENTROPY)
    assert {block.origin.box for block in blocks(tmp_path / FILE)} == {"west-gate"}


def test_what_was_pruned_is_held_for_certain(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    for _ in range(3):
        journal.append(entries(2), {})
    journal.commit_through(Place(4, journal.hash_at(4) or b""))
    journal.append([], {}, "memory")
    journal.note_parting(Place())
    journal.close()
    done = renew_journal(tmp_path, NAMES, ENTROPY)
    assert (done.parted_through, done.carried) == (4, 2)


def test_nothing_is_done_without_a_reason(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.append(entries(2), {})
    journal.note_parting(Place(2, journal.hash_at(2) or b""))
    journal.note_parting(None)
    journal.close()
    with pytest.raises(NothingPartedError):
        renew_journal(tmp_path, NAMES, ENTROPY)


def test_damage_changes_nothing(tmp_path: Path) -> None:
    _, through = parted(tmp_path)
    store = begun(tmp_path)
    store._store.execute("UPDATE blocks SET bytes = x'00' WHERE first_sequence = 5")
    store.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(StoreDamagedError):
        renew_journal(tmp_path, NAMES, ENTROPY)
    assert (tmp_path / FILE).read_bytes() == before
    assert through == 4


def test_a_journal_in_use_stays(tmp_path: Path) -> None:
    parted(tmp_path)
    reader = open_for_reading(tmp_path / FILE)
    read_state(reader, "box")
    with pytest.raises(StoreFaultError, match="in use"):
        renew_journal(tmp_path, NAMES, ENTROPY)
    reader.close()
    assert renew_journal(tmp_path, NAMES, ENTROPY).carried == 5
