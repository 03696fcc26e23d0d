"""Plays the front door of a box's journal by seed: group commit, its waiting, its thread, its ends.

The production `edge.acceptance` runs over the production journal, on a card that may fail, in
virtual time; it is killed at any of its awaits.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import apsw
import pysqlite3.dbapi2 as sqlite
import structlog

from agreed.machine import NS_PER_S, Moment
from agreed.records import BOX_ALIVE, GATE_PASSED, TASK_FINISHED, Durability, RecordColumns
from agreed.wire import WireError
from edge.acceptance import Acceptance
from edge.clock import BoxClock, parse_memory
from edge.config import JournalSettings
from edge.decisions import Draft
from edge.errands import Errands
from edge.journal import FILE, Journal, open_journal
from edge.store import Reserve, StoreError
from simulators.world.card import Card, CardFiles
from simulators.world.clocks import Crystal
from simulators.world.door_judge import Offer, judge_found, judge_refused, look
from simulators.world.loop import VirtualErrands, VirtualLoop
from simulators.world.scheduler import NeverAtRestError, Scheduler

SPAN_S: Final = 60
END_S_MAX: Final = 600
"""How long a box may take to write down what it took in, once nothing disturbs it."""

AWAY_S_MAX: Final = 3.0
FULL_S_MAX: Final = 8.0
RESERVE_BYTES: Final = 4_096
BROKEN_MAX: Final = 8
NAMES: Final = ("acme", "north", "east-gate")
_DRIFT_PPM_MAX: Final = 100
_OPERATIONS_MAX: Final = 12

_KINDS: Final = {
    Durability.CUSTODY: TASK_FINISHED,
    Durability.PASSAGE: GATE_PASSED,
    Durability.TELEMETRY: BOX_ALIVE,
}


class MakeDoor(Protocol):
    """Makes the door of a process; a planted bug makes another."""

    def __call__(
        self,
        journal: Journal,
        clock: BoxClock,
        reserve: Reserve,
        settings: JournalSettings,
        committed: Callable[[list[RecordColumns]], None],
        thread: Errands,
    ) -> Acceptance:
        """Make it, as `edge.acceptance.Acceptance` is made."""
        ...


@dataclass(slots=True)
class Passed:
    """What came of one seed.

    Attributes:
        seed: the same gives the same.
        trace: hash of everything that happened.
        offered, taken, refused: records; of the rest nothing was said, the process had died.
        lives: processes.
        events: acts of the scheduler.
        faults: how often each kind of fault happened.
        broken: one sentence for each broken rule.
    """

    seed: int
    trace: str = ""
    offered: int = 0
    taken: int = 0
    refused: int = 0
    lives: int = 0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


class _Clock(BoxClock):
    """A box's clock that reads the world's time."""

    def __init__(self, memory: str, crystal: Crystal, scheduler: Scheduler) -> None:
        super().__init__(
            parse_memory(memory), kernel=crystal.discipline, machine_boot=crystal.machine_boot
        )
        self._crystal = crystal
        self._scheduler = scheduler

    def moment(self) -> Moment:
        return self._crystal.moment(self._scheduler.now_ns)


@dataclass(slots=True)
class _Life:
    """One process.

    Attributes:
        journal, clock, loop, door: what it is made of.
        after: the last sequence before it.
        committed_through: the last sequence that it heard of as committed.
        refused: records that it refused.
    """

    journal: Journal
    clock: BoxClock
    loop: VirtualLoop
    door: Acceptance
    after: int
    committed_through: int
    refused: int = 0


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what boxes log of their cards out of sight: it is what is played."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    try:
        yield
    finally:
        structlog.configure(**before)


def pass_door(
    files: CardFiles,
    folder: Path,
    seed: int,
    make: MakeDoor = Acceptance,
    *,
    is_lying: bool = False,
) -> Passed:
    """Play one seed in a folder that is made and cleared away; `is_lying` plants a bad card."""
    first = folder / "card-0"
    first.mkdir(parents=True)
    try:
        return _Play(files, Card(first, is_lying=is_lying), seed, make).play()
    finally:
        shutil.rmtree(folder)


class _Play:
    def __init__(self, files: CardFiles, card: Card, seed: int, make: MakeDoor) -> None:
        self._scheduler = Scheduler(seed)
        self._dice = dice = self._scheduler.dice
        self._files, self._card, self._make = files, card, make
        files.insert(card)
        self._crystal = Crystal(dice, _DRIFT_PPM_MAX)
        self._settings = JournalSettings(
            window_ms=dice.choice((0, 50, 200, 1_000)),
            telemetry_window_ms=dice.choice((1_000, 5_000)),
        )
        self._call_s_max = dice.choice((0.001, 0.02, 0.4))
        self._burst_max = dice.choice((1, 5, 40))
        self._power_cut, self._mid_write = dice.random(), dice.random()
        self._offers: list[Offer] = []
        self._names = 0
        self._life: _Life | None = None
        self._is_over = False
        self._done = Passed(seed)

    def play(self) -> Passed:
        """Take in, die and come back; then end in order, and be judged."""
        dice, done = self._dice, self._done
        self._start()
        self._again(dice.choice((0.05, 0.5, 2.0)), self._hand_in)
        self._again(SPAN_S / dice.uniform(0.5, 8), self._die)
        self._again(SPAN_S / dice.uniform(0.2, 3), self._fill)
        self._again(SPAN_S / dice.uniform(0.2, 2), self._finish)
        self._again(SPAN_S / dice.uniform(0.2, 8), self._settle)
        try:
            self._scheduler.run(SPAN_S * NS_PER_S)
            self._come_to_rest()
        except (NeverAtRestError, StoreError) as error:
            self._blame(f"{type(error).__name__}: {error}")
        done.trace, done.events = self._scheduler.trace(), self._scheduler.events
        done.offered = sum(len(offer.names) for offer in self._offers)
        done.taken = sum(len(o.names) for o in self._offers if o.is_taken)
        done.refused = sum(len(o.names) for o in self._offers if o.is_taken is False)
        return done

    def _again(self, mean_s: float, act: Callable[[], None]) -> None:
        def ring() -> None:
            if not self._is_over:
                act()
                self._scheduler.after_s(self._dice.expovariate(1 / mean_s), ring)

        self._scheduler.after_s(self._dice.expovariate(1 / mean_s), ring)

    def _start(self) -> None:
        dice = self._dice
        if self._life is not None:
            return
        path = self._card.folder / FILE
        try:
            journal = open_journal(path, NAMES, entropy=dice.randbytes(48), boot=dice.randbytes(16))
        except StoreError as error:
            if not self._card.is_full:
                self._blame(f"it does not start: {error}")
            self._scheduler.after_s(1.0, self._start)
            return
        clock = _Clock(journal.clock_memory, self._crystal, self._scheduler)
        loop = VirtualLoop(self._scheduler, self._call_s, self._survived)  # type: ignore[abstract]
        reserve = Reserve(self._card.folder / "reserve", RESERVE_BYTES)
        thread = VirtualErrands(loop)
        door = self._make(journal, clock, reserve, self._settings, self._committed, thread)
        through = journal.end.through
        self._life = _Life(journal, clock, loop, door, through, through)
        self._done.lives += 1
        self._note("started", through)
        loop.begin(door.run(), self._ran)

    def _hand_in(self) -> None:
        life, dice = self._life, self._dice
        if life is None:
            return
        durability = dice.choice(list(_KINDS))
        names = [f"d-{self._names + i}" for i in range(dice.randint(1, self._burst_max))]
        self._names += len(names)
        drafts = tuple(Draft("gate-1", _KINDS[durability], "w-1", detail=n) for n in names)
        offer = Offer(names)
        self._offers.append(offer)
        keep = {"last": names[-1]}
        accept = partial(life.door.accept, drafts, life.clock.moment(), durability, keep)
        life.loop.act(accept).add_done_callback(partial(self._told, life, offer))

    def _told(self, life: _Life, offer: Offer, answer: "asyncio.Future[bool]") -> None:
        offer.is_taken = answer.result()
        self._note("told", offer.names[0], offer.is_taken)
        if not offer.is_taken:
            life.refused += len(offer.names)

    def _committed(self, columns: list[RecordColumns]) -> None:
        life = self._life
        assert life is not None
        for part in columns:
            if part.first_sequence != life.committed_through + 1:
                self._blame(f"committed {part.first_sequence} after {life.committed_through}")
            life.committed_through = part.last_sequence

    def _settle(self) -> None:
        """Let headquarters hold everything so far."""
        life = self._life
        if life is not None:
            settle = partial(life.journal.commit_through, life.journal.end)
            life.loop.begin(self._quietly(life, settle))

    async def _quietly(self, life: _Life, settle: Callable[[], None]) -> None:
        with suppress(StoreError):
            await life.door.call(settle)

    def _fill(self) -> None:
        card = self._card
        self._done.faults["card full"] += 1
        card.is_full = True
        self._scheduler.after_s(self._dice.random() * FULL_S_MAX, self._empty)

    def _empty(self) -> None:
        self._card.is_full = False

    def _finish(self) -> None:
        """Tell the process to end in order."""
        life = self._life
        if life is not None:
            life.loop.act(life.door.finish)

    def _ran(self, task: "asyncio.Task[None]") -> None:
        """The process ended in order, or of itself."""
        life = self._life
        assert life is not None
        if task.exception() is not None:
            self._blame(f"the door broke: {task.exception()!r}")
        self._done.faults["ended in order"] += 1
        self._leave(life, is_whole=life.door.refused_count == 0)
        with suppress(apsw.Error):  # SQLite itself would be silent of a log it cannot fold in
            life.door.close()
        self._scheduler.after_s(self._away_s(), self._start)

    def _die(self) -> None:
        if self._life is None:
            return
        if self._dice.random() < self._mid_write:
            self._card.operations_left = self._dice.randrange(_OPERATIONS_MAX)
        else:
            self._kill(is_power_cut=self._dice.random() < self._power_cut)

    def _survived(self) -> bool:
        """Say whether the process lives after a piece of the thread's work."""
        if self._card.is_dead:
            self._done.faults["died in a write"] += 1
            self._kill(is_power_cut=True)
        return not self._card.is_dead and self._life is not None

    def _kill(self, *, is_power_cut: bool) -> None:
        life, self._life = self._life, None
        assert life is not None
        self._done.faults["power cut" if is_power_cut else "killed"] += 1
        self._note("killed", is_power_cut)
        life.loop.kill()
        self._next_card(life.journal, is_power_cut=is_power_cut)
        self._judge(life, is_whole=False)
        if is_power_cut:
            self._crystal.power_cut(self._scheduler.now_ns, self._dice)
        self._scheduler.after_s(self._away_s(), self._start)

    def _next_card(self, journal: Journal, *, is_power_cut: bool) -> None:
        old = self._card
        old.is_dead = True
        folder = old.folder.with_name(f"card-{self._scheduler.events}-{self._done.lives}")
        if is_power_cut:
            self._card = old.after_power_cut(folder, self._dice)
        else:
            self._card = old.after_kill(folder)
        with suppress(apsw.Error):
            journal.close()
        shutil.rmtree(old.folder)
        self._files.insert(self._card)

    def _come_to_rest(self) -> None:
        self._is_over = True
        self._card.is_full = False
        self._card.operations_left = None
        self._start()
        until_ns = self._scheduler.now_ns + END_S_MAX * NS_PER_S
        self._scheduler.run(until_ns, lambda: self._life is not None)
        life = self._life
        if life is None:
            self._blame("it does not come back")
            return
        self._hand_in()
        self._finish()
        self._scheduler.run(until_ns, lambda: self._life is not life)
        if self._life is life:
            self._blame("it does not end in order")

    def _leave(self, life: _Life, *, is_whole: bool) -> None:
        self._life = None
        self._note("ended", is_whole)
        self._judge(life, is_whole=is_whole)

    def _judge(self, life: _Life, *, is_whole: bool) -> None:
        try:
            found = look(self._card.folder, self._card.folder.with_name("look"))
        except (sqlite.Error, WireError) as error:
            self._blame(f"the journal cannot be read: {error}")
            return
        for sentence in judge_found(found, self._offers):
            self._blame(sentence)
        for sentence in judge_refused(found, life.after, life.refused, is_whole=is_whole):
            self._blame(sentence)
        for sentence in life.loop.faults:
            self._blame(sentence)

    def _away_s(self) -> float:
        return self._dice.random() * AWAY_S_MAX

    def _call_s(self) -> float:
        return self._dice.random() * self._call_s_max

    def _note(self, *words: object) -> None:
        self._scheduler.note(*words)

    def _blame(self, sentence: str) -> None:
        if len(self._done.broken) < BROKEN_MAX:
            self._done.broken.append(sentence)
