"""An OSDP reader at a gate, with a keypad, an output, a LED and a buzzer.

The peripheral side of libosdp does the cryptography. It answers a repeated command with a NAK,
which no real reader does, so the repeated command gets the cached reply here.
"""

import asyncio
import itertools
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Any

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs

from firmware_interfaces.observations import Seen
from firmware_interfaces.osdp.codec import (
    CHALLENGE,
    KEYPAD,
    NAK,
    POLL,
    RAW_CARD,
    Frame,
    FrameReader,
    crc16,
    read_frame,
)
from simulators.devices.far_device import FarDevice

WAIT_S_MAX = 3.0
REFRESHES_COUNT = 4
TOLD_COUNT_MAX = 1_024
EVENTS_COUNT_MAX = 16
OUTPUT_ON_CODES = {2, 4, 5}
KEY_CODES = {"*": 0x7F, "#": 0x0D}

PLAIN_CAPABILITIES = (
    (osdp_sys.CAP_CARD_DATA_FORMAT, 1, 1),
    (osdp_sys.CAP_CHECK_CHARACTER_SUPPORT, 1, 0),
    (osdp_sys.CAP_COMMUNICATION_SECURITY, 1, 1),
)
CAPABILITIES = (
    *PLAIN_CAPABILITIES,
    (osdp_sys.CAP_CONTACT_STATUS_MONITORING, 1, 1),
    (osdp_sys.CAP_OUTPUT_CONTROL, 1, 2),
    (osdp_sys.CAP_READER_LED_CONTROL, 1, 1),
    (osdp_sys.CAP_READER_AUDIBLE_OUTPUT, 1, 1),
    (osdp_sys.CAP_READER_TEXT_OUTPUT, 1, 1),
)

_channel_ids = itertools.count(1_000_001)  # apart from those of the box in the same process


class TapOutcome(Enum):
    """What the reader was told after a tap."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Told:
    """One command that the box gave: output, led or buzzer, as libosdp shows it."""

    command: dict[str, Any]
    mono_ns: int


class _Channel:
    def __init__(self) -> None:
        self.id = next(_channel_ids)
        self.incoming = b""
        self.outgoing = b""

    def read(self, bytes_max: int) -> bytes:
        data, self.incoming = self.incoming[:bytes_max], self.incoming[bytes_max:]
        return data

    def write(self, data: bytes) -> int:
        self.outgoing += data
        return len(data)

    def flush(self) -> None:
        pass


class GateReader(FarDevice):
    """One reader; taps of one reader wait for each other.

    Args:
        name: as in the box's settings.
        key: its own; None while it is in installation mode, as it leaves the factory.
        address: 0 to 126.
        is_plain: whether it has neither output nor LED nor buzzer.

    Attributes:
        address: 0 to 126.
        told: the last commands that the box gave, oldest first.
        repeated_count: commands that the box had to send again.
    """

    def __init__(
        self, name: str, *, key: bytes | None, address: int = 0, is_plain: bool = False
    ) -> None:
        super().__init__(name)
        self._capabilities = PLAIN_CAPABILITIES if is_plain else CAPABILITIES
        self.told: deque[Told] = deque(maxlen=TOLD_COUNT_MAX)
        self.repeated_count = 0
        self.address = address
        self._frames = FrameReader()
        self._asked: Frame | None = None
        self._reply = b""
        self._submitted: deque[tuple[Seen, str]] = deque(maxlen=EVENTS_COUNT_MAX)
        self._unacknowledged: tuple[Seen, str] | None = None
        self._outcome: asyncio.Future[TapOutcome] | None = None
        self._turn = asyncio.Lock()
        self._is_case_open = self._is_power_failing = False
        self._channel = _Channel()
        self._key = key
        self._device = self._make_device(key)

    def _make_device(self, key: bytes | None) -> Any:
        osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
        info = {
            "name": self.name,
            "address": self.address,
            "flags": osdp_sys.FLAG_ENFORCE_SECURE if key else osdp_sys.FLAG_INSTALL_MODE,
            "channel": self._channel,
            "version": 1,
            "model": 1,
            "vendor_code": 0xD01F00,
            "serial_number": self.address + 1,
            "firmware_version": 0x010203,
        } | ({"scbk": key} if key else {})
        capabilities = [
            {"function_code": code, "compliance_level": level, "num_items": items_count}
            for code, level, items_count in self._capabilities
        ]
        device = osdp_sys.PeripheralDevice(info, capabilities=capabilities)
        device.set_command_callback(self._obey)
        return device

    @property
    def is_online(self) -> bool:
        """Whether the box talks to it over a secure channel now."""
        return bool(self._device.is_sc_active())

    async def tap(self, card: str, wait_s: float = WAIT_S_MAX) -> TapOutcome:
        """Hold a card to it, "bits:hex" left-aligned, and wait for what it is told.

        A reader without a secure channel does not see cards: NOTHING at once.
        """
        async with self._turn:
            if not self.is_online:
                return TapOutcome.NOTHING
            self._outcome = asyncio.get_running_loop().create_future()
            self.show(card)
            try:
                async with asyncio.timeout(wait_s):
                    return await self._outcome
            except TimeoutError:
                return TapOutcome.NOTHING
            finally:
                self._outcome = None

    def show(self, card: str) -> None:
        """Hold a card to it without waiting for anything."""
        bits, _, digits = card.partition(":")
        event = {
            "event": osdp_sys.EVENT_CARDREAD,
            "reader_no": 0,
            "direction": 0,
            "format": osdp_sys.CARD_FMT_RAW_UNSPECIFIED,
            "length": int(bits),
            "data": bytes.fromhex(digits),
        }
        self._submit(event, Seen.CARD, card)

    def type(self, digits: str) -> None:
        """Press keys: digits, * and #."""
        codes = bytes(KEY_CODES.get(digit, ord(digit)) for digit in digits)
        event = {"event": osdp_sys.EVENT_KEYPRESS, "reader_no": 0, "data": codes}
        self._submit(event, Seen.KEYS, digits)

    def tamper(self, *, is_open: bool = True) -> None:
        """Open the reader's case, or close it."""
        self._is_case_open = is_open
        self._report()

    def fail_power(self, *, is_failing: bool = True) -> None:
        """Have the reader's supply fail, or come back."""
        self._is_power_failing = is_failing
        self._report()

    def _report(self) -> None:
        event = {
            "event": osdp_sys.EVENT_STATUS,
            "type": osdp_sys.STATUS_REPORT_LOCAL,
            "report": bytes([self._is_case_open, self._is_power_failing]),
        }
        if self.is_online:
            self._device.submit_event(event)

    def _submit(self, event: dict[str, Any], seen: Seen, value: str) -> None:
        if self.is_online and self._device.submit_event(event):
            self._submitted.append((seen, value))

    def hear(self, data: bytes) -> None:
        """Answer whole commands that are for this reader."""
        for frame in self._frames.feed(data):
            if not frame.is_reply and frame.address == self.address:
                self._answer(frame)

    def time_passed(self) -> None:
        """Let libosdp see its own clock."""
        self._device.refresh()
        if not self.is_online and self._submitted:
            self._device.flush_events()
            self._submitted.clear()

    def reset(self) -> None:
        """Lose the power: the session and what waited are gone, the key stays."""
        self._frames = FrameReader()
        self._asked, self._reply, self._unacknowledged = None, b"", None
        self._submitted.clear()
        self._channel.incoming = self._channel.outgoing = b""
        self._device = self._make_device(self._key)

    def _answer(self, frame: Frame) -> None:
        if self._asked is not None and frame.raw == self._asked.raw:
            self.repeated_count += 1
            self.send(self._reply)
            return
        self._acknowledge(frame)
        self._asked = frame
        self._channel.incoming = frame.raw
        for _ in range(REFRESHES_COUNT):
            self._device.refresh()
            if self._channel.outgoing:
                break
        self._reply, self._channel.outgoing = self._channel.outgoing, b""
        self._note_reply()
        if self._reply:
            self.send(self._reply)

    def _acknowledge(self, frame: Frame) -> None:
        """The next command in sequence proves that our last reply arrived."""
        pending, self._unacknowledged = self._unacknowledged, None
        if pending is None or self._asked is None:
            return
        if frame.sequence == self._asked.sequence % 3 + 1:
            self.emit(pending[0], pending[1])

    def _note_reply(self) -> None:
        reply = read_frame(self._reply.removeprefix(b"\xff"))
        if reply is not None and reply.code in {RAW_CARD, KEYPAD} and self._submitted:
            self._unacknowledged = self._submitted.popleft()

    def _obey(self, command: dict[str, Any]) -> tuple[int, None]:
        self.told.append(Told(command, time.monotonic_ns()))
        if command["command"] == osdp_sys.CMD_KEYSET:
            self._key = command["data"]
        outcome = _outcome_of(command)
        if outcome is not None and self._outcome is not None and not self._outcome.done():
            self._outcome.set_result(outcome)
        return 0, None


class PlainTextReader(GateReader):
    """A reader without any secure channel, at which somebody holds a card all the time."""

    @property
    def is_online(self) -> bool:
        """Whether anybody talks to it."""
        return bool(self._device.is_online())

    def _answer(self, frame: Frame) -> None:
        if frame.code == CHALLENGE:
            self.send(_nak(frame))
            return
        if frame.code == POLL:
            self.show("26:0a1b2c80")
        super()._answer(frame)


def _nak(asked: Frame) -> bytes:
    """Say no to a command, because its security is not known here."""
    head = bytes([0x53, asked.address | 0x80, 9, 0, asked.sequence | 0x04, NAK, 0x05])
    return b"\xff" + head + crc16(head).to_bytes(2, "little")


def _outcome_of(command: dict[str, Any]) -> TapOutcome | None:
    if command["command"] == osdp_sys.CMD_OUTPUT and command["control_code"] in OUTPUT_ON_CODES:
        return TapOutcome.ADMITTED
    if command["command"] == osdp_sys.CMD_LED and command["on_color"] == osdp_sys.LED_COLOR_RED:
        return TapOutcome.REFUSED
    return None
