"""Packets of the UHPPOTE access boards: 64 bytes over UDP 60000, by the uhppoted package.

`17 FUNCTION 00 00 SERIAL[4] ...`; a pushed status begins with 19 in firmware 6.62.

The package's `encode` and `decode` are pure and write and read every field; its drivers own their
sockets and their waiting and are not used. What is ours is finding whole packets of one board in
any split of a stream, and the board's own time as a number. Source: the
uhppoted package; docs/decisions/0017-uhppote-by-the-package.md says why it is used so.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from uhppoted import codec as names  # type: ignore[import-untyped]  # it brings no types
from uhppoted import decode, encode

from firmware_interfaces.uhppote.settings import DOORS_COUNT

PACKET_BYTES: Final = 64
STARTS: Final = (names.SOM, names.SOM_v6_62)

STATUS: Final = names.GET_STATUS
OPEN_DOOR: Final = names.OPEN_DOOR
PUT_CARD: Final = names.PUT_CARD
DELETE_CARD: Final = names.DELETE_CARD
GET_EVENT: Final = names.GET_EVENT
SET_INDEX: Final = names.SET_EVENT_INDEX
GET_INDEX: Final = names.GET_EVENT_INDEX
FUNCTIONS: Final = {STATUS, OPEN_DOOR, PUT_CARD, DELETE_CARD, GET_EVENT, SET_INDEX, GET_INDEX}

CARD_EVENT: Final = 1
NO_EVENT: Final = 0
OVERWRITTEN: Final = 0xFF


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


def ask_status(serial: int) -> bytes:
    """Ask for the newest event, the doors and the clock."""
    return bytes(encode.get_status_request(serial))


def ask_index(serial: int) -> bytes:
    """Ask up to which event the board was read."""
    return bytes(encode.get_event_index_request(serial))


def get_event(serial: int, index: int) -> bytes:
    """Ask for one event; index 0 is the oldest that the board still has."""
    return bytes(encode.get_event_request(serial, index))


def set_index(serial: int, index: int) -> bytes:
    """Have the board remember up to which event it was read."""
    return bytes(encode.set_event_index_request(serial, index))


def open_door(serial: int, door: int) -> bytes:
    """Open one door, 1 to 4, for as long as the board is set to."""
    return bytes(encode.open_door_request(serial, door))


def put_card(serial: int, card: int, days: tuple[date, date], doors: frozenset[int]) -> bytes:
    """Put a card on the board's list; the first and the last day are both included."""
    may_open = [int(door in doors) for door in range(1, DOORS_COUNT + 1)]
    return bytes(encode.put_card_request(serial, card, *days, *may_open, 0))


def delete_card(serial: int, card: int) -> bytes:
    """Take a card off the board's list."""
    return bytes(encode.delete_card_request(serial, card))


def event_of(packet: Packet) -> Event:
    """Read the event in a GET_EVENT or STATUS packet."""
    if packet.function == STATUS:
        return status_of(packet).last
    said = decode.get_event_response(_answer(packet))
    return Event(
        index=said.index,
        kind=said.event_type,
        is_granted=said.access_granted,
        door=said.door,
        card=said.card,
        at_s=_seconds(said.timestamp),
    )


def status_of(packet: Packet) -> Status:
    """Read a STATUS packet, asked for or pushed."""
    said = decode.get_status_response(_answer(packet))
    doors = (said.door_1_open, said.door_2_open, said.door_3_open, said.door_4_open)
    last = Event(
        index=said.event_index,
        kind=said.event_type or NO_EVENT,
        is_granted=bool(said.event_access_granted),
        door=said.event_door or 0,
        card=said.event_card or 0,
        at_s=_seconds(said.event_timestamp),
    )
    now = said.system_date and said.system_time
    now_s = (
        _seconds(datetime.combine(said.system_date, said.system_time)) if now is not None else None
    )
    open_doors = frozenset(door for door, is_open in enumerate(doors, start=1) if is_open)
    return Status(last, open_doors, now_s)


def index_of(packet: Packet) -> int:
    """Read up to which event the board was read."""
    return int(decode.get_event_index_response(_answer(packet)).event_index)


def was_opened(packet: Packet) -> bool:
    """Read whether the board opened the door that it was told to open."""
    return bool(decode.open_door_response(_answer(packet)).opened)


def _answer(packet: Packet) -> bytes:
    """A packet as the package wants it: pushed ones of firmware 6.62 begin otherwise."""
    return bytes([names.SOM]) + packet.raw[1:]


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


def _seconds(moment: datetime | None) -> int | None:
    """Seconds since the year 1; one board's own time, never compared with ours."""
    if moment is None:
        return None
    return moment.toordinal() * 86_400 + moment.hour * 3_600 + moment.minute * 60 + moment.second


def time_text(at_s: int | None) -> str:
    """Write a board's own time."""
    if at_s is None:
        return "?"
    day = datetime.fromordinal(at_s // 86_400).strftime("%Y-%m-%d")
    return f"{day}T{at_s // 3_600 % 24:02}:{at_s // 60 % 60:02}:{at_s % 60:02}"
