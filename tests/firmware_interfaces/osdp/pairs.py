"""A panel and a simulated reader joined in memory; libosdp reads its own clock, so time is real."""

import time
from collections.abc import Callable
from typing import Any

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs

from firmware_interfaces.osdp.panel import Panel
from simulators.devices.gate_reader import GateReader
from tests.firmware_interfaces.worlds import KEY

WAIT_S_MAX = 90.0


class Pair:
    """One panel, its readers, and what the wire does to each reply."""

    def __init__(
        self, *, addresses: tuple[int, ...] = (0,), reader_key: bytes | None = KEY
    ) -> None:
        self.panel = Panel([(address, KEY) for address in addresses])
        self.readers = [
            GateReader(f"gate-{address}", key=reader_key, address=address) for address in addresses
        ]
        self.sent: list[bytes] = []
        self.replied: list[bytes] = []
        self.deliver: Callable[[bytes], Any] = self.panel.bytes_received
        for reader in self.readers:
            reader.send = self._reply

    def _reply(self, data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
        del crossed
        self.replied.append(data)
        self.deliver(data)

    def step(self) -> None:
        self.panel.refresh()
        if command := self.panel.bytes_to_send():
            self.sent.append(command)
            for reader in self.readers:
                reader.hear(command)
        for reader in self.readers:
            reader.time_passed()

    def run(self, for_s: float) -> None:
        until_s = time.monotonic() + for_s
        while time.monotonic() < until_s:
            self.step()
            time.sleep(0.001)

    def until(self, condition: Callable[[], bool], wait_s: float = WAIT_S_MAX) -> bool:
        until_s = time.monotonic() + wait_s
        while not condition():
            if time.monotonic() > until_s:
                return False
            self.step()
            time.sleep(0.001)
        return True

    def is_online(self, index: int = 0) -> bool:
        return self.panel.is_secure(index) and self.readers[index].is_online

    def was_told_offline(self) -> bool:
        return any(
            event["event"] == osdp_sys.EVENT_NOTIFICATION
            and event["type"] == osdp_sys.EVENT_NOTIFICATION_PD_STATUS
            and not event["arg0"]
            for _, event in self.panel.events
        )
