"""Runs scanners whose codes are text and that can also be asked: GM65 and Newland.

Such a scanner is told its settings when its port opens, each is checked, and a setting that it does
not take is said as REFUSED_BY_DEVICE. A GM65 is asked every few seconds whether it is there.
"""

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.observations import Answer, Command, Observation, Seen, Trigger
from firmware_interfaces.presence import Presence, refused
from firmware_interfaces.scanner.codec import CodeReader
from firmware_interfaces.scanner.dialogue import Dialogue, Reply, Step
from firmware_interfaces.scanner.framed import (
    GM65_READ,
    GM65_TRIGGER_ZONE,
    GM65_WRITE,
    NEWLAND_TAKEN,
    TextReader,
    gm65_frame,
    newland_frame,
)
from firmware_interfaces.scanner.settings import ScannerDevice, ScannerLine
from firmware_interfaces.scanner.trust import Trust

GM65_WRITTEN = b"\x00"
GM65_HEARTBEAT = Step("zone 0000", gm65_frame(GM65_READ, 0, b"\x01", length=1))


class AskedScannerMachine:
    """The scanner of one line."""

    def __init__(self, settings: ScannerLine) -> None:
        self._settings = device = settings.devices[0]
        self._presence = Presence(device.name)
        self._steps = _steps(device)
        heartbeat = GM65_HEARTBEAT if device.protocol == "gm65" else None
        self._dialogue = Dialogue(self._steps, heartbeat)
        self._is_asked = bool(self._steps) or heartbeat is not None
        self._reader = self._fresh_reader()
        self._trust = Trust(device.trusted)
        self._outgoing = bytearray()
        self._flush_ns: int | None = None

    @property
    def garbled_count(self) -> int:
        """Codes dropped since the port was opened: too long, not UTF-8, or not printable."""
        return self._reader.garbled_count

    def line_opened(self, now: Moment) -> list[Observation]:
        """Tell the scanner its settings."""
        self._reader = self._fresh_reader()
        self._outgoing.clear()
        self._flush_ns = None
        if not self._is_asked:
            return self._presence.back(now)
        self._dialogue.start(now)
        return []

    def line_lost(self, now: Moment) -> list[Observation]:
        """Drop an unfinished code and every question."""
        self._reader = self._fresh_reader()
        self._flush_ns = None
        self._dialogue.stop()
        return self._presence.lost(now, "port")

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Look for a code; these scanners have no beep that a host can give."""
        is_known = isinstance(command, Answer | Trigger)
        if command.device != self._settings.name or not is_known:
            return [refused(command.device, now, "not a command for this device")]
        if not self._presence.is_back:
            return [refused(command.device, now, "lost")]
        if isinstance(command, Answer):
            return []
        if self._settings.protocol != "gm65":
            return [refused(command.device, now, "scanner cannot be triggered")]
        self._outgoing += gm65_frame(GM65_WRITE, GM65_TRIGGER_ZONE, b"\x01")
        return []

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what the scanner sent."""
        said = self._take(self._reader.feed(data), now)
        self._flush_ns = None
        if not self._reader.is_empty:
            self._flush_ns = now.mono_ns + self._settings.idle_ms * NS_PER_MS
        return said

    def time_passed(self, now: Moment) -> list[Observation]:
        """Finish a code after silence, and ask what is due."""
        said: list[Observation] = []
        if self._flush_ns is not None and now.mono_ns >= self._flush_ns:
            self._flush_ns = None
            said += self._take(self._reader.flush(), now)
        self._dialogue.time_passed(now)
        return said + self._news(now)

    def bytes_to_send(self) -> bytes:
        """Hand over questions and triggers."""
        data = self._dialogue.bytes_to_send() + bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def deadline_ns(self) -> int | None:
        """When a code is finished by silence or a question is due."""
        deadlines = (self._flush_ns, self._dialogue.deadline_ns())
        return min((ns for ns in deadlines if ns is not None), default=None)

    def _take(self, found: list[str | Reply], now: Moment) -> list[Observation]:
        said = []
        for one in found:
            self._dialogue.heard(one if isinstance(one, Reply) else None, now)
            said += self._news(now)
            if isinstance(one, str) and self._trust.takes(one, now):
                said.append(Observation(self._settings.name, Seen.CODE, now, value=one))
        return said

    def _news(self, now: Moment) -> list[Observation]:
        said = []
        if self._dialogue.is_answered:
            said += self._presence.back(now)
        elif self._dialogue.is_silent:
            said += self._presence.lost(now, "silent")
        said += [
            refused(self._settings.name, now, f"setting not taken: {name}")
            for name in self._dialogue.failed
        ]
        self._dialogue.failed.clear()
        return said

    def _fresh_reader(self) -> TextReader:
        text = CodeReader(self._settings.ends, self._settings.length_max)
        return TextReader(text, self._settings.protocol)


def _steps(device: ScannerDevice) -> list[Step]:
    steps = [Step(name, newland_frame(name), NEWLAND_TAKEN) for name in device.commands]
    for zone, value in device.zones.items():
        number, data = int(zone, 16), bytes([value])
        steps.append(Step(f"zone {zone}", gm65_frame(GM65_WRITE, number, data), GM65_WRITTEN))
        read = gm65_frame(GM65_READ, number, b"\x01", length=1)
        steps.append(Step(f"zone {zone}", read, data))
    return steps
