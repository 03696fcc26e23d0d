"""A box's process: the production journal, learned store and sync, over a card that may fail."""

import shutil
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import apsw

from agreed.limits import BURST_BYTES_MAX, LIVE_RECORDS_MAX, RESEND_MS_MIN
from agreed.machine import NS_PER_MS
from agreed.messages import (
    BlocksSent,
    Committed,
    Message,
    MessageError,
    Status,
    decode_message,
    encode_message,
)
from cloud.database.fleet import BoxName
from edge.clock import BoxClock
from edge.decisions import Draft
from edge.journal import FILE as JOURNAL_FILE
from edge.journal import Entry, Journal, Place, StoredBlock, open_journal
from edge.learned import FILE as LEARNED_FILE
from edge.learned import LearnedStore
from edge.parting import places_between
from edge.store import StoreDamagedError, StoreError
from edge.sync import BoxSync, CheckHead, MakeTrail, Phase, Settled, TimeHeard, Wanted
from edge.uplink import take_burst
from simulators.world.broker import Broker
from simulators.world.card import Card, CardFiles
from simulators.world.clocks import Crystal, true_wall_ms
from simulators.world.faults import Faults
from simulators.world.scheduler import Scheduler
from simulators.world.seams import BLOCKS_AHEAD_MAX, Seams
from simulators.world.seen import Seen

HEADQUARTERS: Final = "headquarters"
RECONNECT_S: Final = 2.0
RESTART_S: Final = 5.0
CRASH_OPERATIONS_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Around:
    """What every process of a world shares."""

    scheduler: Scheduler
    faults: Faults
    broker: Broker
    seams: Seams
    seen: Seen
    files: CardFiles


class _Life:
    """One run of the box's program; it ends with the process."""

    def __init__(
        self, journal: Journal, learned: LearnedStore, clock: BoxClock, sync: BoxSync
    ) -> None:
        self.journal = journal
        self.learned = learned
        self.clock = clock
        self.sync = sync
        self.handed_ns: dict[int, int] = {}
        self.alarm_ns: int | None = None


class Box:
    """A box that lives again and again on one card.

    Attributes:
        name: as headquarters knows it.
        card: what it writes to.
        crystal: its clocks.
    """

    def __init__(
        self,
        around: Around,
        name: BoxName,
        card: Card,
        arrive: Callable[[BoxName, bytes], None],
        holds: Callable[[BoxName, bytes], int],
    ) -> None:
        """Put a box on a site.

        Args:
            around: what the world shares.
            name: company, site and box.
            card: an empty card.
            arrive: brings bytes to headquarters.
            holds: says how far headquarters' database durably holds a journal of a box.
        """
        self.name = name
        self.card = card
        self.crystal = Crystal(around.scheduler.dice, around.faults.drift_ppm)
        self._around = around
        self._arrive = arrive
        self._holds = holds
        self._life: _Life | None = None
        self._lives = 0
        self._doom: int | None = None
        around.files.insert(card)

    @property
    def life(self) -> _Life | None:
        """The running program; None while there is none."""
        return self._life

    def start(self) -> None:
        """Start the program, or try again later."""
        around, dice = self._around, self._around.scheduler.dice
        folder = self.card.folder
        try:
            journal = open_journal(
                folder / JOURNAL_FILE,
                (self.name.company, self.name.site, self.name.box),
                entropy=dice.randbytes(48),
                boot=dice.randbytes(16),
            )
        except StoreError as error:
            self._not_started(error)
            return
        try:
            learned = LearnedStore(folder / LEARNED_FILE)
        except StoreError as error:
            with suppress(apsw.Error):
                journal.close()
            self._not_started(error)
            return
        clock = around.seams.make_clock(journal.clock_memory, self.crystal)
        sync = around.seams.make_sync(journal, learned)
        self._life = _Life(journal, learned, clock, sync)
        sync.journaled(journal.end.through)
        around.scheduler.note("started", self.name.box, journal.end.through)
        self._happened("box_started")
        self.reach()

    def act(self, drafts: Sequence[Draft]) -> None:
        """Let something happen at the box's devices."""
        life, seen = self._life, self._around.seen
        if life is None:
            return
        stamp = life.clock.stamp(self.crystal.moment(self._now_ns))
        names = [draft.detail for draft in drafts]
        for name in names:
            seen.true_ms[name] = true_wall_ms(self._now_ns)
        entries = [Entry(draft, stamp) for draft in drafts]
        try:
            self._around.seams.append(life.journal, entries, str(life.clock.memory))
        except StoreError:
            if self.card.is_dead:
                seen.unsure[self.name.box] += names
                self.end(is_power_cut=True)
            return
        seen.accepted[self.name.box] += names
        self._around.scheduler.note("accepted", self.name.box, *names)
        life.sync.journaled(life.journal.end.through)
        self._pump()

    def crash(self, drafts: Sequence[Draft], *, is_power_cut: bool, operations: int | None) -> None:
        """End the program, perhaps in the middle of writing something down."""
        if self._life is None:
            return
        if operations is not None:
            self.card.operations_left = operations
            self.act(drafts)
        if self._life is not None:
            self.end(is_power_cut=is_power_cut)

    def doom(self, operations: int) -> None:
        """End the program with the next message that it hears, after so many writes at most."""
        self._doom = operations

    def end(self, *, is_power_cut: bool) -> None:
        """End the program at once; the next one finds what the card kept."""
        around = self._around
        life, self._life = self._life, None
        assert life is not None
        self._lives += 1
        self._doom = None
        around.seen.faults["power cut" if is_power_cut else "box killed"] += 1
        around.scheduler.note("ended", self.name.box, is_power_cut)
        around.broker.disconnect(self.name.box)
        around.seams.box_ended()
        self._leave_card(life, is_power_cut=is_power_cut)
        if is_power_cut:
            self.crystal.power_cut(self._now_ns, around.scheduler.dice)
        away_s = 1 + around.scheduler.dice.random() * around.faults.away_s_max
        around.scheduler.after_s(RESTART_S if around.broker.is_kind else away_s, self._start_again)

    def hurry(self) -> None:
        """Start now, if there is no program; the world comes to rest."""
        if self._life is None:
            self._start_again()

    def close(self) -> None:
        """Stop for good, and leave the card as a plain folder of files."""
        life, self._life = self._life, None
        if life is not None:
            life.journal.close()
            life.learned.close()

    def reach(self) -> None:
        """Connect to the broker, or try again later."""
        broker = self._around.broker
        if self._life is not None and not broker.is_connected(self.name.box):
            broker.connect(self.name.box, self)

    def linked(self) -> None:
        """The broker was reached."""
        life = self._life
        if life is not None:
            life.sync.connected(self._mono_ns)
            self._pump()

    def unlinked(self) -> None:
        """The broker was lost."""
        life = self._life
        if life is not None:
            life.sync.disconnected()
            self._around.scheduler.after_s(self._wait_s(), self.reach)

    def report(self) -> None:
        """Tell headquarters how the box is."""
        life = self._life
        if life is not None:
            stamp = life.clock.stamp(self.crystal.moment(self._now_ns))
            waiting = life.journal.end.through - life.sync.acknowledged
            life.sync.report(
                Status(
                    at_ms=stamp.wall_ms,
                    bound_ms=stamp.bound_ms,
                    clock_state=int(stamp.clock_state),
                    head_sequence=life.journal.end.through,
                    waiting_records=max(0, waiting),
                    oldest_waiting_ms=0,
                )
            )
            self._pump()

    def hear(self, data: bytes) -> None:
        """Take in bytes that came from the broker."""
        try:
            message = decode_message(data)
        except MessageError:
            return
        if self._life is None:
            return
        doom, self._doom = self._doom, None
        self.card.operations_left = doom
        self.take(message)
        if doom is not None and self._life is not None:
            self.end(is_power_cut=False)

    def take(self, message: Message) -> None:
        """Take in a message of headquarters."""
        life = self._life
        if life is None:
            return
        wanted_again = self._wanted_again(life, message)
        message = self._around.seams.heard(message)
        try:
            for wanted in life.sync.received(message, self._mono_ns):
                self._answer(life, wanted)
        except StoreError:
            self._store_failed()
            return
        self._pump()
        if wanted_again is not None and self._life is life and life.sync.phase is Phase.SENDING:
            self._check_sent_again(life, wanted_again)

    def _answer(self, life: _Life, wanted: Wanted) -> None:
        if isinstance(wanted, CheckHead):
            head = life.journal.hash_at(wanted.through)
            for fact in life.sync.head_found(wanted, head, self._mono_ns):
                if isinstance(fact, Settled):
                    self._settled(life, Place(fact.through, fact.head))
                elif isinstance(fact, MakeTrail):
                    self._answer(life, fact)
            return
        if isinstance(wanted, MakeTrail):
            places = places_between(life.journal, wanted.after, wanted.before)
            life.sync.trail_made(places, self._mono_ns)
            return
        if isinstance(wanted, TimeHeard):
            life.clock.told(wanted.asked_ns, wanted.told_ns, wanted.error_ns, wanted.heard_ns)
            return
        before = life.learned.applied_through if life.learned.stream == wanted.stream else 0
        path = self.card.folder / LEARNED_FILE
        through = self._around.seams.learn(life.learned, path, wanted)
        if through is None:
            life.sync.directives_missing(self._mono_ns)
            return
        numbers = range(before + 1, through + 1)
        self._around.seen.acted[self.name.box, wanted.stream] += numbers
        self._around.scheduler.note("applied", self.name.box, before, through)
        life.sync.applied(wanted.stream, through)

    def _settled(self, life: _Life, place: Place) -> None:
        held = self._holds(self.name, life.journal.origin.epoch)
        if place.through > held:
            self._around.seen.blame(
                f"{self.name.box} takes {place.through} for committed, headquarters holds {held}"
            )
        self._around.seams.settle(life.journal, place)

    def _pump(self) -> None:
        """Say what is to be said, and set the alarm: what `edge.uplink` does in its loop."""
        life, around = self._life, self._around
        if life is None or not around.broker.is_connected(self.name.box):
            return
        life.sync.time_passed(self._mono_ns)
        try:
            self._load(life)
        except StoreError:
            self._store_failed()
            return
        for message in life.sync.messages_to_send():
            self._publish(message)
        self._set_alarm(life)

    def _load(self, life: _Life) -> None:
        self._show(life)
        ahead: deque[StoredBlock] = deque()
        while (after := life.sync.next_after()) is not None:
            if not ahead or ahead[0].first_sequence != after + 1:
                ahead = deque(self._around.seams.blocks_after(life.journal, after))
                if not ahead or ahead[0].first_sequence != after + 1:
                    raise StoreDamagedError(f"no block begins after record {after}", after + 1)
            burst = take_burst(ahead, life.sync.wanted_through())
            for block in burst:
                life.handed_ns[block.first_sequence] = self._now_ns
            blocks = [block.data for block in burst]
            life.sync.blocks_loaded(blocks, burst[-1].last_sequence, self._mono_ns)

    def _show(self, life: _Life) -> None:
        after = life.sync.show_after()
        if after is not None:
            found = deque(life.journal.blocks_after(after, BLOCKS_AHEAD_MAX, BURST_BYTES_MAX))
            burst = take_burst(found, after + LIVE_RECORDS_MAX) if found else []
            last = burst[-1].last_sequence if burst else after
            life.sync.show_loaded([block.data for block in burst], last)

    def _publish(self, message: Message) -> None:
        name = self.name
        broker = self._around.broker
        is_taken = broker.publish(
            name.box, HEADQUARTERS, encode_message(message), lambda data: self._arrive(name, data)
        )
        if is_taken and isinstance(message, BlocksSent) and not message.is_ahead:
            self._around.seams.taken_by_broker(message, self.take)

    def _set_alarm(self, life: _Life) -> None:
        deadline_ns = life.sync.deadline_ns()
        if deadline_ns is None:
            return
        at_ns = self.crystal.virtual_ns(deadline_ns)
        is_set = life.alarm_ns is not None and self._now_ns < life.alarm_ns <= at_ns
        if is_set:
            return
        life.alarm_ns = at_ns

        def ring() -> None:
            if self._life is life and life.alarm_ns == at_ns:
                life.alarm_ns = None
                self._pump()

        self._around.scheduler.after(at_ns - self._now_ns, ring)

    def _wanted_again(self, life: _Life, message: Message) -> int | None:
        """Say which block headquarters asks for again, if the box must answer by sending it."""
        if not isinstance(message, Committed) or not message.is_resend:
            return None
        through = message.through
        is_ours = message.epoch == life.journal.origin.epoch.hex()
        is_due = is_ours and life.sync.phase is Phase.SENDING
        if not is_due or not life.sync.acknowledged <= through < life.journal.end.through:
            return None
        handed_ns = life.handed_ns.get(through + 1)
        is_on_its_way = (
            handed_ns is not None and self._now_ns - handed_ns <= RESEND_MS_MIN * NS_PER_MS * 1.01
        )
        return None if is_on_its_way else through + 1

    def _check_sent_again(self, life: _Life, first: int) -> None:
        if life.handed_ns.get(first) != self._now_ns:
            self._around.seen.blame(f"{self.name.box} was asked for {first} again and kept silent")

    def _store_failed(self) -> None:
        if self.card.is_dead:
            self.end(is_power_cut=True)
        else:
            self._around.broker.disconnect(self.name.box)

    def _not_started(self, error: StoreError) -> None:
        around = self._around
        if self.card.is_dead:
            self._leave_card(None, is_power_cut=True)
        elif isinstance(error, StoreDamagedError):
            around.seen.blame(f"{self.name.box}: {error}")
        around.scheduler.after_s(RESTART_S, self._start_again)

    def _leave_card(self, life: _Life | None, *, is_power_cut: bool) -> None:
        around, old = self._around, self.card
        old.is_dead = True
        old.operations_left = None
        folder = old.folder.with_name(f"{self.name.box}-{self._lives}-{around.scheduler.events}")
        if is_power_cut:
            self.card = old.after_power_cut(folder, around.scheduler.dice)
        else:
            self.card = old.after_kill(folder)
        if life is not None:
            for store in (life.journal, life.learned):
                with suppress(apsw.Error):
                    store.close()
        shutil.rmtree(old.folder)
        around.files.insert(self.card)

    def _start_again(self) -> None:
        if self._life is None:
            self.start()

    def _happened(self, kind: str) -> None:
        number = len(self._around.seen.true_ms)
        self.act([Draft("", kind, detail=f"n-{number}")])

    def _wait_s(self) -> float:
        around = self._around
        if around.broker.is_kind:
            return RECONNECT_S
        return RECONNECT_S + around.scheduler.dice.random() * around.faults.away_s_max

    @property
    def _now_ns(self) -> int:
        return self._around.scheduler.now_ns

    @property
    def _mono_ns(self) -> int:
        return self.crystal.mono_ns(self._now_ns)
