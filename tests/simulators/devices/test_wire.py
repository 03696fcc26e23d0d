import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from simulators.devices.far_device import FarDevice
from simulators.devices.faults import Faults
from simulators.devices.wire import PtyWire, SocketWire


class Recorder(FarDevice):
    """Keeps what it hears."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.heard = b""

    def hear(self, data: bytes) -> None:
        self.heard += data


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # what is looked at here rings no bell
            await asyncio.sleep(0.005)


def read_some(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4_096)
    except BlockingIOError:
        return b""


def test_everybody_on_a_wire_hears_the_box(tmp_path: Path) -> None:
    async def scene() -> None:
        devices = [Recorder("a"), Recorder("b")]
        async with PtyWire(devices, tmp_path / "line") as wire:
            box = os.open(wire.url, os.O_RDWR | os.O_NOCTTY)
            os.write(box, b"\x00\x11\x13\xff")
            await until(lambda: all(d.heard == b"\x00\x11\x13\xff" for d in devices))
            os.close(box)

    asyncio.run(scene())


def test_pacing_takes_as_long_as_the_bytes_do(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FarDevice("a")
        crossed: list[bytes] = []
        async with PtyWire([device], tmp_path / "line", baud=9_600) as wire:
            box = os.open(wire.url, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            began_s = time.monotonic()
            device.send(b"x" * 192, crossed.append)
            heard = b""
            while len(heard) < 192:
                heard += read_some(box)
                await asyncio.sleep(0.005)
            assert time.monotonic() - began_s >= 0.19
            await until(lambda: crossed == [b"x" * 192])
            os.close(box)

    asyncio.run(scene())


def test_what_crossed_is_told_as_it_arrived(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FarDevice("a")
        crossed: list[bytes] = []
        faults = Faults(seed=1, flipped_ppm=500_000)
        async with PtyWire([device], tmp_path / "line", faults=faults) as wire:
            box = os.open(wire.url, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            device.send(b"truth" * 20, crossed.append)
            await until(lambda: bool(crossed))
            assert crossed[0] != b"truth" * 20
            assert read_some(box) == crossed[0]
            os.close(box)

    asyncio.run(scene())


def test_nothing_crosses_an_unplugged_wire(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FarDevice("a")
        crossed: list[bytes] = []
        async with PtyWire([device], tmp_path / "line") as wire:
            wire.unplug()
            wire.unplug()
            assert not (tmp_path / "line").exists()
            device.send(b"anybody?", crossed.append)
            await asyncio.sleep(0.05)
            await wire.plug()
            box = os.open(wire.url, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            device.send(b"again", crossed.append)
            await until(lambda: bool(crossed))
            assert crossed == [b"again"]
            os.close(box)

    asyncio.run(scene())


def test_a_socket_keeps_its_address_over_unplugging() -> None:
    async def scene() -> None:
        device = Recorder("a")
        async with SocketWire([device]) as wire:
            url = wire.url
            number = int(url.rpartition(":")[2])
            for _ in range(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", number)
                writer.write(b"hello")
                await until(lambda: device.heard.endswith(b"hello"))
                wire.write_now(b"yes")
                assert await reader.readexactly(3) == b"yes"
                wire.unplug()
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
                await wire.plug()
                assert wire.url == url
                device.heard = b""

    asyncio.run(scene())


def test_a_reset_silences_a_wire_and_the_reader_comes_back(tmp_path: Path) -> None:
    class Fragile(Recorder):
        """Counts its resets."""

        resets_count = 0

        def reset(self) -> None:
            self.resets_count += 1

    async def scene() -> None:
        device = Fragile("a")
        async with PtyWire([device], tmp_path / "line", faults=Faults(reset_ppm=1_000_000)) as wire:
            device.send(b"lost with the power")
            await until(lambda: device.resets_count == 1)
            wire.arrived(b"not heard")
            assert device.heard == b""

    asyncio.run(scene())


def test_an_answer_may_come_too_late(tmp_path: Path) -> None:
    async def scene() -> None:
        device, faults = Recorder("a"), Faults(slow_ppm=1_000_000, slow_ms=200)
        crossed: list[bytes] = []
        async with PtyWire([device], tmp_path / "line", faults=faults):
            began_s = time.monotonic()
            device.send(b"late", crossed.append)
            await until(lambda: crossed == [b"late"])
            assert time.monotonic() - began_s >= 0.2

    asyncio.run(scene())
