"""Runs the OSDP readers of one line through libosdp, and says what they said.

libosdp reads its own clock and keeps the secure channels; time-outs inside a conversation are its
own. What `Moment` decides here is when a reader counts as lost and when it is tried again.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs

from agreed.machine import Moment
from firmware_interfaces.observations import (
    Admit,
    Answer,
    Command,
    Install,
    Observation,
    OpenCompartment,
    Refuse,
    Rekey,
    Seen,
    Trigger,
)
from firmware_interfaces.osdp import commands
from firmware_interfaces.osdp.panel import Panel, seed_nonces
from firmware_interfaces.osdp.reader import ADMITS_COUNT_MAX, Reader
from firmware_interfaces.osdp.reports import (
    HAVINGS,
    IDENTITY,
    LocalStatus,
    card_text,
    keys_text,
    who_text,
)
from firmware_interfaces.osdp.settings import OsdpLine, is_own_key
from firmware_interfaces.presence import Presence, refused

OPEN_MS_MAX = 60_000
REFUSED_MS = 2_000


class OsdpMachine:
    """The readers of one line.

    Args:
        settings: of the line.
        keys: of each reader in order: its key, and the one it may have been given since.
        entropy: 16 random bytes, never used before.
    """

    def __init__(self, settings: OsdpLine, keys: Sequence[Sequence[bytes]], entropy: bytes) -> None:
        seed_nonces(entropy, settings.port)
        self._baud = settings.baud
        self._settings = {device.name: device for device in settings.devices}
        self._readers = [
            Reader(
                index,
                device.address,
                device.output,
                Presence(device.name),
                keys=[*may_have],
                newest_key=may_have[-1],
            )
            for index, (device, may_have) in enumerate(zip(settings.devices, keys, strict=True))
        ]
        self._statuses = [LocalStatus(device.name) for device in settings.devices]
        self._panel = self._fresh_panel()
        self._by_name = {reader.presence.device: reader for reader in self._readers}
        self._tick_ns = 0
        self._is_open = False

    def _fresh_panel(self) -> Panel:
        readers = [(reader.address, reader.keys[0]) for reader in self._readers]
        return Panel(readers, self._baud)

    def line_opened(self, now: Moment) -> list[Observation]:
        """Begin every conversation from the start."""
        self._is_open = True
        self._panel.garbage.line_opened()
        for reader in self._readers:
            reader.begin(self._panel, now)
        return self._work(now)

    def line_lost(self, now: Moment) -> list[Observation]:
        """Every reader is lost, and every admission refused."""
        self._is_open = False
        said = []
        for reader in self._readers:
            said += reader.close_window(self._panel, now, "lost")
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
        if isinstance(command, Install):
            return self._install(reader, command, now) + self._work(now)
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
        open_ms = min(max(command.open_ms, commands.MS_PER_COUNT), OPEN_MS_MAX)
        if not self._panel.submit(reader.index, commands.output(reader.output, open_ms)):
            return [refused(device, now, "busy")]
        reader.admits.append(command)
        words = self._settings[device].text_admitted
        self._show(reader, commands.GREEN, 1, words, open_ms)
        return []

    def _refuse(self, reader: Reader, now: Moment) -> list[Observation]:
        device = reader.presence.device
        words = self._settings[device].text_refused
        if self._show(reader, commands.RED, 2, words, REFUSED_MS):
            return []
        return [refused(device, now, "reader has neither LED nor buzzer")]

    def _show(self, reader: Reader, color: int, beeps_count: int, words: str, for_ms: int) -> bool:
        """Show, sound and write an answer, as far as the reader can; whether it can anything."""
        has_led = self._try(reader, commands.led(color, for_ms))
        has_buzzer = self._try(reader, commands.buzzer(beeps_count))
        has_text = bool(words) and self._try(reader, commands.text(words, for_ms))
        return has_led or has_buzzer or has_text

    def _try(self, reader: Reader, command: dict[str, Any]) -> bool:
        """Submit what the reader has the means for: it would end the session over anything else."""
        if not self._panel.items_count(reader.index, commands.NEEDED[command["command"]]):
            return False
        return self._panel.submit(reader.index, command)

    def _rekey(self, reader: Reader, command: Rekey, now: Moment) -> list[Observation]:
        device = reader.presence.device
        if not is_own_key(command.key):
            return [refused(device, now, "this key is publicly known, or not 16 bytes")]
        keyset = commands.keyset(command.key)
        if reader.new_key is not None or not self._panel.submit(reader.index, keyset):
            return [refused(device, now, "busy")]
        reader.new_key = command.key
        return []

    def _install(self, reader: Reader, command: Install, now: Moment) -> list[Observation]:
        if not self._is_open:
            return [refused(command.device, now, "lost")]
        if command.for_s <= 0:
            return reader.close_window(self._panel, now, "told")
        if reader.online_ns is not None:
            return [refused(command.device, now, "reader has a key of its own already")]
        if reader.install_until_ns is not None:
            return [refused(command.device, now, "busy")]
        return reader.open_window(self._panel, now, command.for_s)

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what arrived on the line."""
        self._panel.hears_at(now.mono_ns)
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

    def _with_other_key(self, now: Moment) -> None:
        """Begin anew with another key; libosdp takes keys only when a panel is made."""
        self._settle()
        self._panel = self._fresh_panel()
        for reader in self._readers:
            if reader.enabled_ns is None:
                self._panel.disable(reader.index)
            else:
                reader.online_ns = None
                reader.begin(self._panel, now)
            if reader.install_until_ns is not None:
                self._panel.set_installing(reader.index, reader.address, is_open=True)

    def bytes_to_send(self) -> bytes:
        """Hand over the command, if there is one."""
        return self._panel.bytes_to_send() if self._is_open else b""

    def deadline_ns(self) -> int | None:
        """When libosdp is to be given time again."""
        return self._tick_ns if self._is_open else None

    def _work(self, now: Moment) -> list[Observation]:
        self._panel.time_is(now.mono_ns)
        self._panel.refresh()
        self._tick_ns = min(reader.look_ns(now) for reader in self._readers)
        if (repeat_ns := self._panel.repeat_ns()) is not None:
            self._tick_ns = min(self._tick_ns, repeat_ns)
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
        if event["event"] != osdp_sys.EVENT_NOTIFICATION and reader.online_ns is None:
            return []  # nothing is believed outside a secure channel
        match event["event"]:
            case osdp_sys.EVENT_CARDREAD:
                value = card_text(event["length"], event["data"])
                return [Observation(device, Seen.CARD, now, value=value)] if value else []
            case osdp_sys.EVENT_KEYPRESS:
                value = keys_text(event["data"])
                return [Observation(device, Seen.KEYS, now, value=value)] if value else []
            case osdp_sys.EVENT_STATUS:
                is_local = event["type"] == osdp_sys.STATUS_REPORT_LOCAL
                status = self._statuses[reader.index]
                return status.reported(event["report"], now) if is_local else []
            case osdp_sys.EVENT_NOTIFICATION:
                return self._notified(reader, event, now)
            case _:
                return []

    def _notified(self, reader: Reader, event: dict[str, Any], now: Moment) -> list[Observation]:
        if reader.enabled_ns is None:
            return []  # what a resting reader was told to do is no news
        if event["type"] == osdp_sys.EVENT_NOTIFICATION_SC_STATUS:
            reader.is_keyed = reader.is_keyed or bool(event["arg0"] and event["arg1"])
            return []
        if event["type"] != osdp_sys.EVENT_NOTIFICATION_PD_STATUS:
            return []
        if event["arg0"] and self._panel.is_secure(reader.index):
            return self._came_online(reader, now)
        if event["arg0"] and reader.install_until_ns is not None:
            return self._plain(reader, now)
        said = reader.dropped(self._panel, now)
        if reader.wants_other_key(now):
            self._with_other_key(now)
        return said

    def _came_online(self, reader: Reader, now: Moment) -> list[Observation]:
        said = reader.came_online(now) + reader.only_key(now)
        said += reader.close_window(self._panel, now, "keyed" if reader.is_keyed else "own key")
        return said + self._described(reader, now, "")

    def _plain(self, reader: Reader, now: Moment) -> list[Observation]:
        """A reader without any secure channel says who it is, and nothing else is taken from it."""
        said = self._described(reader, now, "plain text, cannot be used; ")
        reader.dropped(self._panel, now)
        return said

    def _described(self, reader: Reader, now: Moment, prefix: str) -> list[Observation]:
        has = [
            f"{name} {count}"
            for code, name in HAVINGS.items()
            if (count := self._panel.items_count(reader.index, code))
        ]
        described = prefix + ", ".join([_who(self._panel.identity(reader.index)), *has])
        if described == reader.described:
            return []
        reader.described = described
        return [Observation(reader.presence.device, Seen.DESCRIBED, now, value=described)]


def _who(identity: dict[str, int]) -> str:
    """Write who a reader is, from what libosdp made of its osdp_PDID."""
    data = IDENTITY.pack(
        identity["vendor_code"].to_bytes(4, "little")[:3],
        identity["model"],
        identity["version"],
        identity["serial_number"],
        identity["firmware_version"].to_bytes(4)[1:],
    )
    return who_text(data)
