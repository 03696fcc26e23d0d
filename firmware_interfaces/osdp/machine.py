"""Runs the OSDP readers of one line through libosdp, and says what they said.

libosdp reads its own clock and keeps the secure channels; time-outs inside a conversation are its
own. What `Moment` decides here is when a reader counts as lost and when it is tried again.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.observations import (
    Admit,
    Answer,
    Command,
    Observation,
    OpenCompartment,
    Refuse,
    Rekey,
    Seen,
    Trigger,
)
from firmware_interfaces.osdp.panel import Panel, seed_nonces
from firmware_interfaces.osdp.reader import ADMITS_COUNT_MAX, Reader
from firmware_interfaces.osdp.settings import OsdpLine, is_own_key
from firmware_interfaces.presence import Presence, refused

TICK_MS = 10  # libosdp asks for 50 or less; this is what its time-outs are measured with
CARD_BITS_MAX = 512
KEYS_COUNT_MAX = 32
OPEN_MS_MAX = 60_000
MS_PER_COUNT = 100  # OSDP counts time in tenths of a second
REFUSED_MS = 2_000

# Source: IEC 60839-11-5, osdp_KEYPAD: digits are ASCII, these two are not.
KEYS = {0x7F: "*", 0x0D: "#"} | {ord(digit): digit for digit in "0123456789*#"}

OUTPUT_ON_FOR_A_WHILE = 5
LED_SET_TEMPORARILY = 2
BUZZER_DEFAULT_TONE = 2
KEYSET_SCBK = 1


class OsdpMachine:
    """The readers of one line."""

    def __init__(self, settings: OsdpLine, keys: Sequence[bytes], entropy: bytes) -> None:
        seed_nonces(entropy, settings.port)
        addresses = [device.address for device in settings.devices]
        self._panel = Panel(list(zip(addresses, keys, strict=True)))
        self._readers = [
            Reader(index, device.address, device.output, Presence(device.name))
            for index, device in enumerate(settings.devices)
        ]
        self._by_name = {reader.presence.device: reader for reader in self._readers}
        self._tick_ns = 0
        self._is_open = False

    def line_opened(self, now: Moment) -> list[Observation]:
        """Begin every conversation from the start."""
        self._is_open = True
        for reader in self._readers:
            reader.begin(self._panel, now)
        return self._work(now)

    def line_lost(self, now: Moment) -> list[Observation]:
        """Every reader is lost, and every admission refused."""
        self._is_open = False
        said = []
        for reader in self._readers:
            reader.rest(self._panel, now, 0)
            said += reader.refuse_admits(now) + reader.presence.lost(now, "port")
        self._settle()
        return said

    def _settle(self) -> None:
        """Let libosdp act on being told to be silent, and forget what it wanted to send."""
        self._panel.refresh()
        self._panel.bytes_to_send()
        self._panel.events.clear()
        self._panel.completions.clear()

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Tell a reader what to do, at once or not at all."""
        reader = self._by_name.get(command.device)
        if reader is None:
            return [refused(command.device, now, "no such device")]
        if reader.online_ns is None:
            return [refused(command.device, now, "lost")]
        match command:
            case Admit():
                said = self._admit(reader, command, now)
            case Refuse():
                said = self._refuse(reader, now)
            case Rekey():
                said = self._rekey(reader, command, now)
            case OpenCompartment() | Answer() | Trigger():
                said = [refused(command.device, now, "not a command for this device")]
            case _:
                assert_never(command)
        return said + self._work(now)

    def _admit(self, reader: Reader, command: Admit, now: Moment) -> list[Observation]:
        device = reader.presence.device
        outputs_count = self._panel.items_count(reader.index, osdp_sys.CAP_OUTPUT_CONTROL)
        if outputs_count <= reader.output:
            return [refused(device, now, "reader has no such output")]
        if len(reader.admits) >= ADMITS_COUNT_MAX:
            return [refused(device, now, "busy")]
        open_ms = min(max(command.open_ms, MS_PER_COUNT), OPEN_MS_MAX)
        output = {
            "command": osdp_sys.CMD_OUTPUT,
            "output_no": reader.output,
            "control_code": OUTPUT_ON_FOR_A_WHILE,
            "timer_count": open_ms // MS_PER_COUNT,
        }
        if not self._panel.submit(reader.index, output):
            return [refused(device, now, "busy")]
        reader.admits.append(command)
        self._show(reader, osdp_sys.LED_COLOR_GREEN, open_ms)
        self._sound(reader, beeps_count=1)
        return []

    def _refuse(self, reader: Reader, now: Moment) -> list[Observation]:
        has_led = self._show(reader, osdp_sys.LED_COLOR_RED, REFUSED_MS)
        has_buzzer = self._sound(reader, beeps_count=2)
        if has_led or has_buzzer:
            return []
        return [refused(reader.presence.device, now, "reader has neither LED nor buzzer")]

    def _rekey(self, reader: Reader, command: Rekey, now: Moment) -> list[Observation]:
        device = reader.presence.device
        if not is_own_key(command.key):
            return [refused(device, now, "this key is publicly known, or not 16 bytes")]
        keyset = {"command": osdp_sys.CMD_KEYSET, "type": KEYSET_SCBK, "data": command.key}
        if reader.is_rekeying or not self._panel.submit(reader.index, keyset):
            return [refused(device, now, "busy")]
        reader.is_rekeying = True
        return []

    def _show(self, reader: Reader, color: int, for_ms: int) -> bool:
        if not self._panel.items_count(reader.index, osdp_sys.CAP_READER_LED_CONTROL):
            return False
        led = {
            "command": osdp_sys.CMD_LED,
            "reader": 0,
            "led_number": 0,
            "temporary": True,
            "control_code": LED_SET_TEMPORARILY,
            "on_count": 1,
            "off_count": 0,
            "on_color": color,
            "off_color": osdp_sys.LED_COLOR_NONE,
            "timer_count": for_ms // MS_PER_COUNT,
        }
        return self._panel.submit(reader.index, led)

    def _sound(self, reader: Reader, beeps_count: int) -> bool:
        if not self._panel.items_count(reader.index, osdp_sys.CAP_READER_AUDIBLE_OUTPUT):
            return False
        buzzer = {
            "command": osdp_sys.CMD_BUZZER,
            "reader": 0,
            "control_code": BUZZER_DEFAULT_TONE,
            "on_count": 1,
            "off_count": 1,
            "rep_count": beeps_count,
        }
        return self._panel.submit(reader.index, buzzer)

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what arrived on the line."""
        for index in self._panel.bytes_received(data):
            self._readers[index].heard_ns = now.mono_ns
        return self._work(now)

    def time_passed(self, now: Moment) -> list[Observation]:
        """Let libosdp work, and see who fell silent."""
        if not self._is_open:
            return []
        said = self._work(now)
        for reader in self._readers:
            said += reader.time_passed(self._panel, now)
        return said

    def bytes_to_send(self) -> bytes:
        """Hand over the command, if there is one."""
        return self._panel.bytes_to_send() if self._is_open else b""

    def deadline_ns(self) -> int | None:
        """When libosdp is to be given time again."""
        return self._tick_ns if self._is_open else None

    def _work(self, now: Moment) -> list[Observation]:
        self._panel.refresh()
        self._tick_ns = now.mono_ns + TICK_MS * NS_PER_MS
        said = []
        while self._panel.events:
            index, event = self._panel.events.popleft()
            said += self._said(self._readers[index], event, now)
        while self._panel.completions:
            index, command, status = self._panel.completions.popleft()
            is_ok = status == osdp_sys.COMPLETION_OK
            if command["command"] == osdp_sys.CMD_OUTPUT:
                said += self._readers[index].confirmed(now, is_ok=is_ok)
            if command["command"] == osdp_sys.CMD_KEYSET:
                said += self._readers[index].rekeyed(now, is_ok=is_ok)
        return said

    def _said(self, reader: Reader, event: dict[str, Any], now: Moment) -> list[Observation]:
        device = reader.presence.device
        match event["event"]:
            case osdp_sys.EVENT_CARDREAD:
                value = _card(event)
                return [Observation(device, Seen.CARD, now, value=value)] if value else []
            case osdp_sys.EVENT_KEYPRESS:
                value = "".join(KEYS.get(key, "") for key in event["data"][:KEYS_COUNT_MAX])
                return [Observation(device, Seen.KEYS, now, value=value)] if value else []
            case osdp_sys.EVENT_STATUS:
                return _tampered(reader, event, now)
            case osdp_sys.EVENT_NOTIFICATION:
                return self._notified(reader, event, now)
            case _:
                return []

    def _notified(self, reader: Reader, event: dict[str, Any], now: Moment) -> list[Observation]:
        is_status = event["type"] == osdp_sys.EVENT_NOTIFICATION_PD_STATUS
        if not is_status or reader.enabled_ns is None:
            return []  # what a resting reader was told to do is no news
        if event["arg0"] and self._panel.is_secure(reader.index):
            return reader.came_online(now)
        return reader.dropped(self._panel, now)


def _card(event: dict[str, Any]) -> str:
    """Write a card as "bits:hex", the bits left-aligned in whole bytes as the reader sent them."""
    bits = event["length"]
    data = event["data"]
    if not 0 < bits <= CARD_BITS_MAX or len(data) < (bits + 7) // 8:
        return ""
    return f"{bits}:{data[: (bits + 7) // 8].hex()}"


def _tampered(reader: Reader, event: dict[str, Any], now: Moment) -> list[Observation]:
    if event["type"] != osdp_sys.STATUS_REPORT_LOCAL or not event["report"]:
        return []
    was_tampered, reader.is_tampered = reader.is_tampered, bool(event["report"][0])
    if was_tampered or not reader.is_tampered:
        return []
    return [Observation(reader.presence.device, Seen.TAMPERED, now)]
