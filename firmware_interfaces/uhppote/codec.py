"""Packets of the UHPPOTE access boards: 64 bytes over UDP 60000, numbers low byte first.

`17 FUNCTION 00 00 SERIAL[4] ...`; a pushed status begins with 19 in firmware 6.62. Times are BCD.

Source: the protocol as documented by the uhppoted project, checked against its Python package.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

PACKET_BYTES: Final = 64
STARTS: Final = (0x17, 0x19)
MAGIC: Final = 0x55AAAA55

STATUS: Final = 0x20
OPEN_DOOR: Final = 0x40
PUT_CARD: Final = 0x50
DELETE_CARD: Final = 0x52
GET_EVENT: Final = 0xB0
SET_INDEX: Final = 0xB2
GET_INDEX: Final = 0xB4
FUNCTIONS: Final = {STATUS, OPEN_DOOR, PUT_CARD, DELETE_CARD, GET_EVENT, SET_INDEX, GET_INDEX}

CARD_EVENT: Final = 1
NO_EVENT: Final = 0
OVERWRITTEN: Final = 0xFF
DOORS_COUNT: Final = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a board.

    Attributes:
        function: what it answers, or STATUS when the board pushes an event.
        raw: all 64 bytes.
    """

    function: int
    raw: bytes

    @property
    def serial(self) -> int:
        """The board's serial number."""
        return self.number(4)

    def number(self, place: int) -> int:
        """A number of four bytes."""
        return int.from_bytes(self.raw[place : place + 4], "little")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a board's memory.

    Attributes:
        index: from 1, without gaps.
        kind: CARD_EVENT, NO_EVENT, OVERWRITTEN or another.
        is_granted: whether the board opened by itself.
        door: 1 to 4.
        card: as the board writes it: facility * 100000 + number.
        at_s: the board's own clock, seconds; None when it is no time.
    """

    index: int
    kind: int
    is_granted: bool
    door: int
    card: int
    at_s: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """What a board says of itself now.

    Attributes:
        last: its newest event.
        open_doors: the doors that stand open, 1 to 4.
        now_s: the board's own clock, seconds; None when it is no time.
    """

    last: Event
    open_doors: frozenset[int]
    now_s: int | None


def request(function: int, serial: int, data: bytes = b"") -> bytes:
    """Wrap a request; at most 56 bytes of data."""
    head = bytes([STARTS[0], function, 0, 0]) + serial.to_bytes(4, "little")
    return (head + data).ljust(PACKET_BYTES, b"\x00")


def get_event(serial: int, index: int) -> bytes:
    """Ask for one event; index 0 is the oldest that the board still has."""
    return request(GET_EVENT, serial, index.to_bytes(4, "little"))


def set_index(serial: int, index: int) -> bytes:
    """Have the board remember up to which event it was read."""
    data = index.to_bytes(4, "little") + MAGIC.to_bytes(4, "little")
    return request(SET_INDEX, serial, data)


def open_door(serial: int, door: int) -> bytes:
    """Open one door, 1 to 4, for as long as the board is set to."""
    return request(OPEN_DOOR, serial, bytes([door]))


def put_card(serial: int, card: int, days: tuple[str, str], doors: frozenset[int]) -> bytes:
    """Put a card on the board's list; days are YYYYMMDD, first and last, both included."""
    data = card.to_bytes(4, "little") + bytes.fromhex(days[0]) + bytes.fromhex(days[1])
    return request(PUT_CARD, serial, data + bytes(door in doors for door in range(1, 5)))


def delete_card(serial: int, card: int) -> bytes:
    """Take a card off the board's list."""
    return request(DELETE_CARD, serial, card.to_bytes(4, "little"))


def event_of(packet: Packet) -> Event:
    """Read the event in a GET_EVENT or STATUS packet."""
    raw = packet.raw
    return Event(
        index=packet.number(8),
        kind=raw[12],
        is_granted=raw[13] == 1,
        door=raw[14],
        card=packet.number(16),
        at_s=_seconds(raw[20:27]),
    )


def status_of(packet: Packet) -> Status:
    """Read a STATUS packet, asked for or pushed."""
    raw = packet.raw
    open_doors = frozenset(door for door in range(1, 5) if raw[27 + door] == 1)
    return Status(event_of(packet), open_doors, _seconds(b"\x20" + raw[51:54] + raw[37:40]))


class PacketReader:
    """Finds whole packets of one board in any split of a stream; keeps less than one."""

    def __init__(self, serial: int) -> None:
        self._serial = serial
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Packet]:
        """Take in bytes; what is no packet of this board is passed over."""
        found = []
        self._rest += data
        while self._rest:
            if not self._can_begin():
                del self._rest[0]
            elif len(self._rest) < PACKET_BYTES:
                break
            else:
                found.append(Packet(self._rest[1], bytes(self._rest[:PACKET_BYTES])))
                del self._rest[:PACKET_BYTES]
        return found

    def _can_begin(self) -> bool:
        held = self._rest[:8]
        serial = b"\x00\x00" + self._serial.to_bytes(4, "little")
        is_start = held[0] in STARTS and (len(held) < 2 or held[1] in FUNCTIONS)
        return is_start and serial.startswith(held[2:])


def _seconds(bcd: bytes) -> int | None:
    """Seconds of YYYYMMDDhhmmss since the year 1; one board's own, never compared with ours."""
    try:
        moment = datetime.strptime(bcd.hex(), "%Y%m%d%H%M%S")  # noqa: DTZ007  # it has no zone
    except ValueError:
        return None
    return moment.toordinal() * 86_400 + moment.hour * 3_600 + moment.minute * 60 + moment.second


def time_text(at_s: int | None) -> str:
    """Write a board's own time."""
    if at_s is None:
        return "?"
    day = datetime.fromordinal(at_s // 86_400).strftime("%Y-%m-%d")
    return f"{day}T{at_s // 3_600 % 24:02}:{at_s // 60 % 60:02}:{at_s % 60:02}"
