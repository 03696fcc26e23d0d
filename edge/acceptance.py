"""Group commit: what arrives within a short window shares one write to the card.

Accepted means fsynced. Commits run in one thread, so that nothing else ever waits for the card.
"""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple, ParamSpec, TypeVar

import structlog

from agreed.limits import BLOCK_RECORDS_MAX
from agreed.machine import NS_PER_S, Moment
from agreed.records import GAP, ClockState, Durability, RecordColumns
from edge.clock import BoxClock, Stamp
from edge.columns import Together
from edge.config import JournalSettings
from edge.decisions import Draft
from edge.errands import Errands
from edge.journal import Journal
from edge.pruning import Pruner
from edge.refusals import Refusals, gap_drafts
from edge.room import Room, judge_room, takes
from edge.store import (
    Reserve,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
)

WAITING_RECORDS_MAX: Final = 20_000
"""Records that wait for a commit; what comes on top is refused and counted."""

WAITING_TELEMETRY_MAX: Final = WAITING_RECORDS_MAX // 2
"""Once so many records wait telemetry is refused, so that the rest has room."""

STATE_S_MAX: Final = 10.0
"""How old what the clock remembers may grow on the card: writing it costs every commit a page.

Forgetting it widens the bound of a time by 5 ms at most.
"""

RECOVERY_S: Final = 1.0
"""How often a journal that took nothing is tried again, and the room is measured."""

PRUNE_S: Final = 600.0
"""How often old blocks are looked for; while there are, a step every `RECOVERY_S`."""

MS_PER_DAY: Final = 86_400_000

_NO_STAMP: Final = Stamp(0, 0, 0, ClockState.UNSET)
_NOTHING_KEPT: Final[Mapping[str, str | None]] = {}
_REASONS: Final[dict[type[StoreError], str]] = {
    StoreFullError: "card_full",
    StoreReadOnlyError: "card_read_only",
    StoreDamagedError: "journal_damaged",
}

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger()


class _Waiting(NamedTuple):
    group: Together
    durability: Durability
    keep: Mapping[str, str | None]
    is_durable: "asyncio.Future[bool]"


class Acceptance:
    """The journal's front door.

    Attributes:
        fault: why the journal takes nothing now; None while it does.
        room: what the card still takes.
    """

    def __init__(
        self,
        journal: Journal,
        clock: BoxClock,
        reserve: Reserve,
        settings: JournalSettings,
        committed: Callable[[list[RecordColumns]], None],
        thread: Errands | None = None,
    ) -> None:
        """Stand before a journal.

        Args:
            journal: used from this object's thread only, from now on.
            clock: stamps every record.
            reserve: spent when the card is full.
            settings: how long each class may wait for company, and how much room it needs.
            committed: called in the loop with what was just made durable, block by block.
            thread: does what blocks, until this is closed; None for one of its own.
        """
        self._journal = journal
        self._clock = clock
        self._reserve = reserve
        self._settings = settings
        self._window_s = {
            Durability.TELEMETRY: settings.telemetry_window_ms / 1_000,
            Durability.PASSAGE: settings.window_ms / 1_000,
            Durability.CUSTODY: 0.0,
        }
        self._committed = committed
        self._thread = thread or Errands("journal")
        self._waiting: deque[_Waiting] = deque()
        self._waiting_count = 0
        self._due_s = self._shortest_s = math.inf
        self._wake = asyncio.Event()
        self._is_finishing = False
        self._stored_boot = ""
        self._state_due_ns = 0
        self._measure_due_ns = 0
        self._prune_due_ns = 0
        self._pruner = Pruner()
        self._is_pruning = False
        self._refusals = Refusals()
        self._stamped: tuple[Moment, Stamp] = (Moment(-1, -1), _NO_STAMP)
        self.fault: StoreError | None = None
        self.room = Room.AMPLE

    @property
    def refused_count(self) -> int:
        """Records refused that no gap record tells of yet."""
        return self._refusals.count

    def accept(
        self,
        drafts: tuple[Draft, ...],
        at: Moment,
        durability: Durability,
        keep: Mapping[str, str | None] | None = None,
        *,
        is_action: bool = False,
    ) -> "asyncio.Future[bool]":
        """Take in what happened at one moment, all of it or nothing.

        Args:
            drafts: what happened, in order.
            at: when.
            durability: how long somebody may be kept waiting.
            keep: texts to store in the same transaction, None to remove one.
            is_action: whether something only happens if this is taken.

        Returns:
            True once it is on the disk; False if the journal did not take it.
        """
        loop = asyncio.get_running_loop()
        is_durable = loop.create_future()
        reason = self._refusal(len(drafts), durability, is_action=is_action)
        if reason:
            self._refusals.note(reason, durability, len(drafts))
            is_durable.set_result(False)
            return is_durable
        group = Together(drafts, self._stamp(at))
        self._waiting.append(_Waiting(group, durability, keep or _NOTHING_KEPT, is_durable))
        self._waiting_count += len(drafts)
        is_many = self._waiting_count >= BLOCK_RECORDS_MAX
        window_s = 0.0 if is_many else self._window_s[durability]
        # What came first with as short a window is due earlier: only a shorter one is looked at.
        if window_s < self._shortest_s:
            self._shortest_s = window_s
            self._due_s = min(self._due_s, loop.time() + window_s)
            self._wake.set()
        return is_durable

    async def run(self) -> None:
        """Commit until told to finish; then commit what is left."""
        while not (self._is_finishing and not self._waiting):
            if self.fault is not None:
                await self._recover()
            elif self._waiting:
                await self._company()
                await self._commit(self._take())
                await self._look_after()
            else:
                await self._idle()
        with contextlib.suppress(StoreError):
            await self._append([], {}, is_last=True)

    def finish(self) -> None:
        """Let `run` end once everything taken in is on the disk."""
        self._is_finishing = True
        self._due_s = self._shortest_s = 0.0
        self._wake.set()

    async def call(self, act: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Use the journal from its own thread."""
        return await self._thread.give(partial(act, *args, **named))

    def close(self) -> None:
        """Wait for the thread and give the journal back."""
        self._thread.close()
        self._journal.close()

    def _stamp(self, at: Moment) -> Stamp:
        """Stamp a moment, at that moment: later the kernel may say otherwise of its clock."""
        if at is not self._stamped[0]:
            self._stamped = at, self._clock.stamp(at)
        return self._stamped[1]

    def _refusal(self, count: int, durability: Durability, *, is_action: bool) -> str:
        """Say why records are not taken; "" if they are."""
        is_calm = self.fault is None and self.room is Room.AMPLE and not self._is_finishing
        if is_calm and self._waiting_count + count <= WAITING_TELEMETRY_MAX:
            return ""
        is_telemetry = durability is Durability.TELEMETRY
        count_max = WAITING_TELEMETRY_MAX if is_telemetry else WAITING_RECORDS_MAX
        if self.fault is not None:
            return _REASONS.get(type(self.fault), "card_fault")
        if self._is_finishing:
            return "box_ending"
        if not takes(self.room, durability, is_action=is_action):
            return "card_low"
        return "queue_full" if self._waiting_count + count > count_max else ""

    async def _company(self) -> None:
        loop = asyncio.get_running_loop()
        while (rest_s := self._due_s - loop.time()) > 0:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest_s):
                    await self._wake.wait()

    async def _idle(self) -> None:
        """Wait for a record; while there is little room, or more to forget, not for long."""
        if self.room is Room.AMPLE and not self._is_pruning:
            await self._wake.wait()
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECOVERY_S):
                    await self._wake.wait()
        self._wake.clear()
        if not self._waiting:
            await self._look_after()

    async def _look_after(self) -> None:
        """See to the room and to what may be forgotten, as far as that is due."""
        now_ns = self._clock.moment().mono_ns
        if self.fault is None and now_ns >= self._measure_due_ns:
            await self._measure(now_ns)
        if self.fault is None and now_ns >= self._prune_due_ns:
            await self._prune()

    async def _measure(self, now_ns: int) -> None:
        """See how much room there is."""
        self._measure_due_ns = now_ns + int(RECOVERY_S * NS_PER_S)
        settings, before = self._settings, self.room
        try:
            free_bytes = await self.call(self._journal.free_bytes)
        except StoreError as error:
            log.warning("room on the card is not known", reason=str(error))
            return
        self.room = judge_room(
            free_bytes, before, settings.telemetry_room_mib, settings.custody_room_mib
        )
        if self.room is not before:
            log.warning("room on the card", room=self.room.name.lower(), free_bytes=free_bytes)

    async def _prune(self) -> None:
        """Forget some of what headquarters has held for as long as it is to be kept here."""
        now = self._clock.now()
        if now.clock_state is ClockState.UNSET:
            return
        before_ms = now.earliest_ms - self._settings.retention_days * MS_PER_DAY
        count = 0
        try:
            count = await self.call(self._pruner.step, self._journal, before_ms)
        except StoreError as error:
            log.warning("old records cannot be forgotten now", reason=str(error))
        self._is_pruning = count > 0
        wait_s = RECOVERY_S if count else PRUNE_S
        self._prune_due_ns = now.mono_ns + int(wait_s * NS_PER_S)

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        count = 0
        while self._waiting and (not batch or count < BLOCK_RECORDS_MAX):
            batch.append(self._waiting.popleft())
            count += len(batch[-1].group.drafts)
        self._waiting_count -= count
        self._due_s = self._shortest_s = 0.0 if self._waiting else math.inf
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        groups = [waiting.group for waiting in batch if waiting.group.drafts]
        keep: dict[str, str | None] = {}
        for waiting in batch:
            if waiting.keep:
                keep.update(waiting.keep)
        try:
            columns = await self._append(groups, keep)
        except StoreError as error:
            self._take_nothing(batch, error)
            await self._note_gap(error)
        else:
            self._committed(columns)
            _tell(batch, is_durable=True)

    async def _append(
        self, groups: list[Together], keep: Mapping[str, str | None], *, is_last: bool = False
    ) -> list[RecordColumns]:
        memory = self._clock.memory
        now_ns = self._clock.moment().mono_ns
        told = self._refusals.due(now_ns, is_last=is_last)
        if told:
            groups = [Together(gap_drafts(told), self._clock.now()), *groups]
        is_due = now_ns >= self._state_due_ns or memory.machine_boot != self._stored_boot
        if groups and not is_due and not is_last:
            columns = await self.call(self._journal.commit, groups, keep)
        else:
            columns = await self.call(self._journal.commit, groups, keep, str(memory))
            self._stored_boot = memory.machine_boot
            self._state_due_ns = now_ns + int(STATE_S_MAX * NS_PER_S)
        self._refusals.told(told, now_ns)
        return columns

    def _take_nothing(self, batch: list[_Waiting], error: StoreError) -> None:
        log.error("journal takes nothing", reason=str(error), retry=error.retry)
        self.fault = error
        batch = [*batch, *self._waiting]
        self._waiting.clear()
        self._waiting_count = 0
        self._due_s = self._shortest_s = math.inf
        reason = _REASONS.get(type(error), "card_fault")
        for waiting in batch:
            self._refusals.note(reason, waiting.durability, len(waiting.group.drafts))
        _tell(batch, is_durable=False)

    async def _note_gap(self, error: StoreError) -> None:
        """Use the reserve to write down, in the journal itself, that it goes silent."""
        if isinstance(error, StoreFullError):
            self._reserve.spend()
            try:
                self._committed(await self._append([self._gap("journal_full")], {}))
            except StoreError:
                log.warning("no room even for the gap record")

    async def _recover(self) -> None:
        await asyncio.sleep(0 if self._is_finishing else RECOVERY_S)
        count = self.refused_count
        try:
            await self.call(self._reserve.make)
            self._committed(await self._append([], {}, is_last=True))
        except StoreError:
            if self._is_finishing:
                self.fault = None
            return
        log.info("journal takes records again", refused_count=count)
        self.fault = None

    def _gap(self, reason: str) -> Together:
        return Together((Draft("", GAP, detail=reason),), self._clock.now())


def _tell(batch: list[_Waiting], *, is_durable: bool) -> None:
    for waiting in batch:
        if not waiting.is_durable.done():
            waiting.is_durable.set_result(is_durable)
