from contextlib import suppress
from pathlib import Path
from random import Random

import apsw
import pytest

from agreed.machine import Moment
from agreed.records import ClockState
from edge.clock import Stamp
from edge.decisions import Draft
from edge.journal import Entry, Journal, open_journal
from edge.store import StoreError, StoreFullError
from simulators.world.card import Card, card_files

ENTRY = Entry(Draft("gate-1", "gate_passed"), Stamp(1, 1_800_000_000_000, 5, ClockState.SYNCED))
AT = Moment(0, 0)


def opened(card: Card) -> Journal:
    names = ("acme", "north", "gate")
    return open_journal(card.folder / "journal.db", names, entropy=b"e" * 48, boot=b"b" * 16)


def reopened_end(card: Card) -> int:
    journal = opened(card)
    try:
        return journal.end.through
    finally:
        journal.close()


def new_card(tmp_path: Path, *, is_lying: bool = False) -> Card:
    (tmp_path / "card").mkdir()
    return Card(tmp_path / "card", is_lying=is_lying)


def test_what_was_synced_survives_every_power_cut(tmp_path: Path) -> None:
    with card_files() as files:
        card = new_card(tmp_path)
        files.insert(card)
        journal = opened(card)
        journal.append([ENTRY] * 3, {})
        for seed in range(10):
            after = card.after_power_cut(tmp_path / f"after-{seed}", Random(seed))
            assert reopened_end(after) == 3
        journal.close()


def test_a_card_that_lies_loses_records(tmp_path: Path) -> None:
    with card_files() as files:
        card = new_card(tmp_path, is_lying=True)
        files.insert(card)
        journal = opened(card)
        for _ in range(5):
            journal.append([ENTRY], {})
        ends = set()
        for seed in range(20):
            after = card.after_power_cut(tmp_path / f"after-{seed}", Random(seed))
            try:
                ends.add(reopened_end(after))
            except StoreError:
                ends.add(-1)
        assert ends != {5}
        journal.close()


def test_a_write_in_the_middle_of_which_the_power_goes_is_whole_or_not_there(
    tmp_path: Path,
) -> None:
    with card_files() as files:
        for operations in range(8):
            folder = tmp_path / f"card-{operations}"
            folder.mkdir()
            card = Card(folder)
            files.insert(card)
            journal = opened(card)
            journal.append([ENTRY], {})
            card.operations_left = operations
            try:
                journal.append([ENTRY], {})
            except StoreError:
                assert card.is_dead
            after = card.after_power_cut(tmp_path / f"after-{operations}", Random(operations))
            assert reopened_end(after) in ({1, 2} if card.is_dead else {2})
            card.is_dead = True
            with suppress(apsw.Error):
                journal.close()


def test_a_full_card_takes_nothing_and_keeps_what_it_has(tmp_path: Path) -> None:
    with card_files() as files:
        card = new_card(tmp_path)
        files.insert(card)
        journal = opened(card)
        journal.append([ENTRY], {})
        card.is_full = True
        with pytest.raises(StoreFullError):
            journal.append([ENTRY], {})
        card.is_full = False
        journal.append([ENTRY], {})
        assert journal.end.through == 2
        assert reopened_end(card.after_kill(tmp_path / "after")) == 2
        journal.close()


def test_files_elsewhere_are_left_alone(tmp_path: Path) -> None:
    with card_files():
        assert reopened_end(Card(tmp_path)) == 0
    assert reopened_end(Card(tmp_path)) == 0
