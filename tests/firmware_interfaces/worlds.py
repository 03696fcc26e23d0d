"""A box of one loop for tests, and every family with its far end, as one table."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from agreed.codes import LETTERS, with_check
from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.driver import Line, drive
from firmware_interfaces.observations import Answer, Command, Observation, Seen
from firmware_interfaces.settings import make_line, read_line_settings
from simulators.devices.access_board import AccessBoard, DatagramWire
from simulators.devices.asked_scanner import AskedScanner
from simulators.devices.door_board import DoorBoard
from simulators.devices.far_device import FarDevice
from simulators.devices.foreign_line import ForeignLine
from simulators.devices.gate_reader import GateReader
from simulators.devices.locker_bank import LockerBank
from simulators.devices.pin_board import PinBoard
from simulators.devices.radio_wire import BadgeOnAir, RadioWire, ibeacon
from simulators.devices.scanner import Scanner
from simulators.devices.ssi_scanner import SsiScanner
from simulators.devices.wedge_scanner import WedgeScanner
from simulators.devices.wiegand_reader import WiegandReader
from simulators.devices.wire import PtyWire, SocketWire, Wire

WAIT_S_MAX = 90.0  # a busy machine is slow; only a broken one is this slow
KEY = bytes.fromhex("0102030405060708090a0b0c0d0e0f10")
ENTROPY = bytes(16)


def clock() -> Moment:
    return Moment(time.time_ns(), time.monotonic_ns())


def at_ms(ms: int) -> Moment:
    """An instant of a made-up clock."""
    return Moment(wall_ns=ms * NS_PER_MS, mono_ns=ms * NS_PER_MS)


class Box:
    """Drives lines and keeps what was observed."""

    def __init__(self, *lines: Line) -> None:
        self.lines = lines
        self.observed: list[Observation] = []
        self.on_observation: Callable[[Observation], None] = lambda _: None
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for line in self.lines:
            self._tasks.append(asyncio.create_task(drive(line, self._deliver, clock)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended

    def _deliver(self, observation: Observation) -> None:
        self.observed.append(observation)
        self._news.set()
        self.on_observation(observation)

    def seen(self, seen: Seen, device: str | None = None) -> list[Observation]:
        return [
            observation
            for observation in self.observed
            if observation.seen is seen and device in {None, observation.device}
        ]

    async def until(self, seen: Seen, count: int = 1, device: str | None = None) -> Observation:
        async with asyncio.timeout(WAIT_S_MAX):
            while len(self.seen(seen, device)) < count:
                self._news.clear()
                await self._news.wait()
        return self.seen(seen, device)[count - 1]

    async def until_said(self, seen: Seen, value: str, part: int) -> None:
        async with asyncio.timeout(WAIT_S_MAX):
            while (value, part) not in [(o.value, o.part) for o in self.seen(seen)]:
                self._news.clear()
                await self._news.wait()


def line_for(table: dict[str, Any], port: str) -> Line:
    return make_line(read_line_settings({**table, "port": port}), ENTROPY)


def reader_table(*readers: tuple[str, int], key: bytes = KEY) -> dict[str, Any]:
    devices = [{"name": name, "address": address, "key": key.hex()} for name, address in readers]
    return {"family": "osdp", "baud": 115_200, "devices": devices}


@dataclass(frozen=True)
class Family:
    """One family: its far end, its table, and one fact that the far end can say at will."""

    table: dict[str, Any]
    make: Callable[[], FarDevice]
    speak: Callable[[Any, int], None]
    seen: Seen
    value_of: Callable[[int], tuple[str, int]]
    foreign: Command | None = None  # a command for another kind of device, where it is its own
    is_heard: Callable[[Any], bool] = lambda _: True  # whether what it says now is taken in


DOOR_TABLE = {"name": "device", "strike": 0, "contact": 0, "button": 1, "debounce_ms": 60}

PINS_TABLE = {"name": "device", "strike": 22, "contact": 17, "button": 27, "debounce_ms": 60}

FAMILIES = {
    "osdp": Family(
        reader_table(("device", 5)),
        lambda: GateReader("device", key=KEY, address=5),
        lambda reader, number: reader.show(f"32:{number:08x}"),
        Seen.CARD,
        lambda number: (f"32:{number:08x}", 0),
        is_heard=lambda reader: reader.is_online,
    ),
    "locker": Family(
        {"family": "locker_cu16", "devices": [{"name": "device", "compartments": 24}]},
        lambda: LockerBank("device", compartments=24),
        lambda bank, number: bank.force(number),
        Seen.DOOR_OPENED,
        lambda number: ("", number),
    ),
    "locker_wkly": Family(
        {"family": "locker_wkly", "devices": [{"name": "device", "compartments": 24}]},
        lambda: LockerBank("device", compartments=24, kind="locker_wkly"),
        lambda bank, number: bank.force(number),
        Seen.DOOR_OPENED,
        lambda number: ("", number),
    ),
    "scanner": Family(
        {"family": "scanner", "devices": [{"name": "device"}]},
        lambda: Scanner("device"),
        lambda scanner, number: scanner.read_out(code(number)),
        Seen.CODE,
        lambda number: (code(number), 0),
    ),
    "scanner_gm65": Family(
        {"family": "scanner", "devices": [{"name": "device", "protocol": "gm65"}]},
        lambda: AskedScanner("device"),
        lambda scanner, number: scanner.read_out(code(number)),
        Seen.CODE,
        lambda number: (code(number), 0),
    ),
    "scanner_newland": Family(
        {"family": "scanner", "devices": [{"name": "device", "protocol": "newland"}]},
        lambda: AskedScanner("device", protocol="newland"),
        lambda scanner, number: scanner.read_out(code(number)),
        Seen.CODE,
        lambda number: (code(number), 0),
    ),
    "scanner_ssi": Family(
        {"family": "scanner", "devices": [{"name": "device", "protocol": "ssi"}]},
        lambda: SsiScanner("device"),
        lambda scanner, number: scanner.read_out(code(number)),
        Seen.CODE,
        lambda number: (code(number), 0),
    ),
    "scanner_wedge": Family(
        {"family": "scanner", "devices": [{"name": "device", "protocol": "wedge"}]},
        lambda: WedgeScanner("device"),
        lambda scanner, number: scanner.read_out(code(number)),
        Seen.CODE,
        lambda number: (code(number), 0),
    ),
    "modbus": Family(
        {"family": "modbus", "devices": [DOOR_TABLE]},
        lambda: DoorBoard("device"),
        lambda board, _: board.swing(),
        Seen.DOOR_OPENED,
        lambda _: ("", 0),
        Answer("device", is_good=True),
    ),
    "contacts": Family(
        {"family": "contacts", "devices": [PINS_TABLE]},
        lambda: PinBoard("device"),
        lambda board, _: board.swing(),
        Seen.DOOR_OPENED,
        lambda _: ("", 0),
        Answer("device", is_good=True),
    ),
    "ble": Family(
        {"family": "ble", "scan_s": 1, "devices": [{"name": "device"}]},
        lambda: BadgeOnAir("device"),
        lambda badge, number: badge.carry_another(number),
        Seen.ENTERED,
        lambda number: (ibeacon(number)[0], 0),
        Answer("device", is_good=True),
    ),
    "osdp_listen": Family(
        {"family": "osdp", "mode": "listen", "devices": [{"name": "device", "address": 5}]},
        lambda: ForeignLine("device", address=5),
        lambda line, number: line.show(card_26(number)),
        Seen.CARD,
        lambda number: (card_26(number), 0),
    ),
    "uhppote": Family(
        {"family": "uhppote", "serial": 405_419_896, "devices": [{"name": "device", "door": 1}]},
        lambda: AccessBoard("device"),
        lambda board, number: board.swipe(number),
        Seen.CARD,
        lambda number: (card_26(number), 1),
    ),
    "wiegand": Family(
        {"family": "wiegand", "devices": [{"name": "device"}]},
        lambda: WiegandReader("device", times=5, needed=3),
        lambda reader, number: reader.show(card_26(number)),
        Seen.CARD,
        lambda number: (card_26(number), 0),
    ),
}


def code(number: int) -> str:
    """A code as headquarters makes them."""
    return with_check("".join(LETTERS[number >> place & 31] for place in range(45, -1, -5)))


def card_26(number: int) -> str:
    """A card of 26 bits with its parity, as every reader of ours writes it."""
    data = f"{number:024b}"
    bits = f"{data[:12].count('1') % 2}{data}{1 - data[12:].count('1') % 2}".ljust(32, "0")
    return f"26:{int(bits, 2):08x}"


def make_wire(
    kind: str, devices: list[FarDevice], folder: Path, **options: Any
) -> Wire | RadioWire | DatagramWire:
    if kind == "air":
        return RadioWire([one for one in devices if isinstance(one, BadgeOnAir)], folder)
    if kind == "udp":
        (board,) = (one for one in devices if isinstance(one, AccessBoard))
        return DatagramWire(board)
    if kind == "pty":
        return PtyWire(devices, folder / "line", **options)
    return SocketWire(devices, **options)
