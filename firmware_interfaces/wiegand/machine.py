"""Turns a converter's stream into cards and keys.

A converter never says that it is there: it counts as back when its port opens and as lost when its
port is gone. It cannot be told anything either. Its numbers have a weak check or none, so a card
counts once it was read `reads` times: modules say a card again for as long as it is held.
"""

from collections import deque
from typing import Final

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.observations import Command, Observation, Seen
from firmware_interfaces.presence import Presence, refused
from firmware_interfaces.wiegand.codec import Bits, CardReader
from firmware_interfaces.wiegand.formats import (
    KEY_BITS_GUARDED,
    card_value,
    framed,
    key_value,
    whole_frame,
)
from firmware_interfaces.wiegand.settings import WiegandLine

READINGS_COUNT_MAX: Final = 8
"""Readings that are remembered: what counts was read often enough among so many."""


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
        self._readings: deque[tuple[str, int]] = deque(maxlen=READINGS_COUNT_MAX)
        self._held_card = ""
        self._held_ns = 0

    @property
    def garbled_count(self) -> int:
        """What was dropped since the port was opened: no number, or wrong parity."""
        return self._reader.garbled_count + self._parity_count

    def line_opened(self, now: Moment) -> list[Observation]:
        """Begin with nothing held."""
        self._reader = CardReader(self._settings.form)
        self._parity_count = 0
        self._drop_ns = None
        self._readings.clear()
        self._held_card = ""
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
        if key := self._key(bits):
            return [Observation(self._settings.name, Seen.KEYS, now, value=key)]
        frame = self._frame(bits)
        if frame is None:
            self._parity_count += 1
            return []
        value = card_value(frame)
        if self._is_held(value, now) or not self._was_read_enough(value, now):
            return []
        self._held_card, self._held_ns = value, now.mono_ns
        self._readings.clear()
        return [Observation(self._settings.name, Seen.CARD, now, value=value)]

    def _key(self, bits: Bits) -> str:
        """Read a key; four bits have no check, and pressing a key twice means two keys."""
        is_trusted = bits.count == KEY_BITS_GUARDED or self._settings.reads_count == 1
        return key_value(bits) if self._settings.form == "bits" and is_trusted else ""

    def _is_held(self, value: str, now: Moment) -> bool:
        silence_ns = now.mono_ns - self._held_ns
        if value != self._held_card or silence_ns >= self._settings.repeat_ms * NS_PER_MS:
            return False
        self._held_ns = now.mono_ns
        return True

    def _was_read_enough(self, value: str, now: Moment) -> bool:
        self._readings.append((value, now.mono_ns))
        since_ns = now.mono_ns - self._settings.again_ms * NS_PER_MS
        alike = [at_ns for card, at_ns in self._readings if card == value and at_ns >= since_ns]
        return len(alike) >= self._settings.reads_count

    def _frame(self, bits: Bits) -> Bits | None:
        if self._format is None:
            return bits
        is_data = self._settings.carries == "data"
        wanted_count = self._format.data_bits if is_data else self._format.bits
        if not self._is_whole(bits.count, wanted_count):
            return None
        return framed(bits, self._format) if is_data else whole_frame(bits, self._format)

    def _is_whole(self, count: int, wanted_count: int) -> bool:
        """Whether no digit is missing: converters write every one, the first ones as zeros."""
        match self._settings.form:
            case "bits":
                return count == wanted_count
            case "hex":
                return count >= wanted_count
            case _:
                return True  # these have so many digits and no other number
