"""Headquarters' process: the production exchange and outbox, over a store that outlives it."""

from collections.abc import Callable
from functools import partial
from typing import Final

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agreed.messages import BlocksSent, Message, MessageError, decode_message, encode_message
from cloud.database.fleet import BoxName
from cloud.exchange import Outcome, Said, cursors, load
from cloud.ingest.checking import Arrival
from cloud.ingest.early import EarlyBlocks
from cloud.office.boxes import resolve_incidents
from simulators.world.box import HEADQUARTERS, Around
from simulators.world.clocks import true_wall_ms
from simulators.world.store import Store

BATCH_MESSAGES_MAX: Final = 64
RECONNECT_S: Final = 1.0
_HELD: Final = "SELECT coalesce(max(last), 0) FROM blocks WHERE box = ? AND epoch = ?"

_TOLD: Final = "SELECT directives_through FROM boxes WHERE box = ?"


class KilledError(Exception):
    """The process ends in the middle of a transaction."""


class Headquarters:
    """Headquarters, that lives again and again on one store.

    Attributes:
        is_up: whether its process runs.
        engine: the store, as the process and the office use it.
    """

    def __init__(self, around: Around, store: Store, company: str) -> None:
        self.is_up = False
        self._around = around
        self._store = store
        self._company = company
        self._deliver: dict[BoxName, Callable[[bytes], None]] = {}
        self._waiting: list[Said] = []
        self._is_busy = False
        self._lives = 0
        self._commits_left: int | None = None
        self._alarm_ns: int | None = None
        store.before_commit = self._count_commit
        self.engine = store.engine
        self._outbox = around.seams.make_outbox()
        self._plain = sqlite.connect(str(store.path))

    def serve(self, name: BoxName, deliver: Callable[[bytes], None]) -> None:
        """Know how to reach a box."""
        self._deliver[name] = deliver

    def holds(self, name: BoxName, epoch: bytes) -> int:
        """Read with plain SQL how far a journal is durably held."""
        row = self._plain.execute(_HELD, (name.box, epoch)).fetchone()
        return int(row[0])

    def told(self, name: BoxName) -> int:
        """Read how many directives a box was given."""
        return int(self._plain.execute(_TOLD, (name.box,)).fetchone()[0])

    def start(self) -> None:
        """Start the process."""
        if not self.is_up:
            self.is_up = True
            self._around.scheduler.note("started", HEADQUARTERS)
            self.reach()

    def crash(self, *, commits: int | None) -> None:
        """End the process now, or in the middle of one of its next commits."""
        if not self.is_up:
            return
        if commits is not None:
            self._commits_left = commits
        else:
            self._end("headquarters killed")

    def spare(self) -> None:
        """Forget about a crash that was still to come."""
        self._commits_left = None

    def close(self) -> None:
        """Stop for good."""
        self.is_up = False
        self._store.end_process()
        self._plain.close()

    def reach(self) -> None:
        """Connect to the broker."""
        if self.is_up and not self._around.broker.is_connected(HEADQUARTERS):
            self._around.broker.connect(HEADQUARTERS, self)

    def linked(self) -> None:
        """The broker was reached."""
        self.direct()

    def unlinked(self) -> None:
        """The broker was lost."""
        if self.is_up:
            self._around.scheduler.after_s(RECONNECT_S, self.reach)

    def arrive(self, name: BoxName, data: bytes) -> None:
        """Take in bytes that came from the broker, or from somebody who pretends to be the box."""
        if not self.is_up:
            return
        try:
            message = decode_message(data)
        except MessageError:
            return
        if isinstance(message, BlocksSent) and message.is_ahead:
            self.office(partial(self._show, Arrival(name, message.blocks, message.signature)))
            return
        self._waiting.append((name, message))
        if not self._is_busy:
            self._work()

    def office(self, act: Callable[[Engine, int], object]) -> None:
        """Let a person do something in the office, if the process runs."""
        if not self.is_up:
            return
        try:
            act(self.engine, self._now_ms)
        except KilledError:
            self._end("headquarters killed in a transaction")

    def _show(self, arrival: Arrival, engine: Engine, now_ms: int) -> None:
        self._around.seams.show(engine, [arrival], now_ms)

    def look_at_incidents(self) -> None:
        """Let a person look at every box."""
        for name in self._deliver:
            self.office(partial(_resolve, name))

    def direct(self) -> None:
        """Send directives: what `cloud.link` does in its loop."""
        if not self.is_up or not self._around.broker.is_connected(HEADQUARTERS):
            return
        now_ns = self._around.scheduler.now_ns
        self._outbox.know(cursors(self.engine, self._company), now_ns)
        self._outbox.time_passed(now_ns)
        while wanted := self._outbox.wanted():
            loaded = load(self.engine, wanted)
            for one, message in loaded:
                size_bytes = self._publish((one.box, message))
                self._outbox.sent(one, one.after + len(message.directives), size_bytes, now_ns)
            if not loaded:
                break
        self._set_alarm()

    def _work(self) -> None:
        self._is_busy = True
        life = self._lives
        delay_s = self._around.scheduler.dice.random() * self._around.faults.commit_s_max

        def commit() -> None:
            if life == self._lives:
                self._is_busy = False
                self._commit()

        self._around.scheduler.after_s(delay_s, commit)

    def _commit(self) -> None:
        batch = self._waiting[:BATCH_MESSAGES_MAX]
        del self._waiting[:BATCH_MESSAGES_MAX]
        if not batch:
            return
        try:
            outcome = self._around.seams.exchange(self.engine, batch, self._now_ms)
        except KilledError:
            self._end("headquarters killed in a transaction")
            return
        except SQLAlchemyError as error:
            self._around.seen.blame(f"headquarters ended by itself: {type(error).__name__}")
            self._end("headquarters ended by itself")
            return
        offered = self._around.seen.offered
        blocks = [data for _, m in batch for data in getattr(m, "blocks", [])]
        self._around.seen.forged += sum(data in offered for data in blocks)
        self._around.seen.unsigned += sum(data in self._around.seen.foreign for data in blocks)
        if self._commits_left is not None and self._around.scheduler.dice.random() < 0.5:
            self._end("headquarters killed before it answered")
            return
        self._answer(outcome)
        if self._waiting:
            self._work()

    def _answer(self, outcome: Outcome) -> None:
        for answer in outcome.answers:
            self._publish(answer)
        now_ns = self._around.scheduler.now_ns
        for name, stream, applied in outcome.welcomed:
            self._outbox.welcomed(name, stream, applied, now_ns)
        for name, stream, through in outcome.applied:
            self._outbox.applied(name, stream, through, now_ns)
        if outcome.is_directed or outcome.welcomed or outcome.applied:
            self.direct()

    def _publish(self, said: Said) -> int:
        name, message = said
        data = encode_message(message)
        self._around.scheduler.note("says", name.box, _told(message))
        self._around.broker.publish(HEADQUARTERS, name.box, data, self._deliver[name])
        return len(data)

    def _set_alarm(self) -> None:
        deadline_ns = self._outbox.deadline_ns()
        if deadline_ns is None or deadline_ns == self._alarm_ns:
            return
        self._alarm_ns = deadline_ns

        def ring() -> None:
            if self._alarm_ns == deadline_ns:
                self._alarm_ns = None
                self.direct()

        self._around.scheduler.after(deadline_ns - self._around.scheduler.now_ns, ring)

    def _end(self, how: str) -> None:
        around = self._around
        around.seen.faults[how] += 1
        around.scheduler.note(how)
        self.is_up = False
        self._lives += 1
        self._waiting.clear()
        self._is_busy = False
        self._commits_left = None
        self._alarm_ns = None
        around.broker.disconnect(HEADQUARTERS)
        around.seams.early = EarlyBlocks()
        around.seams.headquarters_ended()
        self._store.end_process()
        self._outbox = around.seams.make_outbox()
        away_s = 1 + around.scheduler.dice.random() * around.faults.away_s_max
        around.scheduler.after_s(1 if around.broker.is_kind else away_s, self.start)

    def _count_commit(self) -> None:
        if self._commits_left is not None:
            self._commits_left -= 1
            if self._commits_left < 0:
                raise KilledError

    @property
    def _now_ms(self) -> int:
        return true_wall_ms(self._around.scheduler.now_ns)


def _resolve(name: BoxName, engine: Engine, now_ms: int) -> None:
    resolve_incidents(engine, name, now_ms)


def _told(message: Message) -> str:
    through = getattr(message, "through", "")
    return f"{type(message).__name__} {through}"
