"""Turns a converter's stream into cards and keys.

A converter never says that it is there: it counts as back when its port opens and as lost when its
port is gone. It cannot be told anything either.
"""

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.observations import Command, Observation, Seen
from firmware_interfaces.presence import Presence, refused
from firmware_interfaces.wiegand.codec import Bits, CardReader
from firmware_interfaces.wiegand.formats import card_value, framed, key_value, whole_frame
from firmware_interfaces.wiegand.settings import WiegandLine


class WiegandMachine:
    """The converter of one line.

    Attributes:
        garbled_count: what was dropped since the port was opened: no number, or wrong parity.
    """

    def __init__(self, settings: WiegandLine) -> None:
        self._settings = settings.devices[0]
        self._format = self._settings.card_format()
        self._presence = Presence(self._settings.name)
        self._reader = CardReader(self._settings.form)
        self._parity_count = 0
        self._drop_ns: int | None = None
        self._last_card = ""
        self._last_ns = 0

    @property
    def garbled_count(self) -> int:
        """What was dropped since the port was opened: no number, or wrong parity."""
        return self._reader.garbled_count + self._parity_count

    def line_opened(self, now: Moment) -> list[Observation]:
        """Begin with nothing held."""
        self._reader = CardReader(self._settings.form)
        self._parity_count = 0
        self._drop_ns = None
        self._last_card = ""
        return self._presence.back(now)

    def line_lost(self, now: Moment) -> list[Observation]:
        """Drop an unfinished card."""
        self._reader.forget()
        self._drop_ns = None
        return self._presence.lost(now, "port")

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Refuse: a converter only talks."""
        return [refused(command.device, now, "not a command for this device")]

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what the converter sent."""
        self._drop_if_idle(now)
        said = []
        for bits in self._reader.feed(data):
            said += self._observe(bits, now)
        self._drop_ns = None
        if not self._reader.is_empty:
            self._drop_ns = now.mono_ns + self._settings.idle_ms * NS_PER_MS
        return said

    def time_passed(self, now: Moment) -> list[Observation]:
        """Drop half a card after silence."""
        self._drop_if_idle(now)
        return []

    def bytes_to_send(self) -> bytes:
        """Have nothing to say."""
        return b""

    def deadline_ns(self) -> int | None:
        """When half a card is dropped."""
        return self._drop_ns

    def _drop_if_idle(self, now: Moment) -> None:
        if self._drop_ns is not None and now.mono_ns >= self._drop_ns:
            self._drop_ns = None
            self._reader.forget()

    def _observe(self, bits: Bits, now: Moment) -> list[Observation]:
        key = key_value(bits) if self._settings.form == "bits" else ""
        if key:
            return [Observation(self._settings.name, Seen.KEYS, now, value=key)]
        frame = self._frame(bits)
        if frame is None:
            self._parity_count += 1
            return []
        value = card_value(frame)
        silence_ns = now.mono_ns - self._last_ns
        is_held = value == self._last_card and silence_ns < self._settings.repeat_ms * NS_PER_MS
        self._last_card, self._last_ns = value, now.mono_ns
        return [] if is_held else [Observation(self._settings.name, Seen.CARD, now, value=value)]

    def _frame(self, bits: Bits) -> Bits | None:
        if self._format is None:
            return bits
        if self._settings.carries == "data":
            return framed(bits, self._format)
        if self._settings.form == "bits" and bits.count != self._format.bits:
            return None
        return whole_frame(bits, self._format)
