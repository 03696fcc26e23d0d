"""The thin shell around the sync: one MQTT connection, made again and again.

Sessions are clean and the broker's own acknowledgement means nothing: only *committed* counts.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Never, Protocol

import aiomqtt
import structlog

from agreed.limits import (
    BLOCK_RECORDS_MAX,
    BURST_BLOCKS_MAX,
    BURST_BYTES_MAX,
    LIVE_RECORDS_MAX,
    WINDOW_BYTES_MAX,
)
from agreed.machine import NS_PER_S
from agreed.messages import (
    Message,
    MessageError,
    client_id,
    decode_message,
    encode_message,
    topic,
)
from edge.clock import BoxClock
from edge.config import BoxSettings
from edge.journal import Place, StoredBlock
from edge.store import StoreDamagedError, StoreError
from edge.sync import (
    BoxSync,
    CheckHead,
    HistoriesPart,
    Learn,
    MakeTrail,
    Settled,
    TimeHeard,
    Wanted,
)

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"

CONNECT_S_MAX: Final = 10.0
KEEPALIVE_S: Final = 20
RECONNECT_S_MIN: Final = 0.25
PUBLISHING_COUNT_MAX: Final = 32
"""Messages handed to the broker that it has not yet taken."""

INCOMING_COUNT_MAX: Final = 256
IDLE_S_MAX: Final = 5.0
AHEAD_BYTES_MAX: Final = WINDOW_BYTES_MAX // 4
AHEAD_BLOCKS_MAX: Final = 4 * BURST_BLOCKS_MAX

log = structlog.get_logger()


class Office(Protocol):
    """What the uplink asks of the box behind it; everything may wait for the card."""

    async def blocks_after(
        self, sequence: int, count_max: int, bytes_max: int
    ) -> list[StoredBlock]:
        """Read blocks, as `edge.journal.Journal.blocks_after`."""
        ...

    async def hash_at(self, through: int) -> bytes | None:
        """Give the hash of the block that ends there."""
        ...

    async def places_between(self, after: int, before: int) -> list[tuple[int, bytes]]:
        """Give ends of blocks between two sequences, as `edge.parting.places_between`."""
        ...

    async def note_parting(self, parting: Place | None) -> None:
        """Make durable where headquarters' history and ours part; None: they no longer do."""
        ...

    async def learn(self, stream: str, first: int, texts: list[str]) -> int | None:
        """Make directives durable; the number of the last one applied, None if some are missing."""
        ...

    def settled(self, through: int, head: bytes) -> None:
        """Headquarters holds everything through here for good."""
        ...

    def link_changed(self, *, is_up: bool) -> None:
        """The broker was reached or lost."""
        ...


class Uplink:
    """Carries messages between the sync and the broker.

    Attributes:
        is_up: whether the broker is connected now.
    """

    def __init__(
        self, settings: BoxSettings, sync: BoxSync, office: Office, clock: BoxClock
    ) -> None:
        self.is_up = False
        self._settings = settings
        self._names = (settings.company, settings.site, settings.box)
        self._sync = sync
        self._office = office
        self._clock = clock
        self._wake = asyncio.Event()
        self._room = asyncio.Semaphore(PUBLISHING_COUNT_MAX)
        self._ahead: deque[StoredBlock] = deque()
        self._presence = topic(*self._names, "presence")
        self._password = settings.headquarters.read_password()
        self._incident = ""
        self._has_parted = True  # what an earlier run found out is forgotten with the first word

    def wake(self) -> None:
        """Look again: something was journaled or is to be said."""
        self._wake.set()

    async def run(self, jitter: Callable[[], float]) -> Never:
        """Stay connected until cancelled; lost is said once, back is said once."""
        wait_s = RECONNECT_S_MIN
        is_said = False
        while True:
            try:
                async with self._client() as client:
                    log.info("headquarters reached", url=self._settings.headquarters.url)
                    wait_s, is_said = RECONNECT_S_MIN, False
                    await self._serve(client)
            except* (aiomqtt.MqttError, OSError, StoreError) as group:
                if not is_said:
                    url = self._settings.headquarters.url
                    log.warning("headquarters lost", url=url, reason=_first(group))
                is_said = True
            end_if_cancelled()
            await asyncio.sleep(wait_s * (0.5 + jitter() / 2))
            wait_s = min(wait_s * 2, self._settings.headquarters.reconnect_s_max)

    def _client(self) -> aiomqtt.Client:
        settings = self._settings.headquarters
        client = aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.user or None,
            password=self._password,
            identifier=client_id("/".join(self._names), self._password),
            clean_session=True,
            will=aiomqtt.Will(self._presence, OFFLINE, qos=1, retain=True),
            keepalive=KEEPALIVE_S,
            timeout=CONNECT_S_MAX,
            tls_context=_tls(settings.ca_file) if settings.is_encrypted else None,
            max_queued_incoming_messages=INCOMING_COUNT_MAX,
            max_inflight_messages=PUBLISHING_COUNT_MAX,
            # Without it every small message waits 40 ms for the far end's delayed ACK.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        client.pending_calls_threshold = PUBLISHING_COUNT_MAX + 2
        return client

    async def _serve(self, client: aiomqtt.Client) -> Never:
        await client.subscribe(topic(*self._names, "down"), qos=1)
        await client.publish(self._presence, ONLINE, qos=1, retain=True)
        self._changed(is_up=True)
        try:
            end_if_cancelled()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._receive(client))
                await self._send(client, group)
        except asyncio.CancelledError:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.publish(self._presence, OFFLINE, qos=1, retain=True, timeout=1.0)
            raise
        finally:
            self._changed(is_up=False)
        raise AssertionError("sending never ends by itself")

    def _changed(self, *, is_up: bool) -> None:
        self.is_up = is_up
        self._office.link_changed(is_up=is_up)
        if is_up:
            self._room = asyncio.Semaphore(PUBLISHING_COUNT_MAX)
            self._sync.connected(self._now_ns())
        else:
            self._ahead.clear()
            self._sync.disconnected()

    async def _send(self, client: aiomqtt.Client, group: asyncio.TaskGroup) -> Never:
        while True:
            self._wake.clear()
            self._sync.time_passed(self._now_ns())
            if self._clock.is_time_wanted(self._now_ns()):
                self._sync.ask_time(self._now_ns())
            await self._load()
            while await self._send_next(client, group):
                pass
            await self._woken()

    async def _send_next(self, client: aiomqtt.Client, group: asyncio.TaskGroup) -> bool:
        """Send one message as soon as the line has room; what happens now goes first."""
        await self._room.acquire()
        try:
            await self._show()
            message = self._sync.next_message()
        except BaseException:
            self._room.release()
            raise
        if message is None:
            self._room.release()
            return False
        group.create_task(self._publish(client, message))
        return True

    async def _publish(self, client: aiomqtt.Client, message: Message) -> None:
        try:
            await client.publish(topic(*self._names, "up"), encode_message(message), qos=1)
        finally:
            self._room.release()

    async def _load(self) -> None:
        """Fill the window with blocks; the sync may change its mind while the card is read."""
        await self._show()
        while (after := self._sync.next_after()) is not None:
            while self._ahead and self._ahead[0].first_sequence <= after:
                self._ahead.popleft()
            if not self._ahead or self._ahead[0].first_sequence != after + 1:
                found = await self._office.blocks_after(after, AHEAD_BLOCKS_MAX, AHEAD_BYTES_MAX)
                if not found or found[0].first_sequence != after + 1:
                    raise StoreDamagedError(f"no block begins after record {after}", after + 1)
                self._ahead = deque(found)
            elif self._sync.next_after() == after:
                burst = take_burst(self._ahead, self._sync.wanted_through())
                blocks, last = [block.data for block in burst], burst[-1].last_sequence
                self._sync.blocks_loaded(blocks, last, self._now_ns())

    async def _show(self) -> None:
        """Show what is new ahead of what still waits."""
        after = self._sync.show_after()
        if after is not None:
            found = await self._office.blocks_after(after, BURST_BLOCKS_MAX, BURST_BYTES_MAX)
            burst = take_burst(deque(found), after + LIVE_RECORDS_MAX) if found else []
            last = burst[-1].last_sequence if burst else after
            self._sync.show_loaded([block.data for block in burst], last)

    async def _woken(self) -> None:
        deadline_ns = self._sync.deadline_ns()
        delay_s = IDLE_S_MAX
        if deadline_ns is not None:
            delay_s = min(max((deadline_ns - self._now_ns()) / NS_PER_S, 0), IDLE_S_MAX)
        try:
            async with asyncio.timeout(delay_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            try:
                received = decode_message(bytes(message.payload))
            except (MessageError, TypeError) as error:
                log.warning("unreadable message", reason=str(error))
                continue
            for wanted in self._sync.received(received, self._now_ns()):
                await self._answer(wanted)
            self._say_incident()
            self._wake.set()

    async def _answer(self, wanted: Wanted) -> None:
        match wanted:
            case CheckHead():
                await self._check_head(wanted)
            case MakeTrail():
                places = await self._office.places_between(wanted.after, wanted.before)
                part = self._sync.trail_made(places, self._now_ns())
                if part is not None:
                    await self._parted(part)
            case TimeHeard():
                self._clock.told(wanted.asked_ns, wanted.told_ns, wanted.error_ns, wanted.heard_ns)
            case Learn():
                await self._learn(wanted)

    async def _check_head(self, wanted: CheckHead) -> None:
        head = await self._office.hash_at(wanted.through)
        for fact in self._sync.head_found(wanted, head, self._now_ns()):
            if isinstance(fact, Settled):
                await self._joined()
                self._office.settled(fact.through, fact.head)
            elif isinstance(fact, MakeTrail):
                await self._answer(fact)

    async def _learn(self, lesson: Learn) -> None:
        through = await self._office.learn(lesson.stream, lesson.first, list(lesson.directives))
        if through is None:
            self._sync.directives_missing(self._now_ns())
        else:
            self._sync.applied(lesson.stream, through)

    async def _joined(self) -> None:
        if self._has_parted:
            self._has_parted = False
            await self._office.note_parting(None)

    async def _parted(self, part: HistoriesPart) -> None:
        log.error("histories part", after_record=part.through)
        self._has_parted = True
        await self._office.note_parting(Place(part.through, part.head))

    def _say_incident(self) -> None:
        if self._sync.incident != self._incident:
            self._incident = self._sync.incident
            if self._incident:
                log.error("sync stopped: a person must look", reason=self._incident)
            else:
                log.info("sync goes on")

    def _now_ns(self) -> int:
        return self._clock.moment().mono_ns


def take_burst(ahead: deque[StoredBlock], through: int) -> list[StoredBlock]:
    """Take the blocks that travel together off the front; always one, and none beyond `through`."""
    burst = [ahead.popleft()]
    size_bytes, count = len(burst[0].data), burst[0].count
    while ahead and len(burst) < BURST_BLOCKS_MAX and ahead[0].last_sequence <= through:
        size_bytes += len(ahead[0].data)
        count += ahead[0].count
        is_full = size_bytes > BURST_BYTES_MAX or count > BLOCK_RECORDS_MAX
        if is_full or ahead[0].first_sequence != burst[-1].last_sequence + 1:
            break
        burst.append(ahead.popleft())
    return burst


def end_if_cancelled() -> None:
    """End where a wait of the client hid that the task was cancelled.

    Its goodbye may fail on the way out; and every wait for the broker's word is `asyncio.wait_for`,
    which before Python 3.12 forgets a cancellation that comes together with that word.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _first(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
