"""Stand-ins for the tests of the box: a site of simulated devices, a broker, headquarters."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt

from agreed.directives import (
    Code,
    CodeAction,
    Directive,
    PromisedNode,
    PutCredential,
    PutOrder,
    Role,
    encode_directive,
)
from agreed.limits import WALL_MS_MAX
from agreed.messages import (
    Applied,
    BlocksSent,
    Committed,
    DirectivesSent,
    Hello,
    Message,
    Status,
    TimeAsked,
    TimeTold,
    decode_message,
    encode_message,
    topic,
)
from agreed.promises import Match
from agreed.records import TASK_FINISHED, Record, to_records
from agreed.signing import end_statement, is_signed
from agreed.stream import Outcome, receive
from agreed.wire import NO_HASH, decode_block
from edge.uplink import end_if_cancelled
from simulators.devices.gate_reader import GateReader
from simulators.devices.locker_bank import LockerBank
from simulators.devices.scanner import Scanner
from simulators.devices.wire import PtyWire

KEY = "0123456789abcdef0123456789abcd99"
CARD = "26:0a1b2c80"
STREAM = "ab" * 16
NAMES = ("greentown", "lakeside", "east-gate")


def order(name: str) -> PutOrder:
    node = PromisedNode(
        node="done",
        worker="w-1",
        node_kind=TASK_FINISHED,
        match=Match.BY_ORDER,
        opens_at_ms=0,
        promised_at_ms=WALL_MS_MAX // 2,
        tolerance_ms=0,
        hard_ms=1,
    )
    holders = {CodeAction.START: "w-1", CodeAction.DEPOSIT: "w-1"}
    codes = [
        Code(code=f"{name}-{action.value}", action=action, subject=holders.get(action, "r-1"))
        for action in CodeAction
    ]
    return PutOrder(order=name, pack="parcel", nodes=[node], codes=codes)


def credential(card: str = CARD, subject: str = "w-1") -> PutCredential:
    return PutCredential(
        card=card,
        subject=subject,
        role=Role.WORKER,
        valid_from_ms=0,
        valid_until_ms=WALL_MS_MAX,
    )


@dataclass
class Devices:
    """Three wires with one device each, as `box_toml` names them."""

    reader: GateReader
    bank: LockerBank
    scanner: Scanner
    ports: tuple[str, str, str]


@contextlib.asynccontextmanager
async def devices(folder: Path) -> AsyncIterator[Devices]:
    reader = GateReader("gate", key=bytes.fromhex(KEY))
    bank = LockerBank("lockers", compartments=24)
    scanner = Scanner("kiosk")
    async with contextlib.AsyncExitStack() as stack:
        wires = [
            await stack.enter_async_context(PtyWire([device], folder / device.name))
            for device in (reader, bank, scanner)
        ]
        ports = (wires[0].url, wires[1].url, wires[2].url)
        yield Devices(reader, bank, scanner, ports)


def box_toml(folder: Path, url: str, ports: tuple[str, str, str], *, window_ms: int = 20) -> Path:
    company, site, box = NAMES
    path = folder / "box.toml"
    path.write_text(
        f"""
company = "{company}"
site = "{site}"
box = "{box}"
data = "data"
alive_s = 3600
[headquarters]
url = "{url}"
reconnect_s_max = 1
[journal]
window_ms = {window_ms}
[[gate]]
reader = "gate"
[[kiosk]]
scanner = "kiosk"
bank = "lockers"
[[line]]
family = "osdp"
port = "{ports[0]}"
baud = 115200
devices = [{{ name = "gate", address = 0, key = "{KEY}" }}]
[[line]]
family = "locker_cu16"
port = "{ports[1]}"
devices = [{{ name = "lockers", compartments = 24 }}]
[[line]]
family = "scanner"
port = "{ports[2]}"
devices = [{{ name = "kiosk", codes = "any" }}]
""",
        "utf-8",
    )
    return path


@contextlib.contextmanager
def box_process(config: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a real box; its log is beside the settings."""
    command = [sys.executable, "-m", "duifu", "edge", "run", "--config", str(config), *options]
    with (config.parent / "box.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"DUIFU_LANG": "en"}
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def free_port(beside: int = 0) -> int:
    """Choose a port that nobody has; another one than `beside`, which is not taken yet."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port != beside:
            return port


@contextlib.contextmanager
def broker(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a real NATS server with MQTT."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.conf"
    config.write_text(
        f'server_name: "test"\nhost: "127.0.0.1"\nport: {free_port(port)}\n'
        f'jetstream {{ store_dir: "{folder / "store"}" }}\n'
        f'mqtt {{ host: "127.0.0.1", port: {port} }}\n',
        "utf-8",
    )
    program = Path(sys.executable).with_name("nats-server")
    with (folder / "nats.log").open("ab") as log:
        process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)
    try:
        wait_for_port(port)
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_port(port: int, wait_s: float = 60.0) -> None:
    until_s = time.monotonic() + wait_s
    while time.monotonic() < until_s:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.02)
    raise TimeoutError(port)


@dataclass
class Headquarters:
    """Takes blocks, remembers them, says what is committed, gives directives; the least there is.

    Attributes:
        records: by (epoch, sequence), each exactly once.
        directives: numbered from 1.
        forked: whether two histories were seen.
        applied_through: what the box says it has applied.
        is_deaf: drop every block unseen.
        asked_count: how often a box asked for the time.
    """

    directives: list[Directive] = field(default_factory=list)
    records: dict[tuple[str, int], Record] = field(default_factory=dict)
    forked: bool = False
    applied_through: int = 0
    is_deaf: bool = False
    asked_count: int = 0
    statuses: list[Status] = field(default_factory=list)
    presence: list[bytes] = field(default_factory=list)
    shown: list[bytes] = field(default_factory=list)
    key: bytes = b""
    _ends: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def through(self, epoch: str) -> tuple[int, bytes]:
        return self._ends.get(epoch, (0, NO_HASH))

    def kinds(self) -> list[str]:
        return [record.node_kind for record in self.records.values()]

    def received(self, message: Message) -> list[Message]:
        match message:
            case Hello():
                self.key = bytes.fromhex(message.key)
                through, head = self.through(message.epoch)
                reply = [Committed(epoch=message.epoch, through=through, head=head.hex())]
                is_ours = message.directive_stream == STREAM
                after = self.applied_through = message.applied_through if is_ours else 0
                return [*reply, *self.directives_after(after)]
            case BlocksSent(is_ahead=True):
                self.shown += message.blocks
            case BlocksSent():
                return [] if self.is_deaf else self._signed_blocks(message)
            case Applied():
                self.applied_through = message.through
                return self.directives_after(message.through)
            case Status():
                self.statuses.append(message)
            case TimeAsked():
                return [self._time_for(message)]
            case _:
                raise AssertionError(message)
        return []

    def directives_after(self, after: int) -> list[Message]:
        texts = [encode_directive(d) for d in self.directives[after : after + 200]]
        return [DirectivesSent(stream=STREAM, first=after + 1, directives=texts)] if texts else []

    def _time_for(self, asked: TimeAsked) -> TimeTold:
        self.asked_count += 1
        now_ns = time.time_ns()
        return TimeTold(mono_ns=asked.mono_ns, time_ns=now_ns, error_ns=10**6, is_synced=True)

    def _signed_blocks(self, message: BlocksSent) -> list[Message]:
        assert is_signed(self.key, end_statement(message.blocks[-1]), message.signature)
        return [self._block(data) for data in message.blocks][-1]

    def _block(self, data: bytes) -> list[Message]:
        block = decode_block(data)
        epoch = block.origin.epoch.hex()
        through, head = self.through(epoch)
        outcome = receive(
            through=through,
            head=head,
            first=block.columns.first_sequence,
            last=block.columns.last_sequence,
            previous=block.previous,
        )
        if outcome is Outcome.ACCEPTED:
            through, head = block.columns.last_sequence, block.hash
            self._ends[epoch] = through, head
            for record in to_records(block.columns):
                assert (epoch, record.sequence) not in self.records
                self.records[epoch, record.sequence] = record
        self.forked = self.forked or outcome is Outcome.FORKED
        is_ahead = outcome is Outcome.AHEAD
        return [Committed(epoch=epoch, through=through, head=head.hex(), is_resend=is_ahead)]

    async def serve(self, port: int) -> None:
        """Serve one broker until cancelled, connecting again and again."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    "127.0.0.1",
                    port,
                    identifier="headquarters",
                    timeout=5,
                    socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
                ) as client:
                    await client.subscribe(topic("+", "+", "+", "up"), qos=1)
                    await client.subscribe(topic("+", "+", "+", "presence"), qos=1)
                    end_if_cancelled()
                    async for message in client.messages:
                        await self._reply(client, str(message.topic), bytes(message.payload))
            end_if_cancelled()
            await asyncio.sleep(0.1)

    async def _reply(self, client: aiomqtt.Client, name: str, payload: bytes) -> None:
        if name.endswith("/presence"):
            self.presence.append(payload)
            return
        for reply in self.received(decode_message(payload)):
            down = name.removesuffix("/up") + "/down"
            await client.publish(down, encode_message(reply), qos=1)
            end_if_cancelled()


async def until(is_met: Callable[[], object], wait_s: float = 60.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(wait_s):
        while not is_met():  # noqa: ASYNC110 - the condition lies in another process
            await asyncio.sleep(0.02)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def memory_bytes(process: subprocess.Popen[bytes]) -> int:
    pages = Path(f"/proc/{process.pid}/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
