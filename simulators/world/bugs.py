"""Planted bugs: each stands in at one seam, and the judge must catch it."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw
from sqlalchemy import Engine, text

from agreed.messages import BlocksSent, Committed, Message
from agreed.timex import Discipline
from agreed.wire import Block, WireError, decode_block
from cloud.database.engine import writing
from cloud.database.fleet import BoxName, find_journal
from cloud.exchange import Outcome, Said
from cloud.outbox import Outbox
from edge.clock import BoxClock, parse_memory
from edge.journal import Entry, Journal, StoredBlock
from edge.learned import LearnedStore
from edge.store import named_faults
from edge.sync import BoxSync, Learn
from simulators.signing import key_of, signed_blocks
from simulators.world.card import Card
from simulators.world.clocks import ERROR_US_MAX, Crystal
from simulators.world.scheduler import Scheduler
from simulators.world.seams import Seams, voice_of

_LATER_S: Final = 0.5
_PLACE: Final = """
    UPDATE journals SET committed_through = :through, committed_head = :head
    WHERE box = :box AND epoch = :epoch
"""
_PAID_TWICE: Final = """
    INSERT INTO transfers
    SELECT company, site, transfer + 1, key || '/again', kind, debit, debit_kind, credit,
           credit_kind, amount_fen, at_ms, recorded_at_ms, order_id, reason, period
    FROM transfers WHERE transfer = (SELECT max(transfer) FROM transfers) AND kind = 'commission'
"""
_VERDICT_CHANGED: Final = """
    INSERT INTO verdicts
    SELECT company, site, order_id, node, revision + 1, 3 - verdict % 2, actual_at_ms, bound_ms,
           deviation_ms, score_bp, covered_until_ms, box, epoch, sequence, block_hash, decided_at_ms
    FROM verdicts v WHERE verdict IN (1, 2) AND revision = 1 AND NOT EXISTS (
        SELECT 1 FROM verdicts w WHERE w.order_id = v.order_id AND w.node = v.node AND revision > 1)
    LIMIT 1
"""


def committed_by(data: bytes) -> Committed:
    """Say *committed* for a block without having committed anything."""
    block = decode_block(data)
    return Committed(
        epoch=block.origin.epoch.hex(),
        through=block.columns.last_sequence,
        head=block.hash.hex(),
    )


class _AcknowledgeBeforeCommit(Seams):
    """Headquarters answers a batch, and commits it only with the next one."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._late: list[Said] = []

    def exchange(self, engine: Engine, batch: Sequence[Said], now_ms: int) -> Outcome:
        late, self._late = self._late, list(batch)
        outcome = super().exchange(engine, late, now_ms)
        for box, message in batch:
            if isinstance(message, BlocksSent) and _decoded(message.blocks[-1]) is not None:
                outcome.answers.append((box, committed_by(message.blocks[-1])))
        return outcome

    def headquarters_ended(self) -> None:
        self._late = []


class _AcknowledgeOnPuback(Seams):
    """The box takes the broker's acknowledgement for headquarters'."""

    def taken_by_broker(self, message: Message, hear: Callable[[Message], None]) -> None:
        if isinstance(message, BlocksSent):
            answer = committed_by(message.blocks[-1])
            self.scheduler.after_s(0.01, lambda: hear(answer))


class _PatientSync(BoxSync):
    def time_passed(self, now_ns: int) -> None:
        del now_ns

    def deadline_ns(self) -> int | None:
        return None


class _NoResendTimer(Seams):
    """The box never repeats what was not answered."""

    def make_sync(self, journal: Journal, learned: LearnedStore) -> BoxSync:
        dice = self.scheduler.dice
        epoch = journal.origin.epoch
        voice = voice_of(journal)
        return _PatientSync(voice, epoch, learned.stream, learned.applied_through, dice.random)


class _PruneEarly(Seams):
    """The box deletes blocks once it has sent them."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._pruned: dict[bytes, int] = {}

    def blocks_after(self, journal: Journal, sequence: int) -> list[StoredBlock]:
        epoch = journal.origin.epoch
        pruned = self._pruned.get(epoch, 0)
        blocks = super().blocks_after(journal, max(sequence, pruned))
        if blocks:
            self._pruned[epoch] = blocks[-1].last_sequence
        return blocks


class _EditedJournals(Seams):
    """Headquarters' place in a chain is set to whatever lets a block in."""

    def exchange(self, engine: Engine, batch: Sequence[Said], now_ms: int) -> Outcome:
        outcome = Outcome()
        for box, message in batch:
            block = _decoded(message.blocks[0]) if isinstance(message, BlocksSent) else None
            if block is not None:
                self._let_in(engine, box, block)
            part = super().exchange(engine, [(box, message)], now_ms)
            outcome.answers += part.answers
            outcome.welcomed += part.welcomed
            outcome.applied += part.applied
            outcome.is_directed |= part.is_directed
        return outcome

    def _let_in(self, engine: Engine, box: BoxName, block: Block) -> None:
        with writing(engine) as connection:
            held = find_journal(connection, box, block.origin.epoch)
            through, head = (held.through, held.head) if held else (0, b"")
            if held is not None and self._wants(through, head, block):
                values = {
                    "through": block.columns.first_sequence - 1,
                    "head": block.previous,
                    "box": box.box,
                    "epoch": block.origin.epoch,
                }
                connection.execute(text(_PLACE), values)

    def _wants(self, through: int, head: bytes, block: Block) -> bool:
        raise NotImplementedError


class _AcceptAhead(_EditedJournals):
    """Headquarters takes a block although something before it is missing."""

    def _wants(self, through: int, head: bytes, block: Block) -> bool:
        del head
        return block.columns.first_sequence > through + 1


class _ForgetDuplicateCheck(_EditedJournals):
    """Headquarters stores what it already has."""

    def _wants(self, through: int, head: bytes, block: Block) -> bool:
        del head
        return block.columns.last_sequence <= through


class _ChainUnchecked(_EditedJournals):
    """Headquarters takes the next block whatever it says about the one before."""

    def _wants(self, through: int, head: bytes, block: Block) -> bool:
        return block.columns.first_sequence == through + 1 and block.previous != head


class _SignatureUnchecked(Seams):
    """Headquarters takes every block as if its box had signed it."""

    def exchange(self, engine: Engine, batch: Sequence[Said], now_ms: int) -> Outcome:
        signed = [
            (box, signed_blocks(key_of(box.box), *m.blocks) if isinstance(m, BlocksSent) else m)
            for box, m in batch
        ]
        return super().exchange(engine, signed, now_ms)


class _ForksUnseen(Seams):
    """Headquarters looks only at the numbers of a block that it already has, not at its hash."""

    def exchange(self, engine: Engine, batch: Sequence[Said], now_ms: int) -> Outcome:
        kept = [said for said in batch if not self._is_behind(engine, said)]
        return super().exchange(engine, kept, now_ms)

    def _is_behind(self, engine: Engine, said: Said) -> bool:
        box, message = said
        block = _decoded(message.blocks[0]) if isinstance(message, BlocksSent) else None
        if block is None:
            return False
        with writing(engine) as connection:
            held = find_journal(connection, box, block.origin.epoch)
        through = held.through if held else 0
        is_next = block.columns.first_sequence == through + 1
        is_other = held is not None and is_next and block.previous != held.head
        return block.columns.last_sequence <= through or is_other


class _WrongHead(Seams):
    """Headquarters names another hash than that of the last block it holds."""

    def exchange(self, engine: Engine, batch: Sequence[Said], now_ms: int) -> Outcome:
        outcome = super().exchange(engine, batch, now_ms)
        outcome.answers = [
            (box, m.model_copy(update={"head": m.head[::-1]}) if isinstance(m, Committed) else m)
            for box, m in outcome.answers
        ]
        return outcome


class _CursorBeforeApply(Seams):
    """The box remembers how far directives came, and applies them a little later."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._pending: list[Callable[[], object]] = []

    def learn(self, store: LearnedStore, path: Path, lesson: Learn) -> int | None:
        self._finish()
        if lesson.first > store.applied_through + 1:
            return None if lesson.stream == store.stream else super().learn(store, path, lesson)
        last = lesson.first + len(lesson.directives) - 1
        before = store.applied_through if lesson.stream == store.stream else 0
        if last <= before:
            return super().learn(store, path, lesson)
        with named_faults(), closing(apsw.Connection(str(path))) as own:
            own.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)", (lesson.stream, last))
        directives = list(lesson.directives)

        def apply() -> None:
            store.applied_through = before
            store.apply(lesson.stream, lesson.first, directives)

        store.stream, store.applied_through = lesson.stream, last
        self._pending.append(apply)
        self.scheduler.after_s(_LATER_S, self._finish)
        return store.applied_through

    def box_ended(self) -> None:
        self._pending.clear()

    def _finish(self) -> None:
        pending, self._pending = self._pending, []
        for act in pending:
            act()


class _DirectivesReversed(Seams):
    """The box applies what came together in another order."""

    def learn(self, store: LearnedStore, path: Path, lesson: Learn) -> int | None:
        turned = Learn(lesson.stream, lesson.first, lesson.directives[::-1])
        return super().learn(store, path, turned)


class _DirectivesAgain(Seams):
    """The box applies directives whether or not it has applied them before."""

    def learn(self, store: LearnedStore, path: Path, lesson: Learn) -> int | None:
        if lesson.stream == store.stream:
            store.applied_through = min(store.applied_through, lesson.first - 1)
        return super().learn(store, path, lesson)


class _ResendIgnored(Seams):
    """The box does not notice that headquarters asks for something again."""

    def heard(self, message: Message) -> Message:
        is_asked = isinstance(message, Committed) and message.is_resend
        return message.model_copy(update={"is_resend": False}) if is_asked else message


class _CardLies(Seams):
    """The card says that it synced, and did not."""

    def make_card(self, folder: Path) -> Card:
        return Card(folder, is_lying=True)


class _AcceptedTooEarly(Seams):
    """The box says that a record is accepted, and writes it down a little later."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._pending: list[Entry] = []

    def append(self, journal: Journal, entries: list[Entry], memory: str) -> None:
        pending, self._pending = self._pending, entries
        super().append(journal, pending, memory)

    def box_ended(self) -> None:
        self._pending = []


class _PatientOutbox(Outbox):
    def time_passed(self, now_ns: int) -> None:
        del now_ns

    def deadline_ns(self) -> int | None:
        return None


class _DirectivesOnce(Seams):
    """Headquarters never sends a directive again."""

    def make_outbox(self) -> Outbox:
        return _PatientOutbox(self.scheduler.dice.random)


class _ClockTrusted(Seams):
    """The box takes its wall clock for right at all times."""

    def make_clock(self, memory: str, crystal: Crystal) -> BoxClock:
        del crystal
        steered = Discipline(is_synced=True, error_us_max=ERROR_US_MAX)
        return BoxClock(parse_memory(memory), kernel=lambda: steered)


class _PaidTwice(Seams):
    """Headquarters posts the last commission once more."""

    def exchange(self, engine: Engine, batch: Sequence[Said], now_ms: int) -> Outcome:
        outcome = super().exchange(engine, batch, now_ms)
        with writing(engine) as connection:
            connection.execute(text(_PAID_TWICE))
        return outcome


class _VerdictChanged(Seams):
    """Headquarters changes a verdict although no record changed."""

    def exchange(self, engine: Engine, batch: Sequence[Said], now_ms: int) -> Outcome:
        outcome = super().exchange(engine, batch, now_ms)
        with writing(engine) as connection:
            connection.execute(text(_VERDICT_CHANGED))
        return outcome


def _decoded(data: bytes) -> Block | None:
    try:
        return decode_block(data)
    except WireError:
        return None


BUGS: Final[dict[str, type[Seams]]] = {
    "acknowledge-before-commit": _AcknowledgeBeforeCommit,
    "acknowledge-on-puback": _AcknowledgeOnPuback,
    "no-resend-timer": _NoResendTimer,
    "prune-early": _PruneEarly,
    "accept-ahead": _AcceptAhead,
    "forget-duplicate-check": _ForgetDuplicateCheck,
    "chain-unchecked": _ChainUnchecked,
    "forks-unseen": _ForksUnseen,
    "signature-unchecked": _SignatureUnchecked,
    "wrong-head": _WrongHead,
    "cursor-before-apply": _CursorBeforeApply,
    "directives-reversed": _DirectivesReversed,
    "directives-again": _DirectivesAgain,
    "directives-once": _DirectivesOnce,
    "resend-ignored": _ResendIgnored,
    "card-lies": _CardLies,
    "accepted-too-early": _AcceptedTooEarly,
    "clock-trusted": _ClockTrusted,
    "paid-twice": _PaidTwice,
    "verdict-changed": _VerdictChanged,
}
"""Every planted bug by the name that the campaign takes."""
