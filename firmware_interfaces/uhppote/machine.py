"""Reads the event memory of one board by index, so that none is missed, and opens its doors.

The board remembers up to which event it was read. What is newer is fetched one by one and said, and
only then is the mark moved: after a crash in between an event may be said again, never lost. While
the box lives it knows itself what it said, so that a board that was away says nothing twice.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.observations import Admit, Command, Observation, Seen
from firmware_interfaces.presence import Presence, refused
from firmware_interfaces.uhppote import codec
from firmware_interfaces.uhppote.codec import Event, Packet, PacketReader, Status
from firmware_interfaces.uhppote.settings import UhppoteLine
from firmware_interfaces.wiegand.codec import Bits
from firmware_interfaces.wiegand.formats import FORMATS, card_value, framed

POLL_MS: Final = 250
POLL_LOST_MS: Final = 1_000
REPLY_MS_MAX: Final = 300
MISSES_COUNT_MAX: Final = 5
ATTEMPTS_COUNT_MAX: Final = 3
ADMITS_COUNT_MAX: Final = 8
MARK_COUNT: Final = 20  # events after which the mark is moved while many wait
FRESH_S: Final = 5  # a card that is older, by the board's own clock, is nobody at the door
FACILITY: Final = 100_000


class UhppoteMachine:
    """The board of one line."""

    def __init__(self, settings: UhppoteLine) -> None:
        self._serial = settings.serial
        self._history_max = settings.history_max
        self._presences = {d.door: Presence(d.name) for d in settings.devices}
        self._door_of = {d.name: d.door for d in settings.devices}
        self._reader = PacketReader(settings.serial)
        self._admits: deque[tuple[int, int]] = deque()  # door, attempts
        self._outgoing = bytearray()
        self._asked: int | None = None
        self._wait_ns = 0
        self._poll_ns = 0
        self._misses_count = 0
        self._read: int | None = None  # up to which event was said; None until the board told
        self._said_through = 0  # likewise, kept while the board is away
        self._marked = 0  # up to which the board knows that
        self._status: Status | None = None
        self._open_doors: frozenset[int] = frozenset()
        self._is_open = False

    def line_opened(self, now: Moment) -> list[Observation]:
        """Ask up to where the board was read."""
        self._is_open = True
        self._reader = PacketReader(self._serial)
        self._outgoing.clear()
        self._asked = self._status = None
        self._forget_read()
        self._misses_count = 0
        self._wait_ns = self._poll_ns = now.mono_ns
        self._next(now)
        return []

    def line_lost(self, now: Moment) -> list[Observation]:
        """Every door is lost, and every admission refused."""
        self._is_open = False
        return self._gone(now, "port")

    def _gone(self, now: Moment, reason: str) -> list[Observation]:
        said = [refused(self._name(door), now, "lost") for door, _ in self._admits]
        self._admits.clear()
        self._forget_read()
        for presence in self._presences.values():
            said += presence.lost(now, reason)
        return said

    def _forget_read(self) -> None:
        """Ask the board again where it stands: it may come back with another memory."""
        if self._read is not None:
            self._said_through, self._read = self._read, None

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Open a door."""
        door = self._door_of.get(command.device)
        if door is None or not isinstance(command, Admit):
            return [refused(command.device, now, "not a command for this device")]
        if not self._presences[door].is_back:
            return [refused(command.device, now, "lost")]
        if len(self._admits) >= ADMITS_COUNT_MAX:
            return [refused(command.device, now, "busy")]
        self._admits.append((door, 0))
        self._next(now)
        return []

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in packets."""
        said = []
        for packet in self._reader.feed(data):
            said += self._received(packet, now)
        if self._is_open:
            self._next(now)
        return said

    def _received(self, packet: Packet, now: Moment) -> list[Observation]:
        if packet.function != self._asked:
            if packet.function == codec.STATUS:
                self._poll_ns = now.mono_ns  # pushed: look at once
            return []
        self._asked = None
        self._misses_count = 0
        self._wait_ns = now.mono_ns
        answers: dict[int, Callable[[Packet, Moment], list[Observation]]] = {
            codec.GET_INDEX: self._index,
            codec.STATUS: self._status_said,
            codec.GET_EVENT: self._event,
            codec.SET_INDEX: self._mark_moved,
            codec.OPEN_DOOR: self._opened,
        }
        return answers[packet.function](packet, now)

    def _index(self, packet: Packet, _now: Moment) -> list[Observation]:
        mark = codec.index_of(packet)
        # Its mark lies where we left it: the same memory, of which more was said than is marked.
        is_same = self._marked <= mark <= self._said_through
        self._read = self._said_through if is_same else mark
        self._marked = mark
        return []

    def _status_said(self, packet: Packet, now: Moment) -> list[Observation]:
        self._poll_ns = now.mono_ns + POLL_MS * NS_PER_MS
        self._status = status = codec.status_of(packet)
        said = [one for presence in self._presences.values() for one in presence.back(now)]
        if self._read is not None and status.last.index < self._read:
            self._read = 0  # its memory was cleared
        said += self._skip_old(now)
        moved, self._open_doors = self._open_doors ^ status.open_doors, status.open_doors
        for door in sorted(moved & set(self._presences)):
            seen = Seen.DOOR_OPENED if door in status.open_doors else Seen.DOOR_CLOSED
            said.append(Observation(self._name(door), seen, now, part=door))
        return said

    def _skip_old(self, now: Moment) -> list[Observation]:
        assert self._status is not None
        if self._read is None:
            return []
        missed = self._status.last.index - self._read - self._history_max
        if missed <= 0:
            return []
        self._read += missed
        return [self._missed(missed, now)]

    def _missed(self, count: int, now: Moment) -> Observation:
        first = min(self._presences)
        return Observation(self._name(first), Seen.MISSED, now, value=str(count))

    def _event(self, packet: Packet, now: Moment) -> list[Observation]:
        event = codec.event_of(packet)
        if self._read is None:
            return []
        if event.kind in {codec.NO_EVENT, codec.OVERWRITTEN} or event.index > self._read + 1:
            oldest = event.index if event.kind not in {codec.NO_EVENT, codec.OVERWRITTEN} else 0
            missed = max(oldest - self._read - 1, 1)
            self._read += missed
            return [self._missed(missed, now)]
        if event.index != self._read + 1:
            return []
        self._read = event.index
        return self._said(event, now)

    def _said(self, event: Event, now: Moment) -> list[Observation]:
        if event.kind != codec.CARD_EVENT or event.door not in self._presences:
            return []
        name, card = self._name(event.door), _card(event.card)
        if not self._is_fresh(event):
            value = f"{card} {codec.time_text(event.at_s)}"
            return [Observation(name, Seen.CARD_BEFORE, now, value=value, part=event.door)]
        said = [Observation(name, Seen.CARD, now, value=card, part=event.door)]
        if event.is_granted:
            said.append(Observation(name, Seen.ADMITTED, now, value=card, part=event.door))
        return said

    def _is_fresh(self, event: Event) -> bool:
        now_s = self._status.now_s if self._status else None
        if now_s is None or event.at_s is None:
            return False
        return abs(now_s - event.at_s) <= FRESH_S

    def _mark_moved(self, _packet: Packet, _now: Moment) -> list[Observation]:
        self._marked = self._read or 0
        return []

    def _opened(self, packet: Packet, now: Moment) -> list[Observation]:
        if not self._admits:
            return []
        door, _ = self._admits.popleft()
        if codec.was_opened(packet):
            return [Observation(self._name(door), Seen.ADMITTED, now, part=door)]
        return [refused(self._name(door), now, "board refuses")]

    def time_passed(self, now: Moment) -> list[Observation]:
        """Give up on an answer that does not come, and ask what is due."""
        if not self._is_open or now.mono_ns < self._wait_ns:
            return []
        said = self._silence(now) if self._asked is not None else []
        self._next(now)
        return said

    def _silence(self, now: Moment) -> list[Observation]:
        asked, self._asked = self._asked, None
        said = []
        if asked == codec.OPEN_DOOR and self._admits:
            door, attempts_count = self._admits.popleft()
            if attempts_count < ATTEMPTS_COUNT_MAX:
                self._admits.appendleft((door, attempts_count))
            else:
                said.append(refused(self._name(door), now, "board is silent"))
        self._misses_count += 1
        if self._misses_count >= MISSES_COUNT_MAX:
            said += self._gone(now, "silent")
            self._wait_ns = now.mono_ns + POLL_LOST_MS * NS_PER_MS
        return said

    def _next(self, now: Moment) -> None:
        """Send the one thing that is most due, if no answer is awaited."""
        if self._asked is not None or now.mono_ns < self._wait_ns:
            return
        function, data = self._most_due(now)
        if not data:
            return
        self._asked = function
        self._outgoing += data
        self._wait_ns = now.mono_ns + REPLY_MS_MAX * NS_PER_MS

    def _most_due(self, now: Moment) -> tuple[int, bytes]:
        if self._admits:
            door, attempts_count = self._admits[0]
            self._admits[0] = door, attempts_count + 1
            return codec.OPEN_DOOR, codec.open_door(self._serial, door)
        if self._read is None:
            return codec.GET_INDEX, codec.ask_index(self._serial)
        if now.mono_ns >= self._poll_ns:
            return codec.STATUS, codec.ask_status(self._serial)
        last = self._status.last.index if self._status else 0
        unmarked = self._read - self._marked
        if unmarked and (self._read >= last or unmarked >= MARK_COUNT):
            return codec.SET_INDEX, codec.set_index(self._serial, self._read)
        if self._read < last:
            return codec.GET_EVENT, codec.get_event(self._serial, self._read + 1)
        return 0, b""

    def bytes_to_send(self) -> bytes:
        """Hand over the request, if there is one."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def deadline_ns(self) -> int | None:
        """When an answer is overdue or the board is to be asked."""
        if not self._is_open:
            return None
        return self._wait_ns if self._asked is not None else max(self._wait_ns, self._poll_ns)

    def _name(self, door: int) -> str:
        return self._presences[door].device


def _card(number: int) -> str:
    """Write a card as every reader of ours does, if the board's number is one of 26 bits."""
    facility, card = divmod(number, FACILITY)
    if facility <= 0xFF and card <= 0xFFFF:
        frame = framed(Bits(24, facility << 16 | card), FORMATS["26"])
        assert frame is not None
        return card_value(frame)
    return f"32:{number:08x}"
