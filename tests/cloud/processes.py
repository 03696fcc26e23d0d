"""Real processes for the tests of the shell: headquarters, a small box, mosquitto."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import httpx

from agreed.messages import (
    Applied,
    Committed,
    DirectivesSent,
    Hello,
    Message,
    Refused,
    decode_message,
    encode_message,
    topic,
)
from agreed.stream import Sender
from cloud.database.fleet import BoxName
from cloud.link import end_if_cancelled
from edge.key import BoxKey
from simulators.signing import signed_blocks, signed_hello
from tests.cloud.world import KEY, Chain

START_S_MAX = 120.0


@dataclass
class Headquarters:
    """`duifu cloud run` as a child process that can be killed and started again."""

    data: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    run: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def starting(self) -> Iterator[Path]:
        """Start it without waiting until it can be used; gives its log, and kills it at the end."""
        self._begin()
        try:
            yield self.data / "log"
        finally:
            self.kill()

    def _begin(self) -> None:
        (self.data / "run.json").unlink(missing_ok=True)
        self.data.mkdir(exist_ok=True)
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloud", "run", "--data", str(self.data), *self.options],
                stdout=log,
                stderr=log,
                env=os.environ | {"DUIFU_LANG": "en"},
            )

    def start(self) -> None:
        self._begin()
        assert self.process is not None
        deadline = time.monotonic() + START_S_MAX
        while not (self.data / "run.json").exists():
            told = (self.data / "log").read_text
            assert self.process.poll() is None, told()
            assert time.monotonic() < deadline, told()
            time.sleep(0.02)
        self.run = json.loads((self.data / "run.json").read_text())

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    @property
    def mqtt_port(self) -> int:
        return int(self.run["mqtt_url"].rsplit(":", 1)[1])

    def api(self) -> httpx.Client:
        token = (self.data / "token").read_text()
        return httpx.Client(
            base_url=self.run["api_url"] + "/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )


@contextmanager
def headquarters(data: Path, *options: str) -> Iterator[Headquarters]:
    house = Headquarters(data, ("--company", "acme", "--site", "north", "--port", "0", *options))
    house.start()
    try:
        yield house
    finally:
        with suppress(AssertionError, subprocess.TimeoutExpired):
            house.stop()
        house.kill()
        with suppress(OSError, ValueError):  # a killed headquarters leaves its broker behind
            os.kill(int((data / "broker/pid").read_text()), signal.SIGKILL)


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    program = next(p for p in ("/usr/sbin/mosquitto", "/usr/bin/mosquitto") if Path(p).exists())
    with subprocess.Popen([program, "-c", settings], stderr=subprocess.DEVNULL) as broker:
        try:
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.02)
            yield port
        finally:
            broker.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class SmallBox:
    """A box that keeps blocks until they are committed, as the real one does."""

    name: BoxName
    blocks: list[tuple[int, int, bytes]]  # first, last, data
    epoch: bytes = b"e" * 16
    key: BoxKey = field(default_factory=lambda: KEY)
    login: tuple[str, str] | None = None
    directives: list[str] = field(default_factory=list)
    stream: str = "00" * 16
    committed: int = 0
    refused: Refused | None = None
    client: aiomqtt.Client | None = None
    sender: Sender = field(default_factory=lambda: Sender(lambda: 0.0))
    _waits: list[tuple[Callable[[], bool], asyncio.Event]] = field(default_factory=list)

    async def run(self, port: int) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                await self._serve(port)
            except* (aiomqtt.MqttError, OSError):
                pass  # the line is cut: begin again
            end_if_cancelled()
            self.sender.disconnected()
            await asyncio.sleep(0.1)

    async def until_committed(self, through: int) -> None:
        await self.until(lambda: self.committed >= through)

    async def until(self, is_so: Callable[[], bool]) -> None:
        self._waits.append((is_so, told := asyncio.Event()))
        self._look()
        await told.wait()

    def _look(self) -> None:
        for is_so, told in self._waits:
            if is_so():
                told.set()

    async def say(self, message: Message) -> None:
        assert self.client is not None
        await self.client.publish(topic(*self.name, "up"), encode_message(message), qos=1)
        end_if_cancelled()

    async def _serve(self, port: int) -> None:
        user, password = self.login or (None, None)
        async with aiomqtt.Client(
            "127.0.0.1",
            port,
            username=user,
            password=password,
            identifier=f"box-{self.name.box}",
            will=aiomqtt.Will(topic(*self.name, "presence"), b"offline", qos=1, retain=True),
        ) as client:
            self.client = client
            await client.subscribe(topic(*self.name, "down"), qos=1)
            await client.publish(topic(*self.name, "presence"), b"online", qos=1, retain=True)
            end_if_cancelled()
            self.sender.available(self.blocks[-1][1] if self.blocks else 0)
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send())
                async for message in client.messages:
                    await self._take(decode_message(bytes(message.payload)))
                    self._look()
                sending.cancel()

    async def _send(self) -> None:
        await self._greet()
        greeted = time.monotonic()
        while True:
            after = self.sender.next_after()
            if after is None:
                if not self.sender._is_welcome and time.monotonic() > greeted + 0.5:
                    await self._greet()
                    greeted = time.monotonic()
                await asyncio.sleep(0.005)
                self.sender.time_passed(time.monotonic_ns())
                continue
            _first, last, data = next(b for b in self.blocks if b[0] == after + 1)
            self.sender.sent(last, len(data), time.monotonic_ns())
            await self.say(signed_blocks(self.key, data))

    async def _greet(self) -> None:
        hello = Hello(
            epoch=self.epoch.hex(),
            head_sequence=self.blocks[-1][1] if self.blocks else 0,
            directive_stream=self.stream,
            applied_through=len(self.directives),
        )
        await self.say(signed_hello(self.key, self.name, hello))

    async def _take(self, message: Message) -> None:
        now_ns = time.monotonic_ns()
        if isinstance(message, Committed):
            assert message.through >= self.committed, "headquarters forgot what it committed"
            self.committed = message.through
            if self.sender._is_welcome:
                self.sender.acknowledged_through(
                    message.through, now_ns, is_resend=message.is_resend
                )
            else:
                self.sender.welcomed(message.through, now_ns)
        elif isinstance(message, DirectivesSent):
            if message.stream != self.stream:
                self.stream, self.directives = message.stream, []
            if message.first <= len(self.directives) + 1:
                known = len(self.directives) + 1 - message.first
                self.directives += message.directives[known:]
            await self.say(Applied(stream=self.stream, through=len(self.directives)))
        elif isinstance(message, Refused):
            self.refused = message


def chained(chain: Chain, groups: list[list[Any]]) -> list[tuple[int, int, bytes]]:
    """Blocks with their first and last sequence."""
    found = []
    for group in groups:
        first = chain.next_sequence
        data = chain.block(*group)
        found.append((first, chain.next_sequence - 1, data))
    return found
