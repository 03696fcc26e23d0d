"""How fast, how frugal and how true the device room is, against simulated devices over paced PTYs.

python -m benchmarks.devices [--json]            CPU and memory at rest
python -m benchmarks.devices --campaign [--json] every family on a noisy wire
python -m benchmarks.devices --fuzz 10000000     spoiled frames and noise into every codec
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import structlog

from agreed.codes import LETTERS, with_check
from agreed.machine import Moment
from benchmarks.device_fuzz import fuzz
from firmware_interfaces.driver import Line, drive
from firmware_interfaces.observations import Observation, Seen
from firmware_interfaces.settings import make_line, read_line_settings
from simulators.devices.access_board import AccessBoard, DatagramWire, card_of
from simulators.devices.asked_scanner import AskedScanner
from simulators.devices.door_board import DoorBoard
from simulators.devices.far_device import FarDevice
from simulators.devices.faults import Faults
from simulators.devices.foreign_line import ForeignLine
from simulators.devices.gate_reader import GateReader
from simulators.devices.locker_bank import LockerBank
from simulators.devices.scanner import Scanner
from simulators.devices.ssi_scanner import SsiScanner
from simulators.devices.wiegand_reader import WiegandReader
from simulators.devices.wire import PtyWire

KEY: Final = bytes.fromhex("0102030405060708090a0b0c0d0e0f10")
REST_S: Final = 20.0
SETTLE_S: Final = 5.0
WAIT_S: Final = 8.0
OUTAGE_S: Final = 120.0  # a board that hears and is heard in one try of five is mostly LOST
# 0.1 % of all bits flipped, given as bytes with one flipped bit; 0.5 % noise bytes.
FLIPPED_PPM: Final = 8_000
INSERTED_PPM: Final = 5_000


def _clock() -> Moment:
    return Moment(time.time_ns(), time.monotonic_ns())


def _table(family: str, **device: Any) -> dict[str, Any]:
    return {"family": family, "devices": [{"name": "device"} | device]}


def _line(table: Mapping[str, Any], port: str) -> Line:
    return make_line(read_line_settings({**table, "port": port}), os.urandom(16))


class _Box:
    """Drives lines and keeps what was observed."""

    def __init__(self, *lines: Line) -> None:
        self.lines = lines
        self.observed: list[Observation] = []
        self.on_observation: Callable[[Observation], None] = lambda _: None
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for line in self.lines:
            self._tasks.append(asyncio.create_task(drive(line, self._deliver, _clock)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _deliver(self, observation: Observation) -> None:
        self.observed.append(observation)
        self.on_observation(observation)
        self._news.set()

    async def until(self, holds: Callable[[list[Observation]], bool], wait_s: float) -> bool:
        try:
            async with asyncio.timeout(wait_s):
                while not holds(self.observed):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def back(self, count: int) -> None:
        """Wait until so many devices answered."""
        found = await self.until(
            lambda seen: sum(o.seen is Seen.BACK for o in seen) >= count, wait_s=60.0
        )
        assert found, "the simulated devices never answered"


async def rest(folder: Path) -> list[dict[str, Any]]:
    """CPU and memory of a process that only drives lines on which nothing happens."""
    readers = [
        [GateReader(f"r-{line}-{n}", key=KEY, address=n) for n in range(4)] for line in range(2)
    ]
    reader_tables = [
        {
            "family": "osdp",
            "baud": 115_200,
            "devices": [
                {"name": one.name, "address": one.address, "key": KEY.hex()} for one in line
            ],
        }
        for line in readers
    ]
    bank = LockerBank("device", compartments=64)
    ends: dict[str, list[tuple[list[FarDevice], dict[str, Any]]]] = {
        "8 readers on two lines": [
            ([*line], table) for line, table in zip(readers, reader_tables, strict=True)
        ],
        "4 locker boards": [([bank], _table("locker_cu16", compartments=64))],
        "2 scanners": [
            ([Scanner("device")], _table("scanner")),
            ([SsiScanner("device")], _table("scanner", protocol="ssi")),
        ],
        "a Modbus door": [([DoorBoard("device")], _table("modbus", strike=0, contact=0))],
        "nothing": [],
    }
    ends["all of them"] = [pair for pairs in ends.values() for pair in pairs]
    return [await _rest(name, pairs, folder) for name, pairs in ends.items()]


async def _rest(
    name: str, pairs: list[tuple[list[FarDevice], dict[str, Any]]], folder: Path
) -> dict[str, Any]:
    wires = [PtyWire(devices, folder / f"rest-{n}") for n, (devices, _) in enumerate(pairs)]
    for wire in wires:
        await wire.__aenter__()
    tables = [{**table, "port": w.url} for w, (_, table) in zip(wires, pairs, strict=True)]
    backs_count = sum(len(table["devices"]) for table in tables)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.devices", "--box", json.dumps([backs_count, tables])),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    for wire in wires:
        await wire.__aexit__()
    measured: dict[str, Any] = json.loads(output)
    return {"what": "at rest", "with": name, "seconds": REST_S} | measured


async def _be_a_box(text: str) -> dict[str, Any]:
    backs_count, tables = json.loads(text)
    async with _Box(*(_line(table, table["port"]) for table in tables)) as box:
        await box.back(backs_count)
        await asyncio.sleep(SETTLE_S)
        began_s = time.process_time()
        await asyncio.sleep(REST_S)
        used_s = time.process_time() - began_s
    lost_count = sum(o.seen is Seen.LOST for o in box.observed)
    return {
        "cpu_percent": round(100 * used_s / REST_S, 2),
        "resident_mb": round(_resident_bytes() / 1e6, 1),
        "lost_count": lost_count,
    }


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class _Subject:
    """One family in the campaign: what it is told to say, and whether it can say it again."""

    table: dict[str, Any]
    make: Callable[[], FarDevice]
    speak: Callable[[Any, int], tuple[Seen, str, int]]
    count: int
    can_retry: bool
    checked: str


def _show(reader: Any, number: int) -> tuple[Seen, str, int]:
    card = f"32:{0xA5000000 + number:08x}"
    reader.show(card)
    return Seen.CARD, card, 0


def _show_26(reader: Any, number: int) -> tuple[Seen, str, int]:
    data = f"{0x0A1B00 + number:024b}"
    odd = 1 - data[12:].count("1") % 2
    bits = f"{data[:12].count('1') % 2}{data}{odd}".ljust(32, "0")
    card = f"26:{int(bits, 2):08x}"
    reader.show(card)
    return Seen.CARD, card, 0


def _swipe(board: Any, number: int) -> tuple[Seen, str, int]:
    board.swipe(10_000_000 + number)
    return Seen.CARD, card_of(10_000_000 + number), 1


def _force(bank: Any, number: int) -> tuple[Seen, str, int]:
    bank.force(number + 1)
    return Seen.DOOR_OPENED, "", number + 1


def _scan(scanner: Any, number: int) -> tuple[Seen, str, int]:
    code = with_check("PARCEL" + "".join(LETTERS[number >> place & 31] for place in (15, 10, 5, 0)))
    scanner.read_out(code)
    return Seen.CODE, code, 0


def _move(board: Any, number: int) -> tuple[Seen, str, int]:
    board.is_open = number % 2 == 0
    return (Seen.DOOR_OPENED if board.is_open else Seen.DOOR_CLOSED), "", 0


def _locker(kind: str, checked: str) -> _Subject:
    address = 1 if kind == "locker_xor" else 0
    return _Subject(
        _table(kind, compartments=16, address=address),
        lambda: LockerBank("device", compartments=16, address=address, kind=kind),
        _force,
        16,
        True,
        checked,
    )


def _wiegand(
    form: str, checked: str, *, needed: int, is_whole: bool = False, reads: int | None = None
) -> _Subject:
    """A converter that says a held card six times, or once where one reading is enough."""
    times = 1 if reads == 1 else 6
    carries = "frame" if is_whole else "data"
    return _Subject(
        _table("wiegand", form=form, carries=carries, reads=reads),
        lambda: WiegandReader("device", form=form, is_whole=is_whole, times=times, needed=needed),
        _show_26,
        30,
        False,
        checked,
    )


SUBJECTS: Final = {
    "osdp": _Subject(
        _table("osdp", address=0, key=KEY.hex()) | {"baud": 115_200},
        lambda: GateReader("device", key=KEY),
        _show,
        30,
        True,
        "MAC and CRC-16",
    ),
    "osdp listening": _Subject(
        _table("osdp", address=0) | {"mode": "listen"},
        lambda: ForeignLine("device"),
        _show,
        30,
        False,
        "CRC-16",
    ),
    "uhppote": _Subject(
        _table("uhppote", door=1) | {"serial": 405_419_896},
        lambda: AccessBoard("device"),
        _swipe,
        6,
        True,
        "that of UDP",
    ),
    "locker_cu16": _locker("locker_cu16", "sum, twice"),
    "locker_cu48": _locker("locker_cu48", "sum, twice"),
    "locker_xor": _locker("locker_xor", "XOR, twice"),
    "locker_wkly": _locker("locker_wkly", "XOR, twice"),
    "locker_winnsen": _locker("locker_winnsen", "none, twice"),
    "modbus": _Subject(
        _table("modbus", strike=0, contact=0, held_s=0, says_forced=False),
        lambda: DoorBoard("device"),
        _move,
        30,
        True,
        "CRC-16",
    ),
    "scanner ssi": _Subject(
        _table("scanner", protocol="ssi"),
        lambda: SsiScanner("device"),
        _scan,
        30,
        True,
        "16-bit sum",
    ),
    "scanner gm65": _Subject(
        _table("scanner", protocol="gm65"),
        lambda: AskedScanner("device"),
        _scan,
        30,
        False,
        "in each code",
    ),
    "scanner newland": _Subject(
        _table("scanner", protocol="newland"),
        lambda: AskedScanner("device", protocol="newland"),
        _scan,
        30,
        False,
        "in each code",
    ),
    "scanner text": _Subject(
        _table("scanner"), lambda: Scanner("device"), _scan, 30, False, "in each code"
    ),
    "wiegand stx": _wiegand("stx", "XOR, twice", needed=2),
    "wiegand frame": _wiegand("bits", "two parity bits, twice", needed=2, is_whole=True),
    "wiegand hex": _wiegand("hex", "none, thrice", needed=3),
    # Each of these needs a setting that says so.
    "opt-out: scanner text, any": _Subject(
        _table("scanner", codes="any"), lambda: Scanner("device"), _scan, 30, False, "none"
    ),
    "opt-out: wiegand frame, once": _wiegand(
        "bits", "two parity bits", needed=1, is_whole=True, reads=1
    ),
    "opt-out: wiegand hex, once": _wiegand("hex", "none", needed=1, reads=1),
}


_Fact = tuple[Seen, str, int]


def _fact(observation: Observation) -> _Fact:
    """What was observed; a card that came late is the same card."""
    if observation.seen is Seen.CARD_BEFORE:
        return Seen.CARD, observation.value.split()[0], observation.part
    return observation.seen, observation.value, observation.part


async def _noisy(name: str, subject: _Subject, seed: int, folder: Path) -> Counter[str]:
    """Speak over a noisy wire, and compare what was said with what was observed."""
    device = subject.make()
    faults = Faults(seed=seed, flipped_ppm=FLIPPED_PPM, inserted_ppm=INSERTED_PPM)
    link = folder / f"{name.replace(' ', '-')}-{seed}"
    spoken: Counter[_Fact] = Counter()
    board = device if isinstance(device, AccessBoard) else None
    end = DatagramWire(board, faults) if board else PtyWire([device], link, faults=faults)
    async with (
        end as wire,
        _Box(_line(subject.table, wire.url)) as box,
    ):
        await box.back(1)
        for number in range(subject.count):
            while isinstance(device, GateReader) and not device.is_online:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            fact = subject.speak(device, number)
            spoken[fact] += 1
            wanted_count = spoken[fact]
            wait_s = WAIT_S if subject.can_retry else 0.6
            wait_s = OUTAGE_S if board else wait_s
            await box.until(
                lambda seen, fact=fact, count=wanted_count: (  # type: ignore[misc]
                    sum(_fact(o) == fact for o in seen) >= count
                ),
                wait_s,
            )
        kinds = {seen for seen, _, _ in spoken}
        observed = Counter(fact for o in box.observed if (fact := _fact(o))[0] in kinds)
        crossed = Counter((e.seen, e.value, e.part) for e in device.emitted if e.seen in kinds)
        lost_count = sum(o.seen is Seen.LOST for o in box.observed)
    return Counter(
        spoken=spoken.total(),
        observed=(observed & spoken).total(),
        spoiled=(spoken - observed - (crossed - observed)).total(),
        lost=(crossed - observed).total(),
        doubled=_doubled(box.observed, spoken),
        altered=sum(count for fact, count in observed.items() if fact not in spoken),
        lost_and_back=lost_count,
    )


def _doubled(observed: list[Observation], spoken: Counter[_Fact]) -> int:
    """Count what was said more often than it happened; a door may be said again after BACK."""
    doubled_count, counts = 0, Counter[_Fact]()
    for one in observed:
        if one.seen is Seen.BACK:
            counts.clear()
        fact = _fact(one)
        counts[fact] += 1
        doubled_count += fact in spoken and counts[fact] > spoken[fact]
    return doubled_count


async def campaign(seeds: range, wanted: list[str], folder: Path) -> list[dict[str, Any]]:
    """The families with every seed, all wires at once for one seed."""
    sums: dict[str, Counter[str]] = {name: Counter() for name in wanted}
    for seed in seeds:
        counts = await asyncio.gather(
            *(_noisy(name, SUBJECTS[name], seed, folder) for name in wanted)
        )
        for name, count in zip(wanted, counts, strict=True):
            sums[name].update(count)
    names = ("spoken", "observed", "spoiled", "lost", "doubled", "altered", "lost_and_back")
    return [
        {
            "what": "0.1 % of bits flipped, 0.5 % noise bytes",
            "family": name,
            "check": SUBJECTS[name].checked,
            "can_retry": SUBJECTS[name].can_retry,
            "seeds": f"{seeds.start} to {seeds.stop - 1}",
        }
        | {key: sums[name][key] for key in names}
        for name in wanted
    ]


async def _run(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.campaign:
            wanted = [name for name in SUBJECTS if arguments.family in {None, name}]
            return await campaign(range(1, 1 + arguments.seeds), wanted, folder)
        return await rest(folder)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON list")
    parser.add_argument("--campaign", action="store_true", help="noisy wires instead of speed")
    parser.add_argument("--family", help="of the campaign; left out: all of them")
    parser.add_argument("--seeds", type=int, default=3, help="of the campaign")
    parser.add_argument("--fuzz", type=int, default=0, help="so many inputs to the codecs")
    parser.add_argument("--box", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    if arguments.box:
        print(json.dumps(asyncio.run(_be_a_box(arguments.box))))
        return
    rows = fuzz(arguments.fuzz, seed=1) if arguments.fuzz else asyncio.run(_run(arguments))
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print("  ".join(f"{key}={value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
