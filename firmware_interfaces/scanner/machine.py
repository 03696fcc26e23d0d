"""Turns a scanner's stream into codes, and answers into beeps.

A scanner never says that it is there: it counts as back when its port opens and as lost when its
port is gone.
"""

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.observations import Answer, Command, Observation, Seen, Trigger
from firmware_interfaces.presence import Presence, refused
from firmware_interfaces.scanner.codec import BEEPS, TRIGGERS, CodeReader
from firmware_interfaces.scanner.settings import ScannerLine
from firmware_interfaces.scanner.trust import Trust
from firmware_interfaces.scanner.wedge import WedgeReader


class ScannerMachine:
    """The scanner of one line.

    Attributes:
        garbled_count: codes dropped since the port was opened.
    """

    def __init__(self, settings: ScannerLine) -> None:
        self._settings = settings.devices[0]
        self._presence = Presence(self._settings.name)
        self._reader = self._fresh_reader()
        self._trust = Trust(self._settings.trusted)
        self._outgoing = bytearray()
        self._flush_ns: int | None = None

    @property
    def garbled_count(self) -> int:
        """Codes dropped since the port was opened: too long, not UTF-8, or not printable."""
        return self._reader.garbled_count

    @property
    def refused_count(self) -> int:
        """Codes dropped because their check was missing or wrong."""
        return self._trust.refused_count

    def line_opened(self, now: Moment) -> list[Observation]:
        """Begin with nothing held."""
        self._reader = self._fresh_reader()
        self._outgoing.clear()
        self._flush_ns = None
        return self._presence.back(now)

    def line_lost(self, now: Moment) -> list[Observation]:
        """Drop an unfinished code: half a code is no code."""
        self._reader = self._fresh_reader()
        self._flush_ns = None
        return self._presence.lost(now, "port")

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Beep an answer, or look for a code."""
        is_known = isinstance(command, Answer | Trigger)
        if command.device != self._settings.name or not is_known:
            return [refused(command.device, now, "not a command for this device")]
        if not self._presence.is_back:
            return [refused(command.device, now, "lost")]
        if isinstance(command, Trigger):
            return self._trigger(now)
        assert isinstance(command, Answer)
        self._beep(is_good=command.is_good)
        return []

    def _beep(self, *, is_good: bool) -> None:
        if self._settings.protocol != "wedge":
            good, bad = BEEPS[self._settings.beeps]
            self._outgoing += good if is_good else bad

    def _trigger(self, now: Moment) -> list[Observation]:
        trigger = TRIGGERS[self._settings.beeps] if self._settings.protocol == "text" else b""
        if not trigger:
            return [refused(self._settings.name, now, "scanner cannot be triggered")]
        self._outgoing += trigger
        return []

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what the scanner sent."""
        codes = self._reader.feed(data)
        self._flush_ns = None
        if self._settings.idle_ms and not self._reader.is_empty:
            self._flush_ns = now.mono_ns + self._settings.idle_ms * NS_PER_MS
        return self._observe(codes, now)

    def time_passed(self, now: Moment) -> list[Observation]:
        """Finish a code after silence."""
        if self._flush_ns is None or now.mono_ns < self._flush_ns:
            return []
        self._flush_ns = None
        return self._observe(self._reader.flush(), now)

    def bytes_to_send(self) -> bytes:
        """Hand over the beeps."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def deadline_ns(self) -> int | None:
        """When an unfinished code counts as finished."""
        return self._flush_ns

    def _observe(self, codes: list[str], now: Moment) -> list[Observation]:
        said = []
        for code in codes:
            taken = self._trust.takes(code, now)
            if taken:
                said.append(Observation(self._settings.name, Seen.CODE, now, value=code))
            elif taken is False:
                self._beep(is_good=False)  # so that the person shows it again
        return said

    def _fresh_reader(self) -> CodeReader | WedgeReader:
        text = CodeReader(self._settings.ends, self._settings.length_max)
        if self._settings.protocol == "wedge":
            return WedgeReader(text, self._settings.layout)
        return text
