"""The whole edge on one screen: devices -> decisions -> journal -> promises -> headquarters."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from agreed.directives import EndOrder
from agreed.machine import Moment
from agreed.messages import Status
from agreed.records import (
    BOX_ALIVE,
    BOX_STARTED,
    CLOCK_ANCHOR,
    DEVICE_TESTED,
    GAP,
    Durability,
    RecordColumns,
)
from agreed.words import RemedyError, say
from edge.acceptance import Acceptance
from edge.asked import Asked
from edge.config import BoxSettings, check_unchanged, read_settings
from edge.control import serve_control
from edge.decisions import Decision, Draft, keyed_digest
from edge.draining import Lost, WreckOffice, batches, settle_wreck
from edge.journal import Place, StoredBlock
from edge.keying import Keying
from edge.opening import Opened, check_keys
from edge.parting import places_between
from edge.site import Site
from edge.status import serve_status
from edge.store import StoreDamagedError, StoreError
from edge.sync import BoxSync, Voice
from edge.uplink import Uplink
from edge.watch import Watch
from edge.wires import Wires
from edge.wreck import Wreck
from firmware_interfaces.observations import Command, Observation
from firmware_interfaces.osdp.settings import OsdpLine

REPORT_S: Final = 2.0
TICK_S: Final = 0.5
STOP_S: Final = 5.0
ALIVE_S_MIN: Final = 0.2
VERSION: Final = "0.1.0"
RECENT_BLOCKS_COUNT: Final = 2_000
"""Blocks that are looked at after a start, to know again what was kept."""

log = structlog.get_logger()


class Agent:
    """One running box: the only place that knows the order of things.

    Attributes:
        is_damaged: whether it ended because the journal is not what was written.
    """

    def __init__(self, settings: BoxSettings, opened: Opened, config: Path | None = None) -> None:
        """Make a box that is not running yet.

        Args:
            settings: what its settings file said.
            opened: what it holds on its card.
            config: where that file is, so that it can be read again; None: never.
        """
        self._settings = settings
        self._config = config
        self._journal = journal = opened.journal
        self._learned = opened.learned
        self._clock = clock = opened.clock
        self._site = Site(settings, journal.kept, keyed_digest(journal.secret))
        self._watch = Watch()
        self._key = opened.key
        names = (settings.company, settings.site, settings.box)
        self._voice = Voice(names, opened.key.public, opened.key.sign)
        self._sync = self._make_sync(journal.origin.epoch)
        self._uplink = Uplink(settings, self._sync, self, clock)
        self._acceptance = Acceptance(
            journal, clock, opened.reserve, settings.journal, self._durable
        )
        self._wires = Wires(settings.line, self.observe, clock.moment)
        self._asked = Asked(self._wires, self._site, self)
        self._keying = Keying(key_files(settings), self._wires.tell, os.urandom)
        self._learned_thread = ThreadPoolExecutor(1, "learned")
        self._has_ticked = asyncio.Event()
        self._parted_through: int | None = None
        self._stop = asyncio.Event()
        self._is_reloading = asyncio.Lock()
        self._reloading: asyncio.Task[str] | None = None
        self.is_damaged = False

    @property
    def settings(self) -> BoxSettings:
        """What the box works by now: the settings of its start, or those it last took."""
        return self._settings

    def _make_sync(self, epoch: bytes) -> BoxSync:
        learned = self._learned
        return BoxSync(self._voice, epoch, learned.stream, learned.applied_through, random.random)

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT, or until the journal is found damaged.

        Then everything taken in is put on the disk, as far as it can be.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        self._remember()
        async with asyncio.TaskGroup() as keeping:
            keeping.create_task(self._acceptance.run())
            try:
                self._note(BOX_STARTED, VERSION)
                await self._serve()
            finally:
                self._acceptance.finish()
        self._acceptance.close()
        self._learned_thread.shutdown()
        self._learned.close()
        log.info("box stopped", head_sequence=self._journal.end.through)

    async def _serve(self) -> None:
        work: list[Coroutine[Any, Any, None]] = [
            self._wires.run(),
            self._reach(),
            self._stay_alive(),
            self._report(),
            self._conclude(),
            self._keep_promises(),
            serve_status(self._settings.data, self._asked.answers),
            serve_control(self._settings.data, self._keying.act),
        ]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(act) for act in work]
            log.info("box running", box=self._settings.box, head_sequence=self._journal.end.through)
            await self._stop.wait()
            # A cancelled wait_for may hide it once, when what it waited for is done by then.
            while not all(task.done() for task in tasks):
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=STOP_S)

    def _remember(self) -> None:
        """Know again what was known before the start."""
        directives = self._learned.all()
        for directive in directives:
            self._site.known.learn(directive)
        self._watch.learn(directives)
        self._watch.journaled(self._journal.recent_columns(RECENT_BLOCKS_COUNT))
        self._sync.journaled(self._journal.end.through)
        self.link_changed(is_up=False)

    # What a technician asks.

    def _hung_up(self) -> None:
        self._reloading = asyncio.get_running_loop().create_task(self.reload())

    async def reload(self) -> str:
        """Read the settings again and change what they change; gives why not, "" where done.

        Lines whose table is as it was go on undisturbed.
        """
        if self._config is None:
            return say("this box was started without a settings file; restart it.")
        async with self._is_reloading:
            try:
                fresh = await asyncio.to_thread(read_settings, self._config)
                await asyncio.to_thread(check_keys, fresh)
                check_unchanged(self._settings, fresh)
                lines = self._wires.made(fresh.line)
            except RemedyError as error:
                log.warning("new settings refused", why=str(error))
                return str(error)
            removed = await self._wires.keep(fresh.line)
            now = self._clock.moment()
            for decision in self._site.removed(removed):
                self._carry_out(decision, now)
            self._site.settings_changed(fresh, self._journal.kept)
            self._keying.settings_changed(key_files(fresh))
            self._wires.add(lines)
            self._settings = fresh
            log.info("settings read again", lines_changed=len(lines), devices_removed=len(removed))
            return ""

    def tested(self, command: Command) -> bool:
        """Record that a technician tries a device, and try it."""
        draft = Draft(command.device, DEVICE_TESTED, detail=type(command).__name__)
        _ = self._acceptance.accept((draft,), self._clock.moment(), Durability.PASSAGE)
        return self._wires.tell(command)

    # From devices to the journal, and back to devices.

    def observe(self, observation: Observation) -> None:
        """Decide about what a device said, and act on it."""
        self._keying.observed(observation)
        stamp = self._clock.stamp(observation.at)
        for decision in self._site.observed(observation, stamp):
            self._carry_out(decision, observation.at)

    def _carry_out(self, decision: Decision, at: Moment) -> None:
        self._tell(decision.at_once)
        accepted = self._acceptance.accept(
            decision.drafts,
            at,
            decision.durability,
            decision.keep,
            is_action=bool(decision.when_durable),
        )
        if decision.when_durable or decision.when_refused or decision.keep:
            accepted.add_done_callback(partial(self._accepted, decision))

    def _accepted(self, decision: Decision, accepted: "asyncio.Future[bool]") -> None:
        if accepted.cancelled():
            return
        if accepted.result():
            self._tell(decision.when_durable)
        else:
            self._tell(decision.when_refused)
            self._site.not_kept(decision.keep, self._journal.kept, self._clock.moment())

    def _tell(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            if not self._wires.tell(command):
                log.warning("line takes no more commands", device=command.device)

    def _note(self, node_kind: str, detail: str = "") -> None:
        draft = Draft("", node_kind, detail=detail)
        # A refusal is counted and shown; nobody waits for this record.
        _ = self._acceptance.accept((draft,), self._clock.moment(), Durability.TELEMETRY)

    def _durable(self, runs: list[RecordColumns]) -> None:
        if runs:
            self._watch.journaled(runs)
            self._sync.journaled(runs[-1].last_sequence)
            self._uplink.wake()

    # What happens with time alone.

    async def _stay_alive(self) -> None:
        while True:
            await asyncio.sleep(max(ALIVE_S_MIN, self._clock.real_s(self._settings.alive_s)))
            self._note(BOX_ALIVE)

    async def _conclude(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = self._clock.moment()
            for decision in self._site.time_passed(now, self._clock.stamp(now)):
                self._carry_out(decision, now)
            if isinstance(self._acceptance.fault, StoreDamagedError):
                self._found_damaged(self._acceptance.fault)
            for anchor in self._clock.anchors_to_journal():
                self._note(CLOCK_ANCHOR, str(anchor))

    async def _keep_promises(self) -> None:
        while True:
            await asyncio.to_thread(self._watch.tick, self._clock.now())
            self._has_ticked.set()
            await asyncio.sleep(TICK_S)

    async def _report(self) -> None:
        while True:
            if self._uplink.is_up:
                self._sync.report(await self._message())
                self._uplink.wake()
            await asyncio.sleep(REPORT_S)

    async def _message(self) -> Status:
        now = self._clock.now()
        head = self._journal.end.through
        committed = self._journal.committed.through
        oldest_ms = None
        if head > committed:
            # A status is only shown: what cannot be read leaves it out, and the box goes on.
            with contextlib.suppress(StoreError):
                oldest_ms = await self._acceptance.call(self._journal.wall_ms_after, committed)
        return Status(
            at_ms=now.wall_ms,
            bound_ms=now.bound_ms,
            clock_state=now.clock_state,
            head_sequence=head,
            waiting_records=max(0, head - committed),
            oldest_waiting_ms=max(0, now.wall_ms - oldest_ms) if oldest_ms is not None else 0,
            devices_lost=sorted(self._site.lost),
            verdicts=self._watch.counts,
            at_risk=self._watch.at_risk,
        )

    async def status(self) -> dict[str, Any]:
        """Say how the box is, for a technician beside it."""
        message = await self._message()
        fault = self._acceptance.fault
        return message.model_dump() | {
            "box": f"{self._settings.company}/{self._settings.site}/{self._settings.box}",
            "epoch": self._journal.origin.epoch.hex(),
            "committed_through": self._journal.committed.through,
            "headquarters": self._settings.headquarters.url,
            "is_linked": self._uplink.is_up,
            "sync": self._sync.phase.name.lower(),
            "incident": self._sync.incident,
            "fingerprint": self._key.fingerprint,
            "parted_through": self._parted_through,
            "journal_fault": type(fault).__name__ if fault else "",
            "wrecks": self._journal.wrecks_to_drain(),
            "journal_room": self._acceptance.room.name.lower(),
            "refused_count": self._acceptance.refused_count,
            "port_faults": self._wires.faults,
            "devices_back": sorted(self._site.back),
            "devices_described": dict(sorted(self._site.described.items())),
            "credentials_count": len(self._site.known.credentials),
            "orders_count": len(self._site.known),
            "directives_applied_through": self._learned.applied_through,
            "memory_bytes": _resident_bytes(),
        }

    # What the uplink asks: see `edge.uplink.Office`.

    async def blocks_after(
        self, sequence: int, count_max: int, bytes_max: int
    ) -> list[StoredBlock]:
        """Read blocks that wait to be sent."""
        journal = self._journal
        try:
            return await self._acceptance.call(journal.blocks_after, sequence, count_max, bytes_max)
        except StoreDamagedError as error:
            self._found_damaged(error)
            raise

    def _found_damaged(self, error: StoreError) -> None:
        """End, so that the journal is set aside and a new one begins."""
        if not self.is_damaged:
            log.error("journal is damaged, the box begins anew", reason=str(error))
        self.is_damaged = True
        self._stop.set()

    async def hash_at(self, through: int) -> bytes | None:
        """Give the hash of our block that ends there."""
        return await self._acceptance.call(self._journal.hash_at, through)

    async def places_between(self, after: int, before: int) -> list[tuple[int, bytes]]:
        """Give places of our chain."""
        return await self._acceptance.call(places_between, self._journal, after, before)

    async def note_parting(self, parting: Place | None) -> None:
        """Remember where headquarters' history and ours part, for `duifu edge journal renew`."""
        await self._acceptance.call(self._journal.note_parting, parting)
        self._parted_through = None if parting is None else parting.through

    async def learn(self, stream: str, first: int, texts: list[str]) -> int | None:
        """Make directives durable, then act by them."""
        if self._watch.is_behind:
            self._has_ticked.clear()
            await self._has_ticked.wait()
        loop = asyncio.get_running_loop()
        apply = partial(self._learned.apply, stream, first, texts)
        lesson = await loop.run_in_executor(self._learned_thread, apply)
        if lesson is None:
            return None
        if lesson.is_new_stream:
            self._site.known.forget_all()
            self._watch.forget_all()
        if lesson.passed_over:
            log.warning("directives of a newer headquarters", count=lesson.passed_over)
        for directive in lesson.directives:
            self._site.known.learn(directive)
            if isinstance(directive, EndOrder):
                for decision in self._site.order_ended(directive.order):
                    self._carry_out(decision, self._clock.moment())
        self._watch.learn(lesson.directives)
        return self._learned.applied_through

    async def _reach(self) -> None:
        """Talk to headquarters, first about what damaged journals still hold."""
        for name in self._journal.wrecks_to_drain():
            try:
                wreck = await asyncio.to_thread(Wreck, self._settings.data / name)
            except OSError as error:
                log.warning("damaged journal cannot be read", journal=name, reason=str(error))
                continue
            try:
                await self._drain(name, wreck)
            finally:
                wreck.close()
        await self._uplink.run(random.random)

    async def _drain(self, name: str, wreck: Wreck) -> None:
        """Bring a wreck to headquarters: see `edge.draining`."""
        through: int | None = 0
        if len(wreck):
            sync = self._make_sync(wreck.epoch)
            office = WreckOffice(wreck, sync, self)
            line = Uplink(self._settings, sync, office, self._clock)
            through = await settle_wreck(sync, office, line, random.random)
        drafts: tuple[Draft, ...] = (Draft("", GAP, detail=f"forked {name}"),)
        if through is None:
            log.error("headquarters holds another history than a damaged journal", journal=name)
            await self._acceptance.call(self._journal.carry, name, [], is_last=True)
        else:
            drafts = await self._carry(name, wreck, max(through, self._journal.wrecks[name]))
        if drafts:
            at = self._clock.moment()
            await self._acceptance.accept(drafts, at, Durability.PASSAGE)

    async def _carry(self, name: str, wreck: Wreck, through: int) -> tuple[Draft, ...]:
        """Carry over what stands behind a gap; give the gap records that tell of it."""
        lost = Lost(through)
        carry, call = self._journal.carry, self._acceptance.call
        for batch in batches(lost.watched(wreck.blocks_after(through))):
            await call(carry, name, batch, is_last=False)
            self._sync.journaled(self._journal.end.through)
        await call(carry, name, [], is_last=True)
        log.info("damaged journal is drained", journal=name, lost=lost.count)
        return lost.drafts(name)

    def settled(self, through: int, head: bytes) -> None:
        """Remember what headquarters holds for good."""
        self._journal.commit_through(Place(through, head))

    def link_changed(self, *, is_up: bool) -> None:
        """Tell the clock, whose error grows while nobody can correct it."""
        self._clock.link_changed(is_up=is_up)


def key_files(settings: BoxSettings) -> dict[str, Path | None]:
    """Name the key file of every reader we command; None where the key stands in the settings."""
    heard = settings.listeners()
    lines = (line for line in settings.line if isinstance(line, OsdpLine))
    readers = (reader for line in lines for reader in line.devices if reader.name not in heard)
    return {reader.name: reader.key_file for reader in readers}


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
