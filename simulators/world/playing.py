"""Plays one seed from the first happening to the last, and judges what is left."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from agreed.machine import NS_PER_S
from agreed.messages import encode_message
from agreed.records import (
    BOX_ALIVE,
    GATE_PASSED,
    TASK_FINISHED,
    ClockState,
    Evidence,
    Record,
    to_columns,
)
from agreed.wire import Origin, decode_block, encode_block
from cloud.exchange import exchange
from cloud.office.orders import create_orders
from cloud.office.refusals import UnknownError
from cloud.office.sites import end_credential, put_credentials
from edge.decisions import Draft
from edge.journal import FILE as JOURNAL_FILE
from edge.learned import FILE as LEARNED_FILE
from edge.store import StoreError
from simulators.evidence import read_journal
from simulators.signing import key_of, signed_blocks
from simulators.world import template
from simulators.world.box import CRASH_OPERATIONS_MAX, HEADQUARTERS, Around, Box
from simulators.world.broker import Broker
from simulators.world.bugs import BUGS
from simulators.world.card import CardFiles, card_files
from simulators.world.clocks import true_wall_ms
from simulators.world.faults import SPANS_S, draw_faults
from simulators.world.headquarters import Headquarters
from simulators.world.judging import Judgement, Left, judge, rows_count
from simulators.world.scheduler import NeverAtRestError, Scheduler
from simulators.world.seams import Seams
from simulators.world.seen import Seen
from simulators.world.store import Store

REST_S: Final = 1_800
LOOK_S_MAX: Final = 7_200
"""How long a stopped box waits for a person, on average at most."""

STATUSES_COUNT: Final = 6
_FOREIGN: Final = 0.3
"""Of the blocks that nobody's box made, those that are not signed by the box's key either."""

_DOOM: Final = 0.4
"""Of the ends of a box, those that come with a message it hears."""

_KINDS: Final = (GATE_PASSED, TASK_FINISHED, BOX_ALIVE)


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one seed.

    Attributes:
        seed: the same gives the same.
        trace: hash of everything that happened.
        simulated_s: virtual seconds of the site.
        events: acts of the scheduler.
        judgement: what is wrong, if anything.
        faults: how often each kind of fault happened.
    """

    seed: int
    trace: str
    simulated_s: float
    events: int
    judgement: Judgement
    faults: Counter[str] = field(default_factory=Counter)


class Stage:
    """Where worlds are played: a folder, templates, a store, and the cards below SQLite."""

    def __init__(self, folder: Path, files: CardFiles, templates: Path) -> None:
        self.folder = folder
        self.files = files
        self.store = Store(folder / "headquarters.db")
        self._templates = templates

    def lay_down(self, boxes_count: int, span_s: int) -> None:
        """Begin a world with the store of so many boxes."""
        path = template.path_in(self._templates, boxes_count, span_s)
        if not path.exists():
            template.make_template(path, boxes_count, span_s)
        self.store.lay_down(path)


@contextmanager
def stage(templates: Path | None = None) -> Iterator[Stage]:
    """Set up a stage in memory, and clear it away; its templates may be there already."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    where = memory if memory.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="duifu-world-", dir=where) as name,
        card_files() as files,
    ):
        yield Stage(Path(name), files, templates or Path(name))


def play(
    on: Stage, seed: int, plant: str | None = None, spans_s: Sequence[int] = SPANS_S
) -> Played:
    """Play one seed, with a planted bug or without; the spans are part of what decides it."""
    folder = on.folder / f"seed-{seed}"
    folder.mkdir()
    try:
        return _World(on, folder, seed, plant, spans_s).play()
    finally:
        on.store.clear()
        shutil.rmtree(folder)


class _World:
    def __init__(
        self, on: Stage, folder: Path, seed: int, plant: str | None, spans_s: Sequence[int]
    ) -> None:
        self._seed = seed
        self._scheduler = scheduler = Scheduler(seed)
        self._dice = scheduler.dice
        self._faults = draw_faults(self._dice, spans_s)
        self._boxes_count = self._dice.choice((1, 1, 2))
        self._store = on.store
        on.lay_down(self._boxes_count, int(self._faults.span_s))
        seams = BUGS[plant](scheduler) if plant else Seams(scheduler)
        self._seen = Seen()
        self._broker = Broker(scheduler, self._faults)
        around = Around(scheduler, self._faults, self._broker, seams, self._seen, on.files)
        self._headquarters = Headquarters(around, self._store, template.PLACE.company)
        self._boxes = []
        for name in template.BOXES[: self._boxes_count]:
            (folder / name.box).mkdir()
            card = seams.make_card(folder / name.box)
            hq = self._headquarters
            box = Box(around, name, card, hq.arrive, hq.holds)
            self._boxes.append(box)
            hq.serve(name, box.hear)
        self._is_over = False
        self._numbers = 0
        self._orders = template.ORDERS_COUNT

    def play(self) -> Played:
        """Work, come to rest, and be judged."""
        try:
            self._begin()
            self._scheduler.run(int(self._faults.span_s * NS_PER_S))
            self._come_to_rest()
            until_ns = self._scheduler.now_ns + REST_S * NS_PER_S
            self._scheduler.run(until_ns, self._is_at_rest)
            self._scheduler.run(self._scheduler.now_ns + 5 * NS_PER_S)
        except (NeverAtRestError, StoreError, AssertionError) as error:
            self._seen.blame(f"{type(error).__name__}: {error}")
        return self._judged()

    def _begin(self) -> None:
        self._headquarters.start()
        for box in self._boxes:
            self._scheduler.after_s(self._dice.random() * 10, box.start)
            self._again(self._faults.acts_s_mean, partial(self._act, box))
            self._again(self._faults.span_s / STATUSES_COUNT, box.report)
            self._again(self._faults.box_crash_s_mean, partial(self._crash, box))
            self._again(self._faults.full_s_mean, partial(self._fill, box))
            self._again(self._faults.step_s_mean, partial(self._step, box))
            self._again(self._faults.forgery_s_mean, partial(self._forge, box))
            self._again(self._faults.partition_s_mean, partial(self._part, box.name.box))
        self._again(self._faults.partition_s_mean, lambda: self._part(HEADQUARTERS))
        self._again(self._faults.headquarters_crash_s_mean, self._crash_headquarters)
        self._again(self._faults.broker_wipe_s_mean, self._wipe)
        self._again(self._faults.span_s / 8, self._direct)
        look_s = min(self._faults.span_s / 6, LOOK_S_MAX)
        self._again(look_s, self._headquarters.look_at_incidents)

    def _again(self, mean_s: float, act: Callable[[], None]) -> None:
        """Do something at random times until the world comes to rest."""

        def ring() -> None:
            if not self._is_over:
                act()
                self._scheduler.after_s(self._dice.expovariate(1 / mean_s), ring)

        self._scheduler.after_s(self._dice.expovariate(1 / mean_s), ring)

    def _drafts(self) -> list[Draft]:
        count = self._dice.randint(1, self._faults.burst_records_max)
        return [self._draft(self._dice.choice(_KINDS)) for _ in range(count)]

    def _draft(self, kind: str) -> Draft:
        self._numbers += 1
        number = f"d-{self._numbers}"
        if kind == GATE_PASSED:
            return Draft("gate-1", kind, self._dice.choice(template.WORKERS), detail=number)
        if kind == TASK_FINISHED:
            order = f"o-{self._dice.randrange(self._orders)}"
            return Draft("kiosk-1", kind, "r-1", order, number)
        return Draft("", kind, detail=number)

    def _act(self, box: Box) -> None:
        box.act(self._drafts())

    def _crash(self, box: Box) -> None:
        is_power_cut = self._dice.random() < self._faults.power_cut
        operations = None
        if self._dice.random() < _DOOM:
            box.doom(self._dice.randrange(3 * CRASH_OPERATIONS_MAX))
            return
        if self._dice.random() < self._faults.mid_write:
            operations = self._dice.randrange(CRASH_OPERATIONS_MAX)
        box.crash(self._drafts(), is_power_cut=is_power_cut, operations=operations)

    def _fill(self, box: Box) -> None:
        self._seen.faults["card full"] += 1
        card = box.card
        card.is_full = True
        self._scheduler.after_s(
            self._dice.random() * self._faults.away_s_max, lambda: setattr(card, "is_full", False)
        )

    def _step(self, box: Box) -> None:
        self._seen.faults["clock moved"] += 1
        now_ns = self._scheduler.now_ns
        if self._dice.random() < 0.5:
            box.crystal.step(now_ns, self._dice)
        else:
            box.crystal.lose_source(now_ns)
        self._scheduler.after_s(self._dice.random() * self._faults.span_s / 4, box.crystal.steer)

    def _part(self, name: str) -> None:
        self._seen.faults["connection lost"] += 1
        self._broker.disconnect(name)

    def _wipe(self) -> None:
        self._seen.faults["broker wiped"] += 1
        self._scheduler.note("wiped")
        self._broker.wipe()

    def _crash_headquarters(self) -> None:
        is_in_commit = self._dice.random() < self._faults.mid_commit
        self._headquarters.crash(commits=self._dice.randrange(2) if is_in_commit else None)

    def _direct(self) -> None:
        """Let the office tell the boxes something."""
        act = self._dice.randrange(4)
        worker, subject = self._dice.choices(template.WORKERS, k=2)
        if act == 0:
            self._headquarters.office(self._book)
        elif act == 1:
            self._headquarters.office(partial(_end_card, f"26:{worker}"))
        else:
            self._headquarters.office(partial(_put_card, f"26:{worker}", subject))
        self._scheduler.note("directed", act)
        self._headquarters.direct()

    def _book(self, engine: Engine, now_ms: int) -> None:
        order = template.order(self._orders, int(self._faults.span_s), self._dice)
        self._orders += 1
        make_code = template.codes(self._dice).__next__
        create_orders(engine, template.PLACE, [order], make_code, now_ms)

    def _forge(self, box: Box) -> None:
        """Offer headquarters another history of a box: a copied card."""
        life = box.life
        if life is None or not self._headquarters.is_up:
            return
        held = self._headquarters.holds(box.name, life.journal.origin.epoch)
        if not held:
            return
        first = held + 1
        previous = self._dice.randbytes(32)
        if self._dice.random() < 0.5:
            block = decode_block(life.journal.blocks_after(0, 1, 0)[0].data)
            first, previous = 1, block.previous
        record = Record(
            first,
            1,
            true_wall_ms(self._scheduler.now_ns),
            50,
            ClockState.SYNCED,
            Evidence.DEVICE,
            "gate-1",
            GATE_PASSED,
            "w-1",
            "",
            "forged",
        )
        origin = Origin(*box.name, life.journal.origin.epoch, bytes(16))
        data = encode_block(origin, previous, to_columns([record]))
        self._scheduler.note("forged", box.name.box, first)
        key = key_of(box.name.box)
        if self._dice.random() < _FOREIGN:
            key = key_of("somebody else")
            self._seen.foreign.add(data)
            self._seen.faults["foreign key"] += 1
        else:
            self._seen.offered.add(data)
            self._seen.faults["copied card"] += 1
        self._headquarters.arrive(box.name, encode_message(signed_blocks(key, data)))

    def _come_to_rest(self) -> None:
        self._is_over = True
        self._scheduler.note("rest")
        self._broker.is_kind = True
        self._headquarters.spare()
        self._headquarters.start()
        self._headquarters.look_at_incidents()
        for box in self._boxes:
            box.card.is_full = False
            box.crystal.steer()
            box.hurry()
            box.act([self._draft(BOX_ALIVE)])
            box.reach()
        self._headquarters.reach()
        self._headquarters.direct()
        self._scheduler.after_s(REST_S / 4, self._headquarters.look_at_incidents)

    def _is_at_rest(self) -> bool:
        return all(self._is_drained(box) for box in self._boxes)

    def _is_drained(self, box: Box) -> bool:
        life = box.life
        if life is None or not self._headquarters.is_up:
            return False
        held = self._headquarters.holds(box.name, life.journal.origin.epoch)
        told = self._headquarters.told(box.name)
        end = life.journal.end.through
        return held == life.sync.acknowledged == end and life.learned.applied_through == told

    def _judged(self) -> Played:
        for box in self._boxes:
            box.close()
        left = Left(
            self._store.path,
            template.PLACE.site,
            {box.name.box: box.card.folder / JOURNAL_FILE for box in self._boxes},
            {box.name.box: box.card.folder / LEARNED_FILE for box in self._boxes},
        )
        judgement = judge(left, self._seen)
        if not judgement.faults:
            judgement.faults += self._told_again(left)
        self._headquarters.close()
        simulated_s = self._scheduler.now_ns / NS_PER_S
        return Played(
            self._seed,
            self._scheduler.trace(),
            simulated_s,
            self._scheduler.events,
            judgement,
            self._seen.faults,
        )

    def _told_again(self, left: Left) -> list[str]:
        """Everything that was ever said, said once more, changes nothing."""
        before = rows_count(self._store.path)
        said = [
            (box.name, signed_blocks(key_of(box.name.box), data))
            for box in self._boxes
            for data in read_journal(left.journals[box.name.box]).blocks
        ]
        now_ms = true_wall_ms(self._scheduler.now_ns)
        exchange(self._headquarters.engine, said, now_ms)
        after = rows_count(self._store.path)
        return [] if before == after else [f"repetition changed the store: {before} {after}"]


def _end_card(card: str, engine: Engine, now_ms: int) -> None:
    with suppress(UnknownError):
        end_credential(engine, template.PLACE, card, now_ms)


def _put_card(card: str, subject: str, engine: Engine, now_ms: int) -> None:
    wanted = {card: template.credential(subject)}
    put_credentials(engine, template.PLACE, wanted, now_ms)
