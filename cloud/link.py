"""The thin shell around the exchange: one MQTT connection and one thread that commits.

Nothing is answered before the database has committed it; what was not answered comes again.
"""

import asyncio
import re
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Never

import aiomqtt
import structlog
from sqlalchemy import Engine

from agreed.limits import NAME_PATTERN
from agreed.machine import NS_PER_MS, NS_PER_S
from agreed.messages import (
    TOPIC_LEVELS,
    BlocksSent,
    Message,
    MessageError,
    TimeAsked,
    TimeTold,
    client_id,
    decode_message,
    encode_message,
    topic,
)
from agreed.timex import Discipline
from agreed.wire import claimed_count
from cloud.database.fleet import BoxName
from cloud.exchange import Outcome, Said, cursors, exchange, load, note_presence
from cloud.ingest.checking import Arrival
from cloud.ingest.early import EarlyBlocks
from cloud.ingest.preview import take_previews
from cloud.ingest.retiming import Agreements
from cloud.outbox import Outbox

BATCH_MESSAGES_MAX: Final = 64
BATCH_COST_MAX: Final = 10_000
"""Records of one transaction: what is shown live waits for it, so it stays far below a second."""

BLOCK_COST: Final = 15
"""A block costs as much as so many records, besides those in it."""

SHOWN_MESSAGES_MAX: Final = 64
"""Messages to be shown live that may wait; the oldest make room, they come again in their turn."""

ASKED_COUNT_MAX: Final = 64
"""Questions for the time that may wait; a box whose question is dropped asks again."""

WAITING_BYTES_MAX: Final = 256 * 1024 * 1024
"""What may wait for the database; boxes send again what is dropped beyond that."""

RECONNECT_S_MIN: Final = 0.2
RECONNECT_S_MAX: Final = 10.0
POLL_S: Final = 1.0
KEEPALIVE_S: Final = 20
_EVERY: Final = ("+", "+", "+")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are there."""

    host: str
    port: int
    user: str | None
    password: str | None


def unsteered() -> Discipline:
    """Say of a clock that nobody knows how far it is right."""
    return Discipline(is_synced=False, error_us_max=0)


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks, handed in by the service.

    Attributes:
        wall_ns: of the day that is played, ns since the epoch.
        mono_ns: of this machine, ns; for resending.
        discipline: how far the wall clock is right, for boxes that ask.
    """

    wall_ns: Callable[[], int]
    mono_ns: Callable[[], int]
    discipline: Callable[[], Discipline] = unsteered

    def wall_ms(self) -> int:
        """Give the wall clock, ms."""
        return self.wall_ns() // NS_PER_MS


class Link:
    """Carries messages between the broker and the exchange, for one company.

    Attributes:
        is_connected: set while the broker is.
    """

    def __init__(  # what it connects
        self,
        engine: Engine,
        company: str,
        address: BrokerAddress,
        clock: Clock,
        outbox: Outbox,
        broker_ready: asyncio.Event | None = None,
    ) -> None:
        """Prepare; `broker_ready` is set while our own broker can be connected."""
        self.is_connected = asyncio.Event()
        self._engine = engine
        self._company = company
        self._address = address
        self._clock = clock
        self._outbox = outbox
        self._broker_ready = broker_ready
        self._waiting: deque[tuple[Said, int]] = deque()
        self._waiting_bytes = 0
        self._shown: deque[Arrival] = deque(maxlen=SHOWN_MESSAGES_MAX)
        self._early = EarlyBlocks()
        self._agreements = Agreements()
        self._asked: asyncio.Queue[tuple[BoxName, TimeAsked]] = asyncio.Queue(ASKED_COUNT_MAX)
        self._presence: dict[BoxName, bool] = {}
        self._wake = asyncio.Event()
        self._arrived = asyncio.Event()
        self._client: aiomqtt.Client | None = None

    def wake(self) -> None:
        """Look at once whether there are new directives."""
        self._wake.set()

    async def run(self) -> Never:
        """Commit and answer until cancelled; a lost broker is said once and connected again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._commit(group))
            group.create_task(self._direct())
            group.create_task(self._tell_time())
            await self._stay_connected()
        raise AssertionError("a link never ends by itself")

    async def _stay_connected(self) -> Never:
        wait_s = RECONNECT_S_MIN
        is_said = False
        while True:
            if self._broker_ready is not None:
                await self._broker_ready.wait()
            try:
                async with self._connection() as client:
                    await client.subscribe([(topic(*_EVERY, "up"), 1)])
                    await client.subscribe([(topic(*_EVERY, "presence"), 1)])
                    end_if_cancelled()
                    log.info("broker reached", host=self._address.host, port=self._address.port)
                    wait_s, is_said = RECONNECT_S_MIN, False
                    self._client = client
                    self.is_connected.set()
                    self._wake.set()
                    async for message in client.messages:
                        self._received(str(message.topic), message.payload)
            except (aiomqtt.MqttError, OSError) as error:
                if not is_said:
                    log.warning("broker lost", reason=str(error))
                is_said = True
            finally:
                self._client = None
                self.is_connected.clear()
            end_if_cancelled()
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RECONNECT_S_MAX)

    def _connection(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.user,
            password=self._address.password,
            identifier=client_id(f"headquarters/{self._company}", self._address.password),
            clean_session=True,
            keepalive=KEEPALIVE_S,
            # Without it a small message may wait for the far end's delayed ACK.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def _received(self, name: str, payload: Any) -> None:
        levels = name.split("/")
        if len(levels) != TOPIC_LEVELS or not isinstance(payload, bytes):
            return
        _, _, company, site, box, leaf = levels
        key = BoxName(company, site, box)
        if company != self._company or not all(re.match(NAME_PATTERN, part) for part in key):
            return
        if leaf == "presence":
            self._presence[key] = payload == b"online"
            self._arrived.set()
            return
        try:
            message = decode_message(payload)
        except MessageError as error:
            log.warning("unreadable message", box=key, reason=str(error))
            return
        self._sort(key, message, len(payload))

    def _sort(self, key: BoxName, message: Message, size_bytes: int) -> None:
        """Put a message where it waits; what there is no room for comes again."""
        if isinstance(message, TimeAsked):
            with suppress(asyncio.QueueFull):
                self._asked.put_nowait((key, message))
            return
        if isinstance(message, BlocksSent) and message.is_ahead:
            self._shown.append(Arrival(key, message.blocks, message.signature))
        elif self._waiting_bytes + size_bytes <= WAITING_BYTES_MAX:
            self._waiting.append(((key, message), size_bytes))
            self._waiting_bytes += size_bytes
        self._arrived.set()

    async def _commit(self, group: asyncio.TaskGroup) -> Never:
        """Commit what waits, batch after batch, in one thread."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting or self._presence or self._shown:
                await self._show()
                present, self._presence = self._presence, {}
                if present:
                    now_ms = self._clock.wall_ms()
                    await asyncio.to_thread(note_presence, self._engine, present, now_ms)
                batch = self._next_batch()
                if batch:
                    now_ms = self._clock.wall_ms()
                    outcome = await asyncio.to_thread(
                        exchange, self._engine, batch, now_ms, self._early, self._agreements
                    )
                    # The next batch need not wait for the broker to take the answers.
                    for answer in outcome.answers:
                        group.create_task(self._publish(answer))
                    self._note(outcome)

    async def _show(self) -> None:
        """Show what happens now before the next batch, whatever still waits."""
        shown = list(self._shown)
        self._shown.clear()
        if shown:
            now_ms = self._clock.wall_ms()
            await asyncio.to_thread(take_previews, self._engine, shown, now_ms)

    def _next_batch(self) -> list[Said]:
        batch: list[Said] = []
        size_bytes = cost = 0
        while self._waiting and len(batch) < BATCH_MESSAGES_MAX and cost < BATCH_COST_MAX:
            said, said_bytes = self._waiting.popleft()
            size_bytes += said_bytes
            cost += _cost(said[1])
            batch.append(said)
        self._waiting_bytes -= size_bytes
        return batch

    def _note(self, outcome: Outcome) -> None:
        now_ns = self._clock.mono_ns()
        for name, stream, applied in outcome.welcomed:
            self._outbox.welcomed(name, stream, applied, now_ns)
        for name, stream, through in outcome.applied:
            self._outbox.applied(name, stream, through, now_ns)
        if outcome.is_directed or outcome.welcomed or outcome.applied:
            self._wake.set()

    async def _direct(self) -> Never:
        """Send directives when there are new ones, when a box asks, and again after silence."""
        while True:
            await self._woken()
            known = await asyncio.to_thread(cursors, self._engine, self._company)
            self._outbox.know(known, self._clock.mono_ns())
            self._outbox.time_passed(self._clock.mono_ns())
            while self._client is not None and (wanted := self._outbox.wanted()):
                loaded = await asyncio.to_thread(load, self._engine, wanted)
                for one, message in loaded:
                    size_bytes = await self._publish((one.box, message))
                    last = one.after + len(message.directives)
                    self._outbox.sent(one, last, size_bytes, self._clock.mono_ns())
                if not loaded:
                    break  # a stream began anew in between; the next round knows

    async def _tell_time(self) -> Never:
        """Answer at once who asks for the time: what waits for the database would blur it."""
        while True:
            name, asked = await self._asked.get()
            await self._publish((name, self._time_for(asked)))

    def _time_for(self, asked: TimeAsked) -> TimeTold:
        # Asked before and after: a clock that was put right in between was wrong when it was read.
        before = self._clock.discipline()
        time_ns = self._clock.wall_ns()
        after = self._clock.discipline()
        return TimeTold(
            mono_ns=asked.mono_ns,
            time_ns=time_ns,
            error_ns=max(before.error_us_max, after.error_us_max) * 1_000,
            is_synced=before.is_synced and after.is_synced,
        )

    async def _woken(self) -> None:
        deadline_ns = self._outbox.deadline_ns()
        wait_s = POLL_S
        if deadline_ns is not None:
            wait_s = min(max((deadline_ns - self._clock.mono_ns()) / NS_PER_S, 0), POLL_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        self._wake.clear()

    async def _publish(self, said: Said) -> int:
        name, message = said
        data = encode_message(message)
        if self._client is not None:
            with suppress(aiomqtt.MqttError):
                await self._client.publish(topic(*name, "down"), data, qos=1)
            end_if_cancelled()
        return len(data)


def _cost(message: Message) -> int:
    blocks = message.blocks if isinstance(message, BlocksSent) else []
    return sum(claimed_count(block) + BLOCK_COST for block in blocks)


def end_if_cancelled() -> None:
    """End where a wait of the client hid that the task was cancelled.

    Its goodbye may fail on the way out; and every wait for the broker's word is `asyncio.wait_for`,
    which before Python 3.12 forgets a cancellation that comes together with that word.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
