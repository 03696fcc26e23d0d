"""Cloned, set back, replaced, copied from elsewhere: each is recognised, and no record is lost.

Real journals on disk, the box's real sync, headquarters' real exchange and store; only the broker
between them is a list.
"""

import shutil
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from agreed.limits import WINDOW_BYTES_MAX
from agreed.messages import BlocksSent, Committed, decode_message, encode_message
from agreed.records import GAP, ClockState
from cloud import reads
from cloud.database.engine import open_engine, reading, sqlite_url
from cloud.database.fleet import BoxName
from cloud.database.migrate import migrate
from cloud.exchange import exchange
from cloud.office.boxes import accept_box, accept_key, add_box, resolve_incidents
from edge.clock import Stamp
from edge.decisions import Draft
from edge.journal import FILE, Entry, Journal, Place, open_journal
from edge.key import FILE as KEY_FILE
from edge.key import BoxKey, open_key
from edge.parting import places_between
from edge.renewal import renew_journal
from edge.sync import (
    MORE_THAN_OURS,
    OTHER_HISTORY,
    OTHER_KEY,
    BoxSync,
    CheckHead,
    MakeTrail,
    Phase,
    Settled,
    Voice,
)
from edge.uplink import take_burst
from simulators.signing import signed_blocks
from tests.cloud.world import BOX, LATER, STREAM, T0, World

BLOCKS_MAX = 1_000
ROUNDS_MAX = 40


@dataclass
class Box:
    """One card in one machine; `told` is every fact that it accepted, whoever holds it later."""

    folder: Path
    number: int
    name: BoxName = BOX
    told: list[str] = field(default_factory=list)
    parted: int | None = None
    phase: Phase = Phase.AWAY
    journal: Journal = field(init=False)
    sync: BoxSync = field(init=False)
    key: BoxKey = field(init=False)

    def start(self) -> "Box":
        self.folder.mkdir(exist_ok=True)
        entropy, boot = bytes([self.number]) * 48, bytes([self.number + 100]) * 16
        self.key = open_key(self.folder / KEY_FILE, bytes([self.number]) * 32)
        self.journal = open_journal(self.folder / FILE, self.name, entropy=entropy, boot=boot)
        voice = Voice(self.name, self.key.public, self.key.sign)
        epoch = self.journal.origin.epoch
        self.sync = BoxSync(voice, epoch, STREAM.hex(), 0, lambda: 0.0)
        self.sync.journaled(self.journal.end.through)
        return self

    def stop(self) -> None:
        self.journal.append([], {}, "memory")
        self.journal.close()

    def record(self, *facts: str) -> "Box":
        for fact in facts:
            stamp = Stamp(1, T0 + len(self.told), 50, ClockState.SYNCED)
            self.journal.append([Entry(Draft("gate-1", "gate_passed", detail=fact), stamp)], {})
            self.told.append(fact)
        self.sync.journaled(self.journal.end.through)
        return self

    def copy_to(self, folder: Path, number: int) -> "Box":
        """Copy the card, as somebody does with a card reader, while the box is off."""
        shutil.copytree(self.folder, folder)
        return Box(folder, number, self.name)

    def renew(self) -> int:
        """What `duifu edge journal renew` does, while the box is off."""
        self.stop()
        done = renew_journal(self.folder, self.name, bytes([self.number + 50]) * 64)
        self.parted = None
        self.start()
        return done.carried


@dataclass
class Office:
    """Headquarters."""

    world: World
    now_ns: int = 0

    def talk(self, box: Box) -> None:
        """Let a box connect and speak until both have nothing more to say."""
        box.sync.connected(self.now_ns)
        for _ in range(ROUNDS_MAX):
            self._load(box)
            messages = box.sync.messages_to_send()
            if not messages:
                break
            said = [(box.name, decode_message(encode_message(m))) for m in messages]
            for _, answer in exchange(self.world.engine, said, LATER).answers:
                for wanted in box.sync.received(decode_message(encode_message(answer)), 0):
                    self._answer(box, wanted)
        else:
            pytest.fail("they talk for ever")
        box.phase = box.sync.phase
        box.sync.disconnected()

    def _load(self, box: Box) -> None:
        while (after := box.sync.next_after()) is not None:
            found = box.journal.blocks_after(after, BLOCKS_MAX, WINDOW_BYTES_MAX)
            burst = take_burst(deque(found), box.sync.wanted_through())
            box.sync.blocks_loaded([b.data for b in burst], burst[-1].last_sequence, 0)

    def _answer(self, box: Box, wanted: object) -> None:
        if isinstance(wanted, CheckHead):
            head = box.journal.hash_at(wanted.through)
            for fact in box.sync.head_found(wanted, head, 0):
                self._answer(box, fact)
        elif isinstance(wanted, Settled):
            box.journal.commit_through(Place(wanted.through, wanted.head))
        elif isinstance(wanted, MakeTrail):
            part = box.sync.trail_made(places_between(box.journal, wanted.after, wanted.before), 0)
            if part is not None:
                box.journal.note_parting(Place(part.through, part.head))
                box.parted = part.through

    def held(self) -> list[str]:
        with reading(self.world.engine) as connection:
            rows = connection.execute(text("SELECT node_kind, detail FROM records")).all()
        return [row.detail for row in rows if row.node_kind != GAP]

    def open_incidents(self, name: BoxName = BOX) -> set[str]:
        with reading(self.world.engine) as connection:
            found = reads.incidents(connection, "acme", site=name.site, box=name.box)
        return {incident.kind for incident in found if incident.resolved_at_ms is None}

    def resolve(self) -> None:
        resolve_incidents(self.world.engine, BOX, LATER)

    def accept(self, name: BoxName) -> None:
        add_box(self.world.engine, name, STREAM, T0)
        accept_box(self.world.engine, name, STREAM, T0)

    def check(self, *boxes: Box) -> None:
        """Everything that any box ever accepted is here exactly once, and every chain holds."""
        told = Counter(fact for box in boxes for fact in box.told)
        assert Counter(self.held()) == told
        assert set(told.values()) == {1}
        assert self.world.check().is_chain_verified


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    engine = open_engine(sqlite_url(tmp_path / "store.db"))
    migrate(engine)
    found = Office(World(engine))
    yield found
    engine.dispose()


@pytest.fixture
def first(office: Office, tmp_path: Path) -> Box:
    """A box at work; headquarters knows it by its first word."""
    box = Box(tmp_path / "first", 1).start()
    accept_key_of(office, box)
    office.talk(box.record("a", "b", "c"))
    assert office.held() == ["a", "b", "c"]
    return box


def accept_key_of(office: Office, box: Box) -> None:
    """The store of the tests knows another key at first: a person accepts the box's own."""
    office.talk(box)
    assert box.sync.incident == OTHER_KEY
    accept_key(office.world.engine, box.name, box.key.fingerprint, LATER)


def test_an_old_card_that_was_put_back(office: Office, first: Box, tmp_path: Path) -> None:
    first.stop()
    old = first.copy_to(tmp_path / "image", 2)
    first.start()
    office.talk(first.record("d", "e"))
    first.stop()
    # The image comes back, and the box works on before it has spoken with anybody.
    old.start().record("f", "g", "h")
    office.talk(old)
    assert (old.phase, old.sync.incident) == (Phase.STOPPED, OTHER_HISTORY)
    assert old.parted == 3
    assert office.open_incidents() == {"set_back"}
    assert old.renew() == 3
    office.talk(old.record("i"))
    assert old.phase is Phase.SENDING
    office.resolve()
    office.check(first, old)


def test_an_old_card_that_has_recorded_nothing_since(
    office: Office, first: Box, tmp_path: Path
) -> None:
    first.stop()
    old = first.copy_to(tmp_path / "image", 2)
    office.talk(first.start().record("d"))
    office.talk(old.start())
    assert old.sync.incident == MORE_THAN_OURS
    assert old.parted == 3
    assert old.renew() == 0
    office.talk(old.record("e"))
    office.check(first, old)


def test_two_boxes_that_go_on_with_one_journal(office: Office, first: Box, tmp_path: Path) -> None:
    first.stop()
    clone = first.copy_to(tmp_path / "clone", 2)
    office.talk(first.start().record("d", "e"))
    office.talk(clone.start().record("x", "y"))
    office.talk(first.record("f"))
    assert office.open_incidents() == {"set_back", "cloned"}
    assert (first.phase, clone.parted) == (Phase.SENDING, 3)
    # The way out: the copy becomes a box of its own, with a name and a key of its own.
    clone.name = BOX._replace(box="gate-box-2")
    (clone.folder / KEY_FILE).unlink()
    office.accept(clone.name)
    assert clone.renew() == 2
    office.talk(clone.record("z"))
    office.resolve()
    office.talk(first.record("g"))
    assert office.open_incidents() == office.open_incidents(clone.name) == set()
    office.check(first, clone)


def test_a_fork_that_reached_headquarters(office: Office, first: Box, tmp_path: Path) -> None:
    """The copy had said hello before the first one went on: its blocks are on their way."""
    first.stop()
    clone = first.copy_to(tmp_path / "clone", 2)
    clone.start().record("x", "y")
    clone.sync.connected(0)
    [hello] = clone.sync.messages_to_send()
    for _, answer in exchange(office.world.engine, [(BOX, hello)], LATER).answers:
        assert isinstance(answer, Committed)
        for wanted in clone.sync.received(answer, 0):
            office._answer(clone, wanted)
    office.talk(first.start().record("d"))
    office._load(clone)
    said = [(BOX, m) for m in clone.sync.messages_to_send()]
    exchange(office.world.engine, said, LATER)
    clone.sync.disconnected()
    assert office.open_incidents() == {"forked"}
    # Until a person has looked, neither is believed; both keep what they have.
    office.talk(first.record("e"))
    assert first.phase is Phase.STOPPED
    office.resolve()
    office.talk(first)
    office.talk(clone)
    assert (first.phase, clone.parted) == (Phase.SENDING, 3)
    clone.renew()
    office.talk(clone)
    office.check(first, clone)


def test_a_box_that_was_replaced_after_damage(office: Office, first: Box, tmp_path: Path) -> None:
    first.record("d", "e")  # and the machine dies before it could send them
    first.stop()
    new = Box(tmp_path / "new", 3).start()
    office.talk(new.record("n"))
    assert new.sync.incident == OTHER_KEY
    assert office.open_incidents() == {"other_key"}
    accept_key(office.world.engine, BOX, new.key.fingerprint, LATER)
    office.talk(new)
    assert office.open_incidents() == set()
    # The old card can still be read: in the new machine, with its key, it drains what it holds.
    old = first.copy_to(tmp_path / "reader", 4)
    shutil.copy(new.folder / KEY_FILE, old.folder / KEY_FILE)
    office.talk(old.start())
    assert old.phase is Phase.SENDING
    office.talk(new.record("o"))
    office.check(first, new)


def test_a_lost_key_file(office: Office, first: Box) -> None:
    first.stop()
    (first.folder / KEY_FILE).unlink()
    first.number = 7
    office.talk(first.start().record("d"))
    assert first.sync.incident == OTHER_KEY
    accept_key(office.world.engine, BOX, first.key.fingerprint, LATER)
    office.talk(first)
    office.check(first)


def test_the_data_folder_of_another_box(office: Office, first: Box, tmp_path: Path) -> None:
    other = Box(tmp_path / "other", 5, BoxName("acme", "north", "other")).start()
    other.record("o")
    other.name = BOX  # whoever copied it changed the account, not the journal
    said = [(BOX, m) for m in _blocks_of(other, first.key)]
    exchange(office.world.engine, said, LATER)
    assert office.open_incidents() == {"foreign"}
    office.talk(first.record("d"))
    office.check(first)


def _blocks_of(box: Box, key: BoxKey) -> list[BlocksSent]:
    return [signed_blocks(key, row.data) for row in box.journal.blocks_after(0, 9, 1 << 20)]
