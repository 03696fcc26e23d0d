"""Hears the readers of a line whose master is somebody else's door controller, and never speaks.

What is in plain text becomes observations. What a secure channel hides stays hidden, and that is
said once for each reader. A frame that the box itself heard spoiled cannot be asked for again.
"""

from dataclasses import dataclass
from typing import Final

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.garbage import Garbage
from firmware_interfaces.observations import Command, Observation, Seen
from firmware_interfaces.osdp.codec import (
    ACK,
    DRIVE_OUTPUT,
    KEYPAD,
    LOCAL_STATUS,
    RAW_CARD,
    Frame,
    FrameReader,
)
from firmware_interfaces.osdp.reports import LocalStatus, card_value, keys_value
from firmware_interfaces.osdp.settings import OsdpLine
from firmware_interfaces.presence import Presence, refused

SILENCE_MS_MAX: Final = 8_000  # a master gives a reader up at the latest after so long
HIDDEN: Final = "a secure channel hides it"
OUTPUT_ON: Final = {2, 4, 5}  # Source: IEC 60839-11-5, osdp_OUT, control codes that switch it on


@dataclass(slots=True)
class Overheard:
    """What was heard about one reader.

    Attributes:
        presence: whether it answers its master.
        output: which of its outputs moves the gate.
        status: its tamper and power.
        heard_ns: when it last answered.
        asked: the last command for it; None once it is answered.
        exchange: the last command and its answer: the same pair again is a repetition.
        is_hidden: whether its channel was said to be unreadable.
    """

    presence: Presence
    output: int
    status: LocalStatus
    heard_ns: int = 0
    asked: Frame | None = None
    exchange: tuple[bytes, bytes] = (b"", b"")
    is_hidden: bool = False


class OsdpListener:
    """The readers of one line, as its wire tells of them.

    Attributes:
        hidden_count: answers whose data was encrypted.
    """

    def __init__(self, settings: OsdpLine) -> None:
        self.hidden_count = 0
        self._readers = {
            device.address: Overheard(
                Presence(device.name), device.output, LocalStatus(device.name)
            )
            for device in settings.devices
        }
        self._frames = FrameReader()
        self._garbage = Garbage()
        self._is_open = False

    def line_opened(self, now: Moment) -> list[Observation]:
        """Begin with nothing heard."""
        self._is_open = True
        self._frames = FrameReader()
        self._garbage.line_opened()
        for reader in self._readers.values():
            reader.heard_ns, reader.asked, reader.is_hidden = now.mono_ns, None, False
            reader.exchange = (b"", b"")
        return []

    def line_lost(self, now: Moment) -> list[Observation]:
        """Every reader is lost."""
        self._is_open = False
        return [
            said for reader in self._readers.values() for said in reader.presence.lost(now, "port")
        ]

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Refuse: the line has another master."""
        return [refused(command.device, now, "only listening")]

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what anybody said on the line."""
        said: list[Observation] = []
        frames = self._frames.feed(data)
        self._garbage.heard(data, is_understood=bool(frames))
        for frame in frames:
            reader = self._readers.get(frame.address)
            if reader is None:
                continue
            if frame.is_reply:
                said += self._answered(reader, frame, now)
            else:
                reader.asked = frame
        return said

    def _answered(self, reader: Overheard, reply: Frame, now: Moment) -> list[Observation]:
        reader.heard_ns = now.mono_ns
        said = reader.presence.back(now)
        asked, reader.asked = reader.asked, None
        exchange = (asked.raw if asked else b"", reply.raw)
        is_repeated = exchange == reader.exchange
        reader.exchange = exchange
        if is_repeated and reply.sequence:
            return said  # the master did not hear it and asked again; a beginning has no number
        if reply.is_hidden:
            return said + self._hidden(reader, now)
        return said + _told(reader, asked, reply, now)

    def _hidden(self, reader: Overheard, now: Moment) -> list[Observation]:
        self.hidden_count += 1
        if reader.is_hidden:
            return []
        reader.is_hidden = True
        return [Observation(reader.presence.device, Seen.UNREADABLE, now, value=HIDDEN)]

    def time_passed(self, now: Moment) -> list[Observation]:
        """See who fell silent."""
        if not self._is_open:
            return []
        said = []
        for reader in self._readers.values():
            if now.mono_ns >= _lost_ns(reader):
                reader.heard_ns = now.mono_ns
                said += reader.presence.lost(now, self._garbage.reason("silent"))
        return said

    def bytes_to_send(self) -> bytes:
        """Have nothing to say, ever."""
        return b""

    def deadline_ns(self) -> int | None:
        """When the next reader counts as silent."""
        return min(map(_lost_ns, self._readers.values())) if self._is_open else None


def _lost_ns(reader: Overheard) -> int:
    return reader.heard_ns + SILENCE_MS_MAX * NS_PER_MS


def _told(reader: Overheard, asked: Frame | None, reply: Frame, now: Moment) -> list[Observation]:
    device = reader.presence.device
    match reply.code:
        case code if code == RAW_CARD:
            value = card_value(reply.data)
            return [Observation(device, Seen.CARD, now, value=value)] if value else []
        case code if code == KEYPAD:
            value = keys_value(reply.data)
            return [Observation(device, Seen.KEYS, now, value=value)] if value else []
        case code if code == LOCAL_STATUS:
            return reader.status.reported(reply.data, now)
        case code if code == ACK and asked is not None and _moves_gate(asked, reader.output):
            return [Observation(device, Seen.ADMITTED, now)]
        case _:
            return []


def _moves_gate(asked: Frame, output: int) -> bool:
    """Whether a command in plain text switched the gate's output on."""
    if asked.code != DRIVE_OUTPUT or asked.is_hidden or len(asked.data) < 2:
        return False
    return asked.data[0] == output and asked.data[1] in OUTPUT_ON
