"""Where the world's processes meet production code; a planted bug stands in at one of these."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Engine

from agreed.messages import Message
from cloud.exchange import Outcome, Said, exchange
from cloud.ingest.checking import Arrival
from cloud.ingest.early import EarlyBlocks
from cloud.ingest.preview import take_previews
from cloud.outbox import Outbox
from edge.clock import BoxClock, parse_memory
from edge.journal import Entry, Journal, Place, StoredBlock
from edge.learned import LearnedStore
from edge.sync import BoxSync, Learn, Voice
from simulators.signing import key_of
from simulators.world.card import Card
from simulators.world.clocks import Crystal
from simulators.world.scheduler import Scheduler

BLOCKS_AHEAD_MAX = 64
BYTES_AHEAD_MAX = 1024 * 1024


class Seams:
    """Production code, called as the shells call it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.early = EarlyBlocks()

    def make_card(self, folder: Path) -> Card:
        """Make the card of a new box."""
        return Card(folder)

    def make_clock(self, memory: str, crystal: Crystal) -> BoxClock:
        """Make the clock of a box process."""
        return BoxClock(
            parse_memory(memory), kernel=crystal.discipline, machine_boot=crystal.machine_boot
        )

    def make_sync(self, journal: Journal, learned: LearnedStore) -> BoxSync:
        """Make the box's half of the sync."""
        return BoxSync(
            voice_of(journal),
            journal.origin.epoch,
            learned.stream,
            learned.applied_through,
            self.scheduler.dice.random,
        )

    def append(self, journal: Journal, entries: list[Entry], memory: str) -> None:
        """Make records durable; the box says that they are accepted when this returns."""
        journal.append(entries, {}, memory)

    def blocks_after(self, journal: Journal, sequence: int) -> list[StoredBlock]:
        """Read blocks to send."""
        return journal.blocks_after(sequence, BLOCKS_AHEAD_MAX, BYTES_AHEAD_MAX)

    def settle(self, journal: Journal, place: Place) -> None:
        """Remember what headquarters holds for good."""
        journal.commit_through(place)

    def learn(self, store: LearnedStore, path: Path, lesson: Learn) -> int | None:
        """Make directives durable; the number of the last one applied, None if some are missing."""
        del path
        done = store.apply(lesson.stream, lesson.first, list(lesson.directives))
        return None if done is None else store.applied_through

    def heard(self, message: Message) -> Message:
        """Hand a message of headquarters to the sync."""
        return message

    def taken_by_broker(self, message: Message, hear: Callable[[Message], None]) -> None:
        """Learn that the broker took a message: it means nothing."""

    def box_ended(self) -> None:
        """Learn that a box process ended."""

    def make_outbox(self) -> Outbox:
        """Make headquarters' half of the directives."""
        return Outbox(self.scheduler.dice.random)

    def exchange(self, engine: Engine, batch: Sequence[Said], now_ms: int) -> Outcome:
        """Take in messages; when it returns, everything is committed."""
        return exchange(engine, batch, now_ms, self.early)

    def show(self, engine: Engine, arrivals: Sequence[Arrival], now_ms: int) -> None:
        """Show what happens now before what is missing is committed."""
        take_previews(engine, arrivals, now_ms)

    def headquarters_ended(self) -> None:
        """Learn that headquarters' process ended."""


def voice_of(journal: Journal) -> Voice:
    """Give the voice of the box that a journal belongs to."""
    names = (journal.origin.company, journal.origin.site, journal.origin.box)
    key = key_of(journal.origin.box)
    return Voice(names, key.public, key.sign)
