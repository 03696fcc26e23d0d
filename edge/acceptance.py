"""Group commit: what arrives within a short window shares one write to the card.

Accepted means fsynced. Commits run in one thread, so that nothing else ever waits for the card.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, ParamSpec, TypeVar

import structlog

from agreed.limits import BLOCK_RECORDS_MAX
from agreed.machine import NS_PER_S, Moment
from agreed.records import GAP, Durability, Record
from edge.clock import BoxClock
from edge.decisions import Draft, fit
from edge.journal import Entry, Journal
from edge.store import Reserve, StoreError, StoreFullError

WAITING_RECORDS_MAX: Final = 20_000
"""Records that wait for a commit; what comes on top is refused and counted."""

STATE_S_MAX: Final = 10.0
"""How old what the clock remembers may grow on the card: writing it costs every commit a page.

Forgetting it widens the bound of a time by 5 ms at most.
"""

RECOVERY_S: Final = 1.0
"""How often a journal that took nothing is tried again."""

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Waiting:
    entries: list[Entry]
    keep: Mapping[str, str | None]
    is_durable: "asyncio.Future[bool]"


class Acceptance:
    """The journal's front door.

    Attributes:
        fault: why the journal takes nothing now; None while it does.
        refused_count: records refused since the last one that was taken.
    """

    def __init__(
        self,
        journal: Journal,
        clock: BoxClock,
        reserve: Reserve,
        window_ms: int,
        committed: Callable[[list[Record]], None],
    ) -> None:
        """Stand before a journal.

        Args:
            journal: used from this object's thread only, from now on.
            clock: stamps every record.
            reserve: spent when the card is full.
            window_ms: how long a passage may wait for company.
            committed: called in the loop with what was just made durable.
        """
        self._journal = journal
        self._clock = clock
        self._reserve = reserve
        self._window_s = window_ms / 1_000
        self._committed = committed
        self._thread = ThreadPoolExecutor(1, "journal")
        self._waiting: deque[_Waiting] = deque()
        self._waiting_count = 0
        self._is_urgent = asyncio.Event()
        self._wake = asyncio.Event()
        self._is_finishing = False
        self._stored_boot = ""
        self._state_due_ns = 0
        self.fault: StoreError | None = None
        self.refused_count = 0

    def accept(
        self,
        drafts: tuple[Draft, ...],
        at: Moment,
        durability: Durability,
        keep: Mapping[str, str | None] | None = None,
    ) -> "asyncio.Future[bool]":
        """Take in what happened at one moment, all of it or nothing.

        Returns:
            True once it is on the disk; False if the journal did not take it.
        """
        is_durable = asyncio.get_running_loop().create_future()
        is_room = self._waiting_count + len(drafts) <= WAITING_RECORDS_MAX
        if self.fault is not None or not is_room or self._is_finishing:
            self.refused_count += len(drafts)
            is_durable.set_result(False)
            return is_durable
        stamp = self._clock.stamp(at)
        entries = [Entry(_fitted(draft), stamp) for draft in drafts]
        self._waiting.append(_Waiting(entries, keep or {}, is_durable))
        self._waiting_count += len(drafts)
        self._wake.set()
        if durability is Durability.CUSTODY or self._waiting_count >= BLOCK_RECORDS_MAX:
            self._is_urgent.set()
        return is_durable

    async def run(self) -> None:
        """Commit until told to finish; then commit what is left."""
        while not (self._is_finishing and not self._waiting):
            if self.fault is not None:
                await self._recover()
            elif self._waiting:
                await self._company()
                await self._commit(self._take())
            else:
                await self._wake.wait()
                self._wake.clear()
        with contextlib.suppress(StoreError):
            await self._append([], {})

    def finish(self) -> None:
        """Let `run` end once everything taken in is on the disk."""
        self._is_finishing = True
        self._is_urgent.set()
        self._wake.set()

    async def call(self, act: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Use the journal from its own thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(act, *args, **named))

    def close(self) -> None:
        """Wait for the thread and give the journal back."""
        self._thread.shutdown()
        self._journal.close()

    async def _company(self) -> None:
        if self._window_s and not self._is_urgent.is_set():
            try:
                async with asyncio.timeout(self._window_s):
                    await self._is_urgent.wait()
            except TimeoutError:
                pass
        self._is_urgent.clear()

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        count = 0
        while self._waiting and (not batch or count < BLOCK_RECORDS_MAX):
            batch.append(self._waiting.popleft())
            count += len(batch[-1].entries)
        self._waiting_count -= count
        if self._waiting:
            self._is_urgent.set()
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        entries = [entry for waiting in batch for entry in waiting.entries]
        keep: dict[str, str | None] = {}
        for waiting in batch:
            keep.update(waiting.keep)
        try:
            records = await self._append(entries, keep)
        except StoreError as error:
            self._take_nothing(batch, error)
            await self._note_gap(error)
        else:
            self._committed(records)
            _tell(batch, is_durable=True)

    async def _append(self, entries: list[Entry], keep: Mapping[str, str | None]) -> list[Record]:
        memory = self._clock.memory
        now_ns = self._clock.moment().mono_ns
        is_due = now_ns >= self._state_due_ns or memory.machine_boot != self._stored_boot
        if entries and not is_due:
            return await self.call(self._journal.append, entries, keep)
        records = await self.call(self._journal.append, entries, keep, str(memory))
        self._stored_boot = memory.machine_boot
        self._state_due_ns = now_ns + int(STATE_S_MAX * NS_PER_S)
        return records

    def _take_nothing(self, batch: list[_Waiting], error: StoreError) -> None:
        log.error("journal takes nothing", reason=str(error), retry=error.retry)
        self.fault = error
        batch = [*batch, *self._waiting]
        self._waiting.clear()
        self._waiting_count = 0
        self.refused_count += sum(len(waiting.entries) for waiting in batch)
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
            self._committed(await self._append([self._gap(f"journal_refused {count}")], {}))
        except StoreError:
            if self._is_finishing:
                self.fault = None
            return
        log.info("journal takes records again", refused_count=count)
        self.refused_count -= count
        self.fault = None

    def _gap(self, reason: str) -> Entry:
        return Entry(Draft("", GAP, detail=reason), self._clock.now())


def _tell(batch: list[_Waiting], *, is_durable: bool) -> None:
    for waiting in batch:
        if not waiting.is_durable.done():
            waiting.is_durable.set_result(is_durable)


def _fitted(draft: Draft) -> Draft:
    return Draft(
        fit(draft.device),
        fit(draft.node_kind),
        fit(draft.subject),
        fit(draft.reference),
        fit(draft.detail),
        draft.evidence,
    )
