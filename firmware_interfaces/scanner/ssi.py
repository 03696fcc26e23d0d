"""Runs a scanner that speaks Zebra's SSI: every code has a checksum and is acknowledged.

A scanner that sees no acknowledgement sends the code again and says so: that is not a second scan.
"""

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.observations import Answer, Command, Observation, Seen, Trigger
from firmware_interfaces.presence import Presence, refused
from firmware_interfaces.scanner.codec import CodeReader
from firmware_interfaces.scanner.dialogue import Dialogue, Reply, Step
from firmware_interfaces.scanner.framed import (
    SSI_ACK,
    SSI_ASK_REVISION,
    SSI_BEEP,
    SSI_CODE,
    SSI_START,
    Packet,
    PacketReader,
    ssi_packet,
)
from firmware_interfaces.scanner.settings import ScannerLine
from firmware_interfaces.scanner.trust import Trust

# A scanner waits 2 s for an acknowledgement (its factory setting), then sends again. A second scan
# of the same code, itself spoiled and sent again, comes later than this after the first.
AGAIN_MS_MAX = 2_500
BEEP_GOOD = b"\x00"  # one short high tone
BEEP_BAD = b"\x06"  # two short low tones
HEARTBEAT = Step("revision", ssi_packet(SSI_ASK_REVISION))


class SsiMachine:
    """The scanner of one line.

    Attributes:
        repeated_count: codes that the scanner had to send again, and that were known already.
    """

    def __init__(self, settings: ScannerLine) -> None:
        self.repeated_count = 0
        self._settings = settings.devices[0]
        self._presence = Presence(self._settings.name)
        self._dialogue = Dialogue((), HEARTBEAT)
        self._reader = PacketReader()
        self._trust = Trust(self._settings.trusted)
        self._text = CodeReader("silence", self._settings.length_max)
        self._outgoing = bytearray()
        self._flush_ns: int | None = None
        self._last: Packet | None = None
        self._last_ns = 0

    @property
    def garbled_count(self) -> int:
        """Codes dropped because they were too long, not UTF-8, or not printable."""
        return self._text.garbled_count

    def line_opened(self, now: Moment) -> list[Observation]:
        """Ask whether the scanner is there."""
        self._forget()
        self._dialogue.start(now)
        return []

    def line_lost(self, now: Moment) -> list[Observation]:
        """Drop what is unfinished."""
        self._forget()
        self._dialogue.stop()
        return self._presence.lost(now, "port")

    def _forget(self) -> None:
        self._reader = PacketReader()
        self._text.flush()
        self._outgoing.clear()
        self._flush_ns = None
        self._last = None

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Beep an answer, or look for a code."""
        if command.device != self._settings.name:
            return [refused(command.device, now, "not a command for this device")]
        if not self._presence.is_back:
            return [refused(command.device, now, "lost")]
        if isinstance(command, Answer):
            self._outgoing += ssi_packet(SSI_BEEP, BEEP_GOOD if command.is_good else BEEP_BAD)
        elif isinstance(command, Trigger):
            self._outgoing += ssi_packet(SSI_START)
        else:
            return [refused(command.device, now, "not a command for this device")]
        return []

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what the scanner sent."""
        said = self._take(self._reader.feed(data), now)
        self._flush_ns = None
        if not self._reader.is_empty:
            self._flush_ns = now.mono_ns + self._settings.idle_ms * NS_PER_MS
        return said

    def time_passed(self, now: Moment) -> list[Observation]:
        """Pass over half a packet after silence, and ask what is due."""
        said: list[Observation] = []
        if self._flush_ns is not None and now.mono_ns >= self._flush_ns:
            self._flush_ns = None
            said += self._take(self._reader.flush(), now)
        self._dialogue.time_passed(now)
        if self._dialogue.is_silent:
            said += self._presence.lost(now, "silent")
        return said

    def bytes_to_send(self) -> bytes:
        """Hand over acknowledgements, questions and beeps."""
        data = bytes(self._outgoing) + self._dialogue.bytes_to_send()
        self._outgoing.clear()
        return data

    def deadline_ns(self) -> int | None:
        """When half a packet is passed over or a question is due."""
        deadlines = (self._flush_ns, self._dialogue.deadline_ns())
        return min((ns for ns in deadlines if ns is not None), default=None)

    def _take(self, packets: list[Packet], now: Moment) -> list[Observation]:
        said = []
        for packet in packets:
            is_answer = packet.code != SSI_CODE
            self._dialogue.heard(Reply(packet.data) if is_answer else None, now)
            said += self._presence.back(now)
            if not is_answer:
                # Acknowledgements carry no number: one too many would settle the next code unseen.
                self._outgoing += ssi_packet(SSI_ACK)
                said += self._code(packet, now)
        return said

    def _code(self, packet: Packet, now: Moment) -> list[Observation]:
        if self._is_known(packet, now):
            self.repeated_count += 1
            return []
        self._text.feed(packet.data[1:])  # the first byte says which symbology it is
        if packet.goes_on:
            return []
        codes = [code for code in self._text.flush() if self._trust.takes(code, now)]
        return [Observation(self._settings.name, Seen.CODE, now, value=code) for code in codes]

    def _is_known(self, packet: Packet, now: Moment) -> bool:
        last, last_ns = self._last, self._last_ns
        self._last, self._last_ns = packet, now.mono_ns
        if last is None or not packet.is_again or now.mono_ns - last_ns > AGAIN_MS_MAX * NS_PER_MS:
            return False
        return packet.data == last.data and packet.goes_on == last.goes_on
