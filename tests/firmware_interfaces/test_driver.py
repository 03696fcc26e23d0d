import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces import driver
from firmware_interfaces.budget import BYTES_BURST_MAX, BYTES_PER_S_MAX
from firmware_interfaces.driver import COMMANDS_COUNT_MAX, Line, drive
from firmware_interfaces.errors import PortClosedError, PortFloodedError, PortMissingError
from firmware_interfaces.observations import Command, Observation, Refuse, Seen
from firmware_interfaces.presence import Presence, refused
from firmware_interfaces.wiring import Wiring
from simulators.devices.access_board import AccessBoard, DatagramWire
from simulators.devices.gate_reader import GateReader
from simulators.devices.scanner import Scanner
from simulators.devices.wire import PtyWire
from tests.firmware_interfaces.worlds import (
    KEY,
    WAIT_S_MAX,
    Box,
    clock,
    code,
    line_for,
    reader_table,
)


class Echo:
    """A machine that repeats what it hears, and counts how it was called."""

    def __init__(self, *, period_ms: int | None = None) -> None:
        self.presence = Presence("echo")
        self.calls: list[str] = []
        self._period_ms = period_ms
        self._due_ns: int | None = None
        self._outgoing = b""
        self._is_open = False

    def line_opened(self, now: Moment) -> list[Observation]:
        self.calls.append("opened")
        self._is_open = True
        self._set_due(now)
        return self.presence.back(now)

    def line_lost(self, now: Moment) -> list[Observation]:
        self.calls.append("lost")
        self._is_open = False
        self._due_ns = None
        return self.presence.lost(now, "port")

    def command(self, command: Command, now: Moment) -> list[Observation]:
        return [refused(command.device, now, "open" if self._is_open else "closed")]

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        self._outgoing += data
        return [Observation("echo", Seen.CODE, now, value=data.decode())]

    def time_passed(self, now: Moment) -> list[Observation]:
        self.calls.append("time")
        self._set_due(now)
        return []

    def bytes_to_send(self) -> bytes:
        data, self._outgoing = self._outgoing, b""
        return data

    def deadline_ns(self) -> int | None:
        return self._due_ns

    def _set_due(self, now: Moment) -> None:
        if self._period_ms is not None:
            self._due_ns = now.mono_ns + self._period_ms * NS_PER_MS


def echo_line(port: str, *, period_ms: int | None = None) -> tuple[Line, Echo]:
    machine = Echo(period_ms=period_ms)
    return Line(Wiring(port=port), machine), machine


async def called(machine: Echo, what: str, count: int) -> None:
    """Wait until a machine was called so often."""
    async with asyncio.timeout(WAIT_S_MAX):
        while machine.calls.count(what) < count:  # noqa: ASYNC110  # rings no bell
            await asyncio.sleep(0.01)


def test_bytes_go_in_and_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    wire = PtyWire([], tmp_path / "line")
    monkeypatch.setattr(wire, "arrived", heard.append)

    async def scene() -> None:
        line, _ = echo_line(wire.url)
        async with wire, Box(line) as box:
            await box.until(Seen.BACK)
            wire.write_now(b"hello")
            async with asyncio.timeout(WAIT_S_MAX):
                while b"".join(heard) != b"hello":  # noqa: ASYNC110  # rings no bell
                    await asyncio.sleep(0.01)
            assert "".join(o.value for o in box.seen(Seen.CODE)) == "hello"

    asyncio.run(scene())


def test_a_command_is_handed_over_at_once_open_or_closed(tmp_path: Path) -> None:
    async def scene() -> None:
        wire = PtyWire([], tmp_path / "line")
        line, _ = echo_line(wire.url)
        async with wire, Box(line) as box:
            await box.until(Seen.BACK)
            line.tell(Refuse("echo"))
            await box.until(Seen.REFUSED_BY_DEVICE)
            wire.unplug()
            await box.until(Seen.LOST)
            line.tell(Refuse("echo"))
            await box.until(Seen.REFUSED_BY_DEVICE, 2)
            assert [o.value for o in box.seen(Seen.REFUSED_BY_DEVICE)] == ["open", "closed"]

    asyncio.run(scene())


def test_the_queue_of_commands_is_bounded() -> None:
    line, _ = echo_line("/dev/none")
    told = [line.tell(Refuse("echo")) for _ in range(COMMANDS_COUNT_MAX + 2)]
    assert told.count(False) == 2
    assert len(line.take_commands()) == COMMANDS_COUNT_MAX
    assert line.take_commands() == []


def test_deadlines_are_kept_without_a_busy_loop(tmp_path: Path) -> None:
    async def scene() -> None:
        wire = PtyWire([], tmp_path / "line")
        line, machine = echo_line(wire.url, period_ms=20)
        async with wire, Box(line) as box:
            await box.until(Seen.BACK)
            began_s = time.monotonic()
            await asyncio.sleep(0.5)
            passed_ms = (time.monotonic() - began_s) * 1_000
            assert machine.calls.count("time") <= passed_ms / 20 + 2
            await called(machine, "time", 2)

    asyncio.run(scene())


def test_a_machine_that_is_always_due_leaves_the_loop_to_others(tmp_path: Path) -> None:
    async def scene() -> None:
        wire = PtyWire([], tmp_path / "line")
        line, machine = echo_line(wire.url, period_ms=-1)
        async with wire, Box(line) as box:
            await box.until(Seen.BACK)
            began_s = time.monotonic()
            await asyncio.sleep(0.2)
            assert machine.calls.count("time") <= (time.monotonic() - began_s) * 1_000 + 2

    asyncio.run(scene())


def test_a_missing_port_is_tried_again_with_growing_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "REOPEN_S_MIN", 0.01)
    monkeypatch.setattr(driver, "REOPEN_S_MAX", 0.08)

    async def scene() -> None:
        line, machine = echo_line(str(tmp_path / "none"))
        async with Box(line) as box:
            await box.until(Seen.LOST)
            began_s = time.monotonic()
            await asyncio.sleep(0.6)
            assert machine.calls.count("lost") <= (time.monotonic() - began_s) / 0.08 + 4
            await called(machine, "lost", 2)
            assert len(box.observed) == 1
            assert isinstance(line.fault, PortMissingError)

    asyncio.run(scene())


def test_a_port_that_opens_and_dies_at_once_is_no_busy_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts: list[float] = []

    class Stillborn:
        def take(self) -> bytes:
            raise PortClosedError("/dev/bad", "hung up")

        async def write(self, data: bytes) -> None:
            del data

        def close(self) -> None:
            pass

    async def open_stillborn(wiring: Wiring, wake: Callable[[], None]) -> Stillborn:
        del wiring, wake
        attempts.append(time.monotonic())
        return Stillborn()

    monkeypatch.setattr(driver, "open_port", open_stillborn)

    async def scene() -> None:
        line, _ = echo_line("/dev/bad")
        async with Box(line) as box:
            await asyncio.sleep(1.0)
            assert 1 <= len(attempts) <= 4
            assert box.observed[-1].seen is Seen.LOST

    asyncio.run(scene())


def test_our_own_bug_is_not_hidden(tmp_path: Path) -> None:
    def deliver(_: Observation) -> None:
        raise AssertionError("a bug")

    async def scene() -> None:
        wire = PtyWire([], tmp_path / "line")
        async with wire:
            line, _ = echo_line(wire.url)
            with pytest.raises(AssertionError, match="a bug"):
                await drive(line, deliver, clock)

    asyncio.run(scene())


class Flooder:
    """A serial server whose far end says `garbage` without end, as fast as it is read."""

    def __init__(self, garbage: bytes) -> None:
        self.garbage = garbage
        self.is_flooding = True
        self.callers_count = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers_count += 1
        try:
            while self.is_flooding:
                writer.write(self.garbage)
                await writer.drain()
            await reader.read()
        except ConnectionError:
            pass  # the box hung up
        finally:
            writer.close()


class Counting(Echo):
    """An echo that never answers and counts what it was given."""

    bytes_count = 0

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        self.bytes_count += len(data)
        return [Observation("echo", Seen.CODE, now)] if data.endswith(b"\r") else []


def test_a_line_that_floods_is_lost_once_and_its_neighbours_never(tmp_path: Path) -> None:
    neighbours = ("gate", "desk")
    reader, scanner = GateReader("gate", key=KEY), Scanner("desk")
    flooder = Flooder(b"\x00\xff\x55\xaa" * 1_024)
    machine = Counting()

    async def scene() -> None:
        server = await asyncio.start_server(flooder.talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        gate, desk = PtyWire([reader], tmp_path / "gate"), PtyWire([scanner], tmp_path / "desk")
        flooded = Line(Wiring(port=f"socket://127.0.0.1:{port}"), machine)
        lines = [
            line_for(reader_table(("gate", 0)), gate.url),
            line_for({"family": "scanner", "devices": [{"name": "desk"}]}, desk.url),
            flooded,
        ]
        async with server, gate, desk, Box(*lines) as box:
            began_s = time.monotonic()
            lost = await box.until(Seen.LOST, device="echo")
            assert lost.value == "flood"
            await box.until(Seen.BACK, device="gate")
            for number in range(10):
                reader.show(f"32:{number:08x}")
                scanner.read_out(code(number))
                await box.until(Seen.CARD, number + 1)
                await box.until(Seen.CODE, number + 1, device="desk")
            while flooder.callers_count < 3:  # noqa: ASYNC110  # a caller rings no bell
                await asyncio.sleep(0.05)
            assert isinstance(flooded.fault, PortFloodedError)
            took_s = time.monotonic() - began_s
            assert machine.bytes_count <= BYTES_BURST_MAX + took_s * BYTES_PER_S_MAX
            assert len(box.seen(Seen.LOST, "echo")) == len(box.seen(Seen.BACK, "echo")) == 1
            flooded.tell(Refuse("echo"))
            await box.until(Seen.REFUSED_BY_DEVICE, device="echo")
            flooder.is_flooding = False
            await box.until(Seen.BACK, 2, device="echo")
            assert box.lines[-1].fault is None
            assert len(box.seen(Seen.LOST, "echo")) == 1
            assert not [o for o in box.seen(Seen.LOST) if o.device in neighbours]

    asyncio.run(scene())


def test_a_line_that_observes_without_end_is_a_flood_too(tmp_path: Path) -> None:
    class Chatterer(Echo):
        def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
            return [Observation("echo", Seen.CODE, now)] * (len(data) * 1_000)

    async def scene() -> None:
        wire = PtyWire([], tmp_path / "line")
        line = Line(Wiring(port=wire.url), Chatterer())
        async with wire, Box(line) as box:
            await box.until(Seen.BACK)
            wire.write_now(bytes(20))
            assert (await box.until(Seen.LOST)).value == "flood"
            assert len(box.seen(Seen.CODE)) == 20_000

    asyncio.run(scene())


def test_a_board_that_refuses_datagrams_stays_lost_until_it_answers() -> None:
    async def play() -> None:
        board = AccessBoard("door-1")
        table = {
            "family": "uhppote",
            "serial": board.serial,
            "devices": [{"name": "door-1", "door": 1}],
        }
        async with DatagramWire(board) as wire:
            wire.unplug()
            with capture_logs() as logs:
                async with Box(line_for(table, wire.url)) as box:
                    await box.until(Seen.LOST)
                    await asyncio.sleep(1.5)  # time for several attempts
                    faults = [box.lines[0].fault]
                    await wire.plug()
                    await box.until(Seen.BACK)
                    faults.append(box.lines[0].fault)
        assert [type(fault) for fault in faults] == [PortClosedError, type(None)]
        assert [one["event"] for one in logs] == ["port lost", "port back"]

    asyncio.run(play())
