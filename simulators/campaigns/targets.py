"""Every decoder that faces the wire or the disk, with good inputs, a mutator and its one error."""

import struct
from binascii import crc_hqx
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final

import zstandard

from agreed.directives import DirectiveError, decode_directive
from agreed.messages import (
    Applied,
    BlocksSent,
    Committed,
    DirectivesSent,
    Hello,
    MessageError,
    Parted,
    Refused,
    Status,
    decode_message,
    encode_message,
)
from agreed.records import ClockState, Evidence, Record, to_columns
from agreed.wire import HASH_BYTES, NO_HASH, Origin, WireError, decode_block, encode_block
from agreed.words import RemedyError
from cloud.replay.mapping import FileForm, read_mapping
from cloud.replay.rows import Line, split_rows
from cloud.replay.timestamps import DateOrder, EpochUnit, TimeForm, TimeReadError, read_time_ms
from edge.clock import parse_memory
from edge.config import read_settings
from firmware_interfaces.ble import codec as ble
from firmware_interfaces.contacts import codec as pins
from firmware_interfaces.locker import codec as locker
from firmware_interfaces.modbus import codec as modbus
from firmware_interfaces.osdp import codec as osdp
from firmware_interfaces.scanner import framed
from firmware_interfaces.scanner.codec import ENDS, CodeReader
from firmware_interfaces.uhppote import codec as uhppote
from firmware_interfaces.wiegand.codec import CardReader
from simulators.campaigns.mutating import mutated, mutated_document

STREAM_INPUTS_MAX: Final = 200
"""A reader of a line takes so many inputs before a fresh one: what it keeps must stay small."""

_HEADER: Final = struct.Struct("<4s16s16sQIII32s3B")
_SETTINGS: Final = """
company = "greentown"
site = "lakeside"
box = "east-gate"
data = "data"
alive_s = 300
[headquarters]
url = "mqtt://hq.example.cn:1883"
reconnect_s_max = 30
[journal]
window_ms = 200
[[gate]]
reader = "gate-in"
open_ms = 3000
[[line]]
family = "osdp"
port = "/dev/ttyUSB0"
devices = [{ name = "gate-in", address = 0, key_file = "keys/gate-in" }]
"""
_MAPPING: Final = """
company = "receipt"
site = "counter"
[time]
time_zone = "Asia/Shanghai"
[columns]
case = "case:concept:name"
step = "concept:name"
actor = "org:resource"
time = "time:timestamp"
[pack]
key = "building-permit"
price_fen = 200_00
pool_bp = 1_000
[[promise]]
name = "planned-end"
promised = "case:enddate_planned"
actual = { column = "case:enddate" }
paid = { column = "case:responsible" }
hard_limit = "30d"
piece_rate_fen = 500
"""
_DIRECTIVES: Final = (
    (
        '{"kind":"put_credential","card":"26:0a","subject":"w-1","role":"worker",'
        '"valid_from_ms":0,"valid_until_ms":9}'
    ),
    '{"kind":"end_credential","card":"26:0a"}',
    '{"kind":"end_order","order":"o-1"}',
    (
        '{"kind":"put_order","order":"o-1","pack":"p","nodes":[{"node":"n","worker":"w-1",'
        '"node_kind":"gate_passed","match":1,"opens_at_ms":0,"promised_at_ms":5,"tolerance_ms":1,'
        '"hard_ms":2}],"codes":[{"code":"abcdef","action":"start","subject":"w-1"}]}'
    ),
)
_TIMES: Final = (
    "2024-03-04 05:06:07.123456+08:00",
    "04/03/2024 5:06",
    "20240304T050607Z",
    "1709500000",
    "2024年3月4日 05:06",
    "1709500000.5",
)
_FORMS: Final = (
    TimeForm(),
    TimeForm(epoch=EpochUnit.SECONDS),
    TimeForm(epoch=EpochUnit.NANOSECONDS, date_order=DateOrder.DAY_FIRST),
)


@dataclass(slots=True)
class Target:
    """One decoder under attack.

    Attributes:
        name: of the decoder.
        good: inputs that it takes.
        decode: feeds it one input; True when the input was taken.
        errors: the only errors that it may raise.
        repair: makes checksums and hashes of a spoiled input right again.
        weight: its share of all inputs.
    """

    name: str
    good: list[bytes]
    decode: Callable[[bytes], bool]
    errors: tuple[type[Exception], ...]
    repair: Callable[[bytes, Random], bytes] = field(default=lambda data, _dice: data)
    weight: int = 4

    def hostile(self, dice: Random) -> bytes:
        """Make one input; three of four are repaired, so that they get past the checksum."""
        data = mutated(dice.choice(self.good), dice, self.good)
        return self.repair(data, dice) if dice.random() < 0.75 else data


def make_targets(folder: Path) -> list[Target]:
    """List every decoder; settings are read from a file in the folder."""
    forms = ("hex", "decimal", "bits", "stx", "em18")
    return [
        Target("block", _blocks(), _decode_block, (WireError,), _repaired_block, weight=10),
        Target("message", _messages(), _decode_message, (MessageError,), _repaired_message, 10),
        Target("signed blocks", _signed_blocks(), _decode_message, (MessageError,)),
        Target(
            "directive",
            [text.encode() for text in _DIRECTIVES],
            lambda data: decode_directive(data) is not None,
            (DirectiveError,),
            _repaired_document,
            weight=10,
        ),
        _line("osdp", osdp.FrameReader, _osdp_frames(), _repaired_osdp),
        *(_line(f"locker {name}", make, good, repair) for name, make, good, repair in _lockers()),
        *(_line(f"scanner text {ends}", partial(CodeReader, ends, 64), _codes()) for ends in ENDS),
        *(
            _line(f"scanner {name}", partial(_asked, name), _answers(), _repaired_gm65)
            for name in ("gm65", "newland")
        ),
        _line("scanner ssi", framed.PacketReader, _packets(), _repaired_ssi),
        *(_line(f"wiegand {form}", partial(CardReader, form), _codes()) for form in forms),
        _line("modbus", modbus.ReplyReader, _modbus_frames(), _repaired_modbus),
        _line("contacts", pins.LevelReader, [pins.written(pins.Level(17, True))]),
        Target("ble", _advertisements(), _decode_advertisement, ()),
        Target("uhppote", [b"\x17\x20\0\0\x01\0\0\0" + bytes(56)], _decode_uhppote, ()),
        _settings_target(folder),
        Target("mapping", [_MAPPING.encode()], _decode_mapping, (RemedyError,), weight=2),
        Target("replay rows", _rows(), _decode_rows, (RemedyError,)),
        Target("replay times", [t.encode() for t in _TIMES], _decode_time, (TimeReadError,)),
        Target("clock memory", [b"5 boot-1 7 8 9", b"0 - 0 0 0"], _decode_memory, ()),
    ]


def _line(
    name: str,
    make: Callable[[], Any],
    good: list[bytes],
    repair: Callable[[bytes, Random], bytes] = lambda data, _dice: data,
) -> Target:
    """Attack a reader of a stream: it raises nothing, and it lives on from input to input."""
    held: list[Any] = [make(), 0]

    def decode(data: bytes) -> bool:
        if held[1] >= STREAM_INPUTS_MAX:
            held[:] = [make(), 0]
        held[1] += 1
        return bool(held[0].feed(data))

    return Target(name, good, decode, (), repair, weight=2)


def _blocks() -> list[bytes]:
    origin = Origin("acme", "north", "gate", b"e" * 16, b"b" * 16)
    found = []
    for count in (1, 3, 40):
        records = [
            Record(
                i + 1,
                i * 10**9,
                1_800_000_000_000 + i,
                5,
                ClockState.SYNCED,
                Evidence.DEVICE,
                f"gate-{i % 3}",
                "gate_passed",
                f"w-{i}",
                "",
                "resident",
            )
            for i in range(count)
        ]
        found.append(encode_block(origin, NO_HASH, to_columns(records)))
    return found


def _decode_block(data: bytes) -> bool:
    return len(decode_block(data).columns) > 0


def _repaired_block(data: bytes, dice: Random) -> bytes:
    """Right the hash; sometimes spoil what is inside of the compression, and right the lengths."""
    body = data[:-HASH_BYTES]
    if dice.random() < 0.6:
        good = dice.choice(_blocks_held())
        *head, raw_bytes, packed_bytes, previous, one, two, three = _HEADER.unpack_from(good)
        start = _HEADER.size + one + two + three
        raw = zstandard.ZstdDecompressor().decompress(good[start:-HASH_BYTES])
        assert (len(raw), len(good) - start - HASH_BYTES) == (raw_bytes, packed_bytes)
        raw = mutated(raw, dice, [raw])
        packed = zstandard.ZstdCompressor(level=1).compress(raw)
        lengths = one, two, three
        header = _HEADER.pack(*head, len(raw), len(packed), previous, *lengths)
        body = header + good[_HEADER.size : start] + packed
    return body + sha256(body).digest()


_held: list[bytes] = []


def _blocks_held() -> list[bytes]:
    if not _held:
        _held.extend(_blocks())
    return _held


def _messages() -> list[bytes]:
    epoch, head = "0f" * 16, "a0" * 32
    status = Status(
        at_ms=1, bound_ms=2, clock_state=2, head_sequence=3, waiting_records=4, oldest_waiting_ms=5
    )
    messages = (
        Hello(epoch=epoch, head_sequence=9, directive_stream=epoch, applied_through=2),
        Committed(epoch=epoch, through=7, head=head),
        Refused(refusal=2, reason="two histories"),
        Parted(epoch=epoch, asked_through=9, through=3, head=head),
        DirectivesSent(stream=epoch, first=1, directives=list(_DIRECTIVES)),
        Applied(stream=epoch, through=2),
        status,
    )
    return [encode_message(message) for message in messages]


def _signed_blocks() -> list[bytes]:
    blocks = _blocks()
    return [
        encode_message(BlocksSent(blocks=sent, signature=bytes(64)))
        for sent in (blocks[:1], blocks)
    ]


def _decode_message(data: bytes) -> bool:
    decode_message(data)
    return True


def _repaired_message(data: bytes, dice: Random) -> bytes:
    """Spoil the document inside of the compression."""
    good = dice.choice(_messages_held())
    body = zstandard.ZstdDecompressor().decompress(good[3:])
    if dice.random() < 0.7:
        body = mutated_document(body.decode(), dice).encode()
    else:
        body = mutated(body, dice, [body])
    kind = data[2:3] if dice.random() < 0.1 and len(data) > 3 else good[2:3]
    return b"D1" + kind + zstandard.compress(body)


_held_messages: list[bytes] = []


def _messages_held() -> list[bytes]:
    if not _held_messages:
        _held_messages.extend(_messages())
    return _held_messages


def _repaired_document(_data: bytes, dice: Random) -> bytes:
    return mutated_document(dice.choice(_DIRECTIVES), dice).encode()


def _osdp_frames() -> list[bytes]:
    bodies = (b"\x53\x80\x08\x00\x04\x40", b"\x53\x80\x0e\x00\x05\x50\x00\x01\x1a\x00\xaa\xbb")
    return [body + osdp.crc16(body).to_bytes(2, "little") for body in bodies]


def _repaired_osdp(data: bytes, _dice: Random) -> bytes:
    start = data.find(b"\x53")
    if start < 0 or len(data) - start < osdp.FRAME_BYTES_MIN:
        return data
    body = bytearray(data[start:-2])
    body[2:4] = (len(body) + 2).to_bytes(2, "little")
    return bytes(body) + osdp.crc16(bytes(body)).to_bytes(2, "little")


_Locker = tuple[str, Callable[[], Any], list[bytes], Callable[[bytes, Random], bytes]]


def _lockers() -> Iterator[_Locker]:
    summed = b"\x02\x00\x35\x12\x34\x00\x00\x03"
    cu48 = b"\x02\x00\x00\x75\x06" + bytes(6)
    xored = b"\x80\x01\xff\x0f\x01\x33"
    wkly = b"WKLY\x0b\x01\x84\x00\x01\x01"
    kinds = (
        ("cu16", locker.CU16_REPLIES, summed, _sum),
        ("cu48", locker.CU48_REPLIES, cu48, _sum),
        ("xor", locker.XOR_REPLIES, xored, _xor),
        ("wkly", locker.WKLY_REPLIES, wkly, _xor),
        ("winnsen", locker.WINNSEN_REPLIES, b"\x90\x07\x92\x01\x01\x00", lambda _body: 3),
    )
    for name, replies, body, check in kinds:
        good = [body + bytes([check(body)])]
        yield (
            name,
            partial(locker.StatusReader, replies),
            good,
            partial(_ended, check),
        )


def _ended(check: Callable[[bytes], int], data: bytes, _dice: Random) -> bytes:
    return data[:-1] + bytes([check(data[:-1])])


def _sum(body: bytes) -> int:
    return sum(body) & 0xFF


def _xor(body: bytes) -> int:
    xor = 0
    for byte in body:
        xor ^= byte
    return xor


def _codes() -> list[bytes]:
    bits = b"\r" + b"01" * 13 + b"\n"
    tags = [b"0A001122330A", b"\x020A001122330A\x03", b"\r0A1B2C\r", bits, b"\r0123456789\r"]
    return [*tags, b"ABC-123\r\n", b"C-1\n", "取件码8812\r".encode()]


def _asked(name: str) -> framed.TextReader:
    return framed.TextReader(CodeReader("cr_lf", 64), name)


def _answers() -> list[bytes]:
    gm65 = b"\x02\x00\x00\x01\x31"
    crc = crc_hqx(gm65[2:], 0).to_bytes(2)
    return [gm65 + crc, b"\x02\x010000@SCNMOD3\x06;\x03", b"ABC\r\n"]


def _repaired_gm65(data: bytes, _dice: Random) -> bytes:
    return data[:-2] + crc_hqx(data[2:-2], 0).to_bytes(2)


def _packets() -> list[bytes]:
    return [framed.ssi_packet(framed.SSI_CODE, b"\x03ABC", source=framed.SSI_SCANNER)]


def _repaired_ssi(data: bytes, _dice: Random) -> bytes:
    body = bytearray(data[:-2])
    if body:
        body[0] = len(body) & 0xFF
    return bytes(body) + (-sum(body) & 0xFFFF).to_bytes(2)


def _modbus_frames() -> list[bytes]:
    return [
        modbus.frame(1, bytes([modbus.READ_INPUTS, 1, 5])),
        modbus.write_coil(1, 0, is_on=True),
    ]


def _repaired_modbus(data: bytes, _dice: Random) -> bytes:
    return modbus.frame(data[0], data[1:-2]) if len(data) > 2 else data


def _advertisements() -> list[bytes]:
    beacons = [b"\x1a\xff\x4c\x00\x02\x15" + bytes(21), b"\x0d\x16\xaa\xfe\x30" + bytes(9)]
    return [ble.written(ble.Report(bytes(6), -50, data)) for data in beacons]


def _decode_advertisement(data: bytes) -> bool:
    ble.identity(data)  # what stands on the air has no check of ours around it
    return bool([ble.identity(report.data) for report in ble.ReportReader().feed(data)])


def _decode_uhppote(data: bytes) -> bool:
    packets = uhppote.PacketReader(1).feed(data)
    for packet in packets:
        uhppote.event_of(packet)
        uhppote.status_of(packet)
    return bool(packets)


def _settings_target(folder: Path) -> Target:
    path = folder / "box.toml"

    def decode(data: bytes) -> bool:
        path.write_bytes(data)
        return bool(read_settings(path).box)

    return Target("settings", [_SETTINGS.encode()], decode, (RemedyError,), weight=2)


def _decode_mapping(data: bytes) -> bool:
    return read_mapping(data, "mapping.toml") is not None


def _rows() -> list[bytes]:
    return [b'order,step,at\no-1,"a ""b""\nc",2024\n', "订单;时间\r\n1;2\r\n".encode("gb18030")]


def _decode_rows(data: bytes) -> bool:
    form = FileForm(encoding=(None, "gb18030", "utf-8")[len(data) % 3])
    lines = [
        Line(number, line, len(line))
        for number, line in enumerate(data.splitlines(keepends=True), 1)
    ]
    return sum(1 for _row in split_rows(lines, form)) > 0


def _decode_time(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    return read_time_ms(text, _FORMS[len(text) % len(_FORMS)]) >= 0


def _decode_memory(data: bytes) -> bool:
    return bool(parse_memory(data.decode("utf-8", "replace")).machine_boot)
