"""Whatever happens to the file: noticed or harmless, the box starts, readable records arrive."""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from agreed.records import GAP, to_records
from agreed.wire import Block, decode_block
from edge.decisions import Draft
from edge.draining import Lost, batches
from edge.journal import FILE, Entry, Journal, Place, open_journal
from edge.salvage import adopt_wrecks, check_journal, read_left, set_aside
from edge.store import StoreDamagedError
from edge.witness import FILE as WITNESS_FILE
from edge.witness import Witness
from edge.wreck import Wreck
from tests.edge.stand_in import NAMES
from tests.edge.test_journal import STAMP

BLOCKS_COUNT = 50


@dataclass
class Office:
    """Headquarters: takes what continues each chain, once."""

    held: dict[bytes, Place] = field(default_factory=dict)
    subjects: list[str] = field(default_factory=list)

    def take(self, block: Block) -> None:
        epoch = block.origin.epoch
        place = self.held.get(epoch, Place())
        assert (block.columns.first_sequence, block.previous) == (place.through + 1, place.head)
        self.held[epoch] = Place(block.columns.last_sequence, block.hash)
        self.subjects += [r.subject for r in to_records(block.columns) if r.node_kind != GAP]


class Site:
    """A box that is started again and again over one folder."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.folder = folder
        self.dice = dice
        self.path = folder / FILE
        self.journal = self.open()

    def open(self, *, is_damaged: bool = False) -> Journal:
        """Start as `edge.opening` does."""
        journal = None
        if not is_damaged:
            with suppress(StoreDamagedError):
                journal = self._open_checked()
        if journal is None:
            set_aside(self.path)
            journal = self._open_checked()
        gaps = adopt_wrecks(journal, self.folder)
        if gaps:
            journal.append([Entry(g, STAMP) for g in gaps], dict.fromkeys(journal.kept_damaged))
        self.journal = journal
        return journal

    def _open_checked(self) -> Journal:
        check_journal(self.path)
        entropy, boot = self.dice.randbytes(48), self.dice.randbytes(16)
        journal = open_journal(self.path, NAMES, entropy=entropy, boot=boot)
        journal.witness = Witness(self.folder / WITNESS_FILE)
        return journal

    def fill(self) -> list[list[str]]:
        written = []
        for number in range(BLOCKS_COUNT):
            texts = [self.dice.randbytes(9).hex() for _ in range(self.dice.choice([1, 2, 5, 90]))]
            entries = [Entry(Draft("gate", "gate_passed", text), STAMP) for text in texts]
            self.journal.append(entries, {f"part/{number % 7}": str(number)})
            written.append(texts)
        return written

    def drain(self, office: Office) -> None:
        """Bring everything to headquarters; damage found on the way starts the box anew."""
        for _ in range(5):
            try:
                for name in self.journal.wrecks_to_drain():
                    with closing(Wreck(self.folder / name)) as wreck:
                        self._drain(office, name, wreck)
                self._send(office)
            except StoreDamagedError:
                self.journal.close()
                self.open(is_damaged=True)
            else:
                return
        raise AssertionError("damaged again and again")

    def _drain(self, office: Office, name: str, wreck: Wreck) -> None:
        place = office.held.get(wreck.epoch, Place())
        head = wreck.hash_at(place.through)
        assert head in {None, place.head}
        while head is not None and (row := wreck.following(place)) is not None:
            office.take(decode_block(row.data))
            place = office.held[wreck.epoch]
        through = max(place.through, self.journal.wrecks[name])
        lost = Lost(through)
        for batch in batches(lost.watched(wreck.blocks_after(through))):
            self.journal.carry(name, batch, is_last=False)
        self.journal.carry(name, [], is_last=True)
        if gaps := lost.drafts(name):
            self.journal.append([Entry(gap, STAMP) for gap in gaps], {})

    def _send(self, office: Office) -> None:
        epoch = self.journal.origin.epoch
        place = office.held.get(epoch, Place())
        assert self.journal.hash_at(place.through) == place.head
        while rows := self.journal.blocks_after(office.held.get(epoch, Place()).through, 9, 10**6):
            for row in rows:
                office.take(decode_block(row.data))


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in memory where there is one: these tests write much and cut no power."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


def flip(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def zero_a_page(data: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(data)) // 1_024 * 1_024
    stop = min(start + 1_024, len(data))
    data[start:stop] = bytes(stop - start)


def cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data)) :]


def test_a_bit_that_flips_anywhere_costs_at_most_the_block_it_hits(quick: Path) -> None:
    assert sum(play(quick / str(seed), seed, flip) for seed in range(25)) > 0


# Page 1024 of a log lies across two of its frames, and each holds up to three rows.
def test_a_zeroed_page_costs_at_most_the_blocks_on_it(quick: Path) -> None:
    assert sum(play(quick / str(seed), seed, zero_a_page, lost_max=6) for seed in range(15)) > 0


def test_a_file_cut_short_loses_what_was_cut_and_no_more(quick: Path) -> None:
    assert sum(play(quick / str(seed), seed, cut, lost_max=BLOCKS_COUNT) for seed in range(15)) > 0


def play(
    folder: Path, seed: int, harm: Callable[[bytearray, random.Random], None], lost_max: int = 3
) -> bool:
    """Harm one file of a box that ended; say whether the journal was set aside."""
    folder.mkdir()
    dice = random.Random(seed)
    site, office = Site(folder, dice), Office()
    written = site.fill()
    kept = dict(site.journal.kept)
    # Headquarters holds some of it, and the box may not know how much.
    for row in site.journal.blocks_after(0, dice.randrange(BLOCKS_COUNT), 10**7):
        office.take(decode_block(row.data))
    copied = {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.endswith("-shm")}
    site.journal.close()
    if dice.random() < 0.6:  # ended by a power cut: the log is still there
        for name, content in copied.items():
            (folder / name).write_bytes(content)
    name = dice.choice(sorted(p.name for p in folder.iterdir() if p.name.startswith(FILE)))
    data = bytearray((folder / name).read_bytes())
    harm(data, dice)
    (folder / name).write_bytes(data)
    site.open()
    epoch = site.journal.origin.epoch
    site.journal.append([Entry(Draft("gate", "gate_passed", "after"), STAMP)], {})
    site.drain(office)
    check(office, written, lost_max)
    if not site.journal.kept_damaged and not list(folder.glob("journal-damaged-*")):
        assert site.journal.kept == kept
    was_set_aside = bool(site.journal.wrecks) or site.journal.origin.epoch != epoch
    site.journal.close()
    return was_set_aside


def check(office: Office, written: list[list[str]], lost_max: int) -> None:
    known = {text for texts in written for text in texts} | {"after"}
    assert len(office.subjects) == len(set(office.subjects)), "came twice"
    assert set(office.subjects) <= known
    assert "after" in office.subjects
    lost = [texts for texts in written if texts[0] not in set(office.subjects)]
    assert len(lost) <= lost_max
    for texts in written:
        assert set(texts) <= set(office.subjects) or not set(texts) & set(office.subjects)


def test_a_log_cut_short_by_a_bad_bit_is_noticed_and_what_stands_behind_it_arrives(
    tmp_path: Path,
) -> None:
    site, office = Site(tmp_path, random.Random(1)), Office()
    written = site.fill()
    log = tmp_path / f"{FILE}-wal"
    copied = {path: path.read_bytes() for path in (site.path, log)}
    site.journal.close()
    for path, content in copied.items():
        path.write_bytes(content)
    data = bytearray(copied[log])
    data[len(data) * 2 // 3] ^= 4
    log.write_bytes(data)
    with pytest.raises(StoreDamagedError, match=r"end is missing|malformed"):
        check_journal(site.path)
    site.open()
    site.journal.append([Entry(Draft("gate", "gate_passed", "after"), STAMP)], {})
    site.drain(office)
    check(office, written, 1)


def test_an_older_copy_of_the_file_beside_its_newer_note_is_noticed(tmp_path: Path) -> None:
    site = Site(tmp_path, random.Random(1))
    site.fill()
    site.journal.close()
    old = site.path.read_bytes()
    site.open()
    site.fill()
    site.journal.close()
    site.path.write_bytes(old)
    with pytest.raises(StoreDamagedError, match="end is missing"):
        check_journal(site.path)


def test_a_journal_that_vanished_or_became_empty_is_noticed(tmp_path: Path) -> None:
    site = Site(tmp_path, random.Random(1))
    site.fill()
    site.journal.close()
    site.path.write_bytes(b"")
    with pytest.raises(StoreDamagedError):
        check_journal(site.path)
    site.path.unlink()
    with pytest.raises(StoreDamagedError, match="not there any more"):
        check_journal(site.path)
    journal = site.open()
    assert [r.node_kind for r in to_records(journal.recent_columns(1)[0])] == [GAP, GAP]


def test_a_power_cut_while_the_file_is_made_keeps_no_box_from_starting(tmp_path: Path) -> None:
    path = tmp_path / FILE
    store = apsw.Connection(str(path))
    store.execute("PRAGMA cache_size = 1")
    store.execute("BEGIN IMMEDIATE")
    store.execute("CREATE TABLE t (x)")
    store.execute("INSERT INTO t VALUES (randomblob(100000))")
    left = tmp_path / "left"
    left.mkdir()
    for name in (FILE, f"{FILE}-journal"):
        shutil.copy(tmp_path / name, left / name)
    store.close()
    with pytest.raises(StoreDamagedError, match="no such table"):
        check_journal(left / FILE)
    assert not (left / f"{FILE}-journal").exists()


def test_what_is_kept_and_the_secret_go_on_in_the_new_journal(tmp_path: Path) -> None:
    site = Site(tmp_path, random.Random(1))
    site.fill()
    kept, secret = dict(site.journal.kept), site.journal.secret
    site.journal.close()
    journal = site.open(is_damaged=True)
    assert (journal.kept, journal.secret, list(journal.wrecks)) == (
        kept,
        secret,
        ["journal-damaged-1.db"],
    )
    journal.close()
    journal = site.open()
    assert (journal.kept, list(journal.wrecks)) == (kept, ["journal-damaged-1.db"])
    assert read_left(tmp_path / "none.db").kept == {}


def test_a_power_cut_between_setting_aside_and_the_first_commit_forgets_nothing(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, random.Random(1))
    site.fill()
    kept = dict(site.journal.kept)
    site.journal.close()
    set_aside(site.path)
    journal = site.open()
    assert (journal.kept, list(journal.wrecks)) == (kept, ["journal-damaged-1.db"])


def test_a_kept_text_that_was_changed_is_not_believed_and_said(tmp_path: Path) -> None:
    site = Site(tmp_path, random.Random(1))
    site.journal.append([], {"a": "17", "b": "x"})
    site.journal.close()
    site.path.write_bytes(site.path.read_bytes().replace(b"17\x1f", b"16\x1f"))
    journal = site.open()
    assert journal.kept == {"b": "x"}
    (gap,) = to_records(journal.recent_columns(1)[0])
    assert gap.detail == "kept_damaged a"
    journal.close()
    assert site.open().kept_damaged == []


def test_a_chain_of_wrecks_is_drained_one_after_the_other(tmp_path: Path) -> None:
    site, office = Site(tmp_path, random.Random(1)), Office()
    written = []
    for _ in range(3):
        written += site.fill()
        site.journal.close()
        site.open(is_damaged=True)
    site.journal.append([Entry(Draft("gate", "gate_passed", "after"), STAMP)], {})
    site.drain(office)
    check(office, written, 0)
    assert site.journal.wrecks_to_drain() == []
