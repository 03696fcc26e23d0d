"""Hostile bytes into every codec of a device: what raises, what is made of them, what is kept.

python -m benchmarks.devices --fuzz 10000000
"""

import random
import resource
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol

from firmware_interfaces.ble import codec as ble
from firmware_interfaces.contacts import codec as contacts
from firmware_interfaces.locker.codec import StatusReader
from firmware_interfaces.locker.kinds import KINDS
from firmware_interfaces.modbus.codec import ReplyReader
from firmware_interfaces.osdp.codec import (
    CRC_BIT,
    FRAME_BYTES_MIN,
    KEYPAD,
    RAW_CARD,
    START,
    FrameReader,
    crc16,
)
from firmware_interfaces.osdp.reports import card_value, keys_value
from firmware_interfaces.scanner.codec import CodeReader
from firmware_interfaces.scanner.framed import PacketReader, TextReader
from firmware_interfaces.scanner.wedge import WedgeReader
from firmware_interfaces.uhppote import codec as uhppote
from firmware_interfaces.wiegand.codec import CardReader
from simulators.devices.radio_wire import ibeacon
from simulators.devices.ssi_scanner import packet
from simulators.devices.wedge_scanner import keys, press

SERIAL: Final = 405_419_896
RAISED_SHOWN_COUNT: Final = 3


class Reader(Protocol):
    """What every codec has: bytes in any split go in, whole facts come out."""

    def feed(self, data: bytes, /) -> Sequence[object]:
        """Take in bytes."""
        ...


class _OsdpReader:
    """Frames, and what a listener reads in their data."""

    def __init__(self) -> None:
        self._frames = FrameReader()

    def feed(self, data: bytes) -> Sequence[object]:
        frames = self._frames.feed(data)
        return [(f.is_hidden, card_value(f.data), keys_value(f.data)) for f in frames]


class _RadioReader:
    """Advertisements, and who they say they are."""

    def __init__(self) -> None:
        self._reports = ble.ReportReader()

    def feed(self, data: bytes) -> Sequence[object]:
        return [ble.identity(report.data) for report in self._reports.feed(data)]


def readers() -> dict[str, Callable[[], Reader]]:
    """Name every codec, and how a fresh one is made."""
    made: dict[str, Callable[[], Reader]] = {
        "osdp": _OsdpReader,
        "modbus": ReplyReader,
        "contacts": contacts.LevelReader,
        "ble": _RadioReader,
        "uhppote": lambda: uhppote.PacketReader(SERIAL),
        "scanner text": lambda: CodeReader("cr_lf", 512),
        "scanner gm65": lambda: TextReader(CodeReader("cr_lf", 512), "gm65"),
        "scanner newland": lambda: TextReader(CodeReader("cr_lf", 512), "newland"),
        "scanner ssi": PacketReader,
        "scanner wedge": lambda: WedgeReader(CodeReader("cr_lf", 512), "us"),
    }
    for name, kind in KINDS.items():
        made[name] = partial(StatusReader, kind.replies)
    for form in ("hex", "decimal", "bits", "stx", "em18"):
        made[f"wiegand {form}"] = partial(CardReader, form)
    return made


def _heard(structures: bytes) -> bytes:
    return ble.written(ble.Report(bytes(6), -60, structures))


def _eddystone(frame: bytes) -> bytes:
    owner = ble.EDDYSTONE.to_bytes(2, "little")
    return ble.structure(ble.SERVICE_16, owner + frame)


def _plain(code: int, data: bytes) -> bytes:
    """Write an answer of a reader without a secure channel."""
    frame = bytes([START, 0x80, len(data) + FRAME_BYTES_MIN, 0, CRC_BIT, code]) + data
    return frame + crc16(frame).to_bytes(2, "little")


# Real frames, so that spoiled ones reach deep into each codec.
SEEDS: Final = (
    *map(
        bytes.fromhex,
        (
            "53800e000d02164085b18687d2be",
            "010201016048",
            "020035feff00000337",
            "0200007506feffffffffff76",
            "800101010133b3",
            "574b4c590d0084000301000183",
            "90079201010303",
            "02000001003331",
            "0201303030304053434e4d4f4433063b03",
            "0236324533303836434544303803",
            "3041314232430d",
        ),
    ),
    b"0000662316\r\n",
    b"000010100001101100101100\r",
    _plain(RAW_CARD, bytes.fromhex("00001a000a1b2c80")),
    _plain(KEYPAD, b"\x00\x0412*#"),
    packet(0xF3, b"\x03PARCEL-1"),
    uhppote.ask_status(SERIAL),
    keys("a1") + press(28),
    contacts.written(contacts.Level(17, is_high=True)),
    _heard(ble.structure(ble.MANUFACTURER, ble.APPLE.to_bytes(2, "little") + ibeacon(1)[1])),
    _heard(_eddystone(b"\x00\xee" + bytes(16))),
    _heard(_eddystone(b"\x30\xee" + bytes(8))),
)


def inputs(dice: random.Random, count: int) -> Iterator[bytes]:
    """Give frames, 70 % with one flipped bit, half with up to seven bytes of noise behind."""
    for _ in range(count):
        data = bytearray(dice.choice(SEEDS))
        if dice.random() < 0.7:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        if dice.random() < 0.5:
            data += dice.randbytes(dice.randrange(8))
        yield bytes(data)


def fuzz(count: int, seed: int) -> list[dict[str, Any]]:
    """Feed every codec its share; each reader lives through all of it, and keeps little."""
    each_count = -(-count // len(readers()))
    return [_fuzzed(name, make(), each_count, seed) for name, make in readers().items()]


def _fuzzed(name: str, reader: Reader, count: int, seed: int) -> dict[str, Any]:
    facts_count = 0
    raised: list[str] = []
    before_kib = _peak_kib()
    for data in inputs(random.Random(f"{seed} {name}"), count):
        try:
            facts_count += len(reader.feed(data))
        except Exception as error:  # noqa: BLE001  # whatever a codec raises is counted
            raised.append(f"{data.hex()}: {error!r}")
    return {
        "what": "fuzz",
        "codec": name,
        "inputs": count,
        "seed": seed,
        "raised": len(raised),
        "first_raised": raised[:RAISED_SHOWN_COUNT],
        "facts": facts_count,
        "resident_growth_kib": _peak_kib() - before_kib,
    }


def _peak_kib() -> int:
    """The most that this process ever had in memory. Source: getrusage(2)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
