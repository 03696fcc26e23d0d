import asyncio
import errno
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from firmware_interfaces import ports
from firmware_interfaces.errors import (
    PortBusyError,
    PortClosedError,
    PortMissingError,
    PortOptionError,
    PortRefusedError,
    PortStalledError,
)
from firmware_interfaces.ports import ARRIVED_BYTES_MAX, Port, open_port, serial_ports, stable_name
from firmware_interfaces.wiring import Wiring
from simulators.devices.wire import PtyWire, SocketWire, Wire, pty_pair

WAIT_S_MAX = 90.0


class Ear:
    """Collects what a port hands over."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()

    async def take(self, port: Port, count: int) -> bytes:
        heard = b""
        async with asyncio.timeout(WAIT_S_MAX):
            while len(heard) < count:
                heard += port.take()
                if len(heard) < count:
                    await self.woken.wait()
                    self.woken.clear()
        return heard


def with_port(wire: Wire, scene: Callable[[Port, Ear], Awaitable[None]]) -> None:
    async def run() -> None:
        ear = Ear()
        async with wire:
            port = await open_port(Wiring(port=wire.url), ear.woken.set)
            try:
                await scene(port, ear)
            finally:
                port.close()
                port.close()

    asyncio.run(run())


@pytest.fixture(params=["pty", "socket"])
def wire(request: pytest.FixtureRequest, tmp_path: Path) -> Wire:
    return PtyWire([], tmp_path / "line") if request.param == "pty" else SocketWire([])


def test_every_byte_value_passes_both_ways(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = bytes(range(256))
    said: list[bytes] = []
    monkeypatch.setattr(wire, "arrived", said.append)

    async def scene(port: Port, ear: Ear) -> None:
        assert port.take() == b""
        await port.write(everything)
        async with asyncio.timeout(WAIT_S_MAX):
            while b"".join(said) != everything:  # noqa: ASYNC110  # the far end rings no bell
                await asyncio.sleep(0.01)
        wire.write_now(everything)
        assert await ear.take(port, 256) == everything

    with_port(wire, scene)


def test_the_end_comes_after_everything_that_was_said(wire: Wire) -> None:
    async def scene(port: Port, ear: Ear) -> None:
        async with asyncio.timeout(WAIT_S_MAX):
            while not wire.write_now(b"last words"):  # noqa: ASYNC110  # until it has accepted
                await asyncio.sleep(0.01)
        assert await ear.take(port, 10) == b"last words"
        wire.unplug()
        with pytest.raises(PortClosedError, match="unplugged or hung up"):
            await ear.take(port, 1)
        with pytest.raises(PortClosedError):
            await port.write(b"anybody?")

    with_port(wire, scene)


def test_what_nobody_takes_is_not_read_without_end(tmp_path: Path) -> None:
    wire = PtyWire([], tmp_path / "line")

    async def scene(port: Port, ear: Ear) -> None:
        wrote = 0
        for _ in range(200):
            wrote += 4_000 if wire.write_now(b"x" * 4_000) else 0
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        first = port.take()
        assert len(first) < ARRIVED_BYTES_MAX + ports.READ_BYTES_MAX
        if len(first) < wrote:
            await ear.take(port, 1)

    with_port(wire, scene)


def test_a_port_that_takes_nothing_is_stalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "WRITE_S_MAX", 0.1)

    async def scene() -> None:
        ours, theirs = pty_pair(tmp_path / "line")
        port = await open_port(Wiring(port=str(tmp_path / "line")), lambda: None)
        with pytest.raises(PortStalledError, match="takes no bytes"):
            await port.write(b"x" * 1_000_000)
        port.close()
        os.close(ours)
        os.close(theirs)

    asyncio.run(scene())


def open_and_fail(port: str, **options: object) -> None:
    asyncio.run(open_port(Wiring.model_validate({"port": port} | options), lambda: None))


def test_a_missing_port_says_which_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PortMissingError, match=r"/line: not there; check.*plugged in"):
        open_and_fail(str(tmp_path / "line"))
    with pytest.raises(PortMissingError, match=r"socket://127.0.0.1:9: nobody answers"):
        open_and_fail("socket://127.0.0.1:9")


def test_a_forbidden_port_says_what_to_do() -> None:
    # Root may open everything, so the system's answer is made up here.
    error = ports._opening_error("/dev/ttyUSB0", PermissionError(errno.EACCES, "denied"))
    assert isinstance(error, PortRefusedError)
    assert "dialout" in str(error)


def test_what_is_no_serial_port(tmp_path: Path) -> None:
    path = tmp_path / "line"
    path.touch()
    with pytest.raises(PortOptionError, match="does not take these settings"):
        open_and_fail(str(path))


def test_an_adapter_that_cannot_switch_direction_says_so(tmp_path: Path) -> None:
    ours, theirs = pty_pair(tmp_path / "line")
    with pytest.raises(PortOptionError, match="rs485 = false"):
        open_and_fail(str(tmp_path / "line"), rs485=True)
    os.close(ours)
    os.close(theirs)


def test_control_lines_are_optional(tmp_path: Path) -> None:
    async def scene() -> None:
        ours, theirs = pty_pair(tmp_path / "line")
        wiring = Wiring(port=str(tmp_path / "line"), dtr=False, rts=True)
        (await open_port(wiring, lambda: None)).close()
        os.close(ours)
        os.close(theirs)

    asyncio.run(scene())


def test_one_port_has_one_holder(tmp_path: Path) -> None:
    async def scene() -> None:
        ours, theirs = pty_pair(tmp_path / "line")
        wiring = Wiring(port=str(tmp_path / "line"))
        port = await open_port(wiring, lambda: None)
        with pytest.raises(PortBusyError, match="another program"):
            await open_port(wiring, lambda: None)
        port.close()
        os.close(ours)
        os.close(theirs)

    asyncio.run(scene())


def test_a_port_without_a_descriptor_is_read_by_a_thread() -> None:
    async def scene() -> None:
        ear = Ear()
        port = await open_port(Wiring(port="loop://"), ear.woken.set)
        await port.write(b"echo")
        assert await ear.take(port, 4) == b"echo"
        port.close()
        with pytest.raises(PortClosedError):
            port.take()
        with pytest.raises(PortClosedError):
            await port.write(b"more")

    asyncio.run(scene())


def test_closing_does_not_hold_up_the_loop() -> None:
    took_s: list[float] = []

    async def scene(port: Port, _: Ear) -> None:
        began_s = time.monotonic()
        port.close()  # pyserial sleeps 0.3 s in here, every time
        took_s.append(time.monotonic() - began_s)

    for _ in range(5):
        with_port(SocketWire([]), scene)
    assert min(took_s) < 0.25


def test_a_port_that_opens_after_nobody_waits_is_closed(tmp_path: Path) -> None:
    async def scene() -> None:
        ours, theirs = pty_pair(tmp_path / "line")
        wiring = Wiring(port=str(tmp_path / "line"))
        opening = asyncio.create_task(open_port(wiring, lambda: None))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                try:
                    (await open_port(wiring, lambda: None)).close()
                    break
                except PortBusyError:
                    await asyncio.sleep(0.02)
        os.close(ours)
        os.close(theirs)

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("name", "wanted"), [("pipe", PortOptionError), ("nothing", PortMissingError)]
)
def test_what_is_no_keyboard_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, wanted: type[Exception]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(ports, "KEYBOARDS", str(tmp_path))  # there is no real one to try

    async def run() -> None:
        await open_port(Wiring(port=str(tmp_path / name)), lambda: None)

    with pytest.raises(wanted):
        asyncio.run(run())


def test_adapters_are_named_by_serial_number_or_by_socket(tmp_path: Path) -> None:
    assert all(port.startswith("/dev/") for port in serial_ports())
    adapter = tmp_path / "ttyUSB0"
    adapter.touch()
    assert stable_name(adapter, has_serial=True, links=tmp_path) == str(adapter)
    for folder in ("by-id", "by-path"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "other").symlink_to(tmp_path / "ttyUSB9")
        (tmp_path / folder / "usb-1").symlink_to(adapter)
    by_id, by_path = str(tmp_path / "by-id/usb-1"), str(tmp_path / "by-path/usb-1")
    assert stable_name(adapter, has_serial=True, links=tmp_path) == by_id
    assert stable_name(adapter, has_serial=False, links=tmp_path) == by_path


def test_pins_are_for_doors_on_pins() -> None:
    with pytest.raises(PortOptionError, match="contacts"):
        asyncio.run(open_port(Wiring(port="/dev/gpiochip0"), lambda: None))
