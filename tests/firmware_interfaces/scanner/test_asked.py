from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.observations import Admit, Answer, Observation, Seen, Trigger
from firmware_interfaces.scanner.asked import AskedScannerMachine
from firmware_interfaces.scanner.settings import ScannerLine
from simulators.devices.asked_scanner import AskedScanner
from tests.firmware_interfaces.worlds import at_ms, code


class World:
    """A machine and its scanner; an answer takes no time."""

    def __init__(self, protocol: str = "gm65", **device: Any) -> None:
        table = {"family": "scanner", "port": "/dev/a"}
        shared = {"name": "qr", "protocol": protocol, "codes": "any"}
        line = ScannerLine.model_validate(table | {"devices": [shared | device]})
        self.machine = AskedScannerMachine(line)
        self.scanner = AskedScanner("qr", protocol=protocol)
        self.scanner.send = self._send
        self.said: list[Observation] = []
        self.now_ms = 0

    def _send(self, data: bytes, crossed: Any = None) -> None:
        del crossed
        self.said += self.machine.bytes_received(data, at_ms(self.now_ms))

    def open(self) -> None:
        self.said += self.machine.line_opened(at_ms(self.now_ms))
        self.run(1)

    def run(self, for_ms: int) -> None:
        for _ in range(for_ms):
            while data := self.machine.bytes_to_send():
                self.scanner.hear(data)
            self.now_ms += 1
            self.said += self.machine.time_passed(at_ms(self.now_ms))

    def seen(self) -> list[tuple[Seen, str]]:
        return [(o.seen, o.value) for o in self.said]


def test_zones_are_written_and_read_back() -> None:
    one = World(zones={"0003": 1, "002a": 0x39})
    one.open()
    assert one.scanner.zones == {3: 1, 0x2A: 0x39}
    assert one.seen() == [(Seen.BACK, "")]


def test_a_zone_that_is_not_taken_is_said() -> None:
    one = World(zones={"0003": 1})
    one.scanner.stubborn.add(3)
    one.open()
    assert one.seen() == [
        (Seen.BACK, ""),
        (Seen.REFUSED_BY_DEVICE, "setting not taken: zone 0003"),
    ]


def test_newland_settings_are_told_and_an_unknown_one_is_said() -> None:
    one = World("newland", commands=["SCNMOD3", "NOSUCH1"])
    one.scanner.unknown.add("NOSUCH1")
    one.open()
    assert one.scanner.settings == ["SCNMOD3"]
    assert one.seen()[-1] == (Seen.REFUSED_BY_DEVICE, "setting not taken: NOSUCH1")


def test_a_newland_without_settings_is_there_when_its_port_is() -> None:
    one = World("newland")
    one.open()
    assert one.seen() == [(Seen.BACK, "")]
    assert one.machine.deadline_ns() is None


def test_a_gm65_that_loses_its_power_is_lost_and_told_everything_again() -> None:
    one = World(zones={"0003": 1})
    one.open()
    one.scanner.is_silent = True
    one.run(9_000)
    one.scanner.zones.clear()
    one.scanner.is_silent = False
    one.run(3_000)
    assert one.seen() == [(Seen.BACK, ""), (Seen.LOST, "silent"), (Seen.BACK, "")]
    assert one.scanner.zones == {3: 1}


def test_codes_come_between_answers() -> None:
    one = World()
    one.open()
    one.scanner.read_out("PARCEL-1")
    one.run(6_000)
    one.scanner.read_out("PARCEL-2")
    assert [v for s, v in one.seen() if s is Seen.CODE] == ["PARCEL-1", "PARCEL-2"]
    assert one.machine.garbled_count == 0


def test_silence_finishes_a_code_without_an_end() -> None:
    one = World(ends="silence", idle_ms=100)
    one.open()
    one._send(b"PARCEL")
    one.run(200)
    assert one.seen()[-1] == (Seen.CODE, "PARCEL")


def test_triggers_and_answers() -> None:
    one = World()
    one.open()
    now = at_ms(one.now_ms)
    assert one.machine.command(Trigger("qr"), now) == []
    assert one.machine.command(Answer("qr", is_good=True), now) == []
    one.run(1)
    assert one.scanner.triggered_count == 1
    assert one.machine.command(Admit("qr"), now)[0].value == "not a command for this device"
    assert one.machine.command(Trigger("other"), now)[0].device == "other"
    newland = World("newland")
    newland.open()
    assert newland.machine.command(Trigger("qr"), now)[0].value == "scanner cannot be triggered"


def test_a_lost_line_forgets_everything() -> None:
    one = World(zones={"0003": 1})
    one.open()
    one._send(b"HALF")
    one.said += one.machine.line_lost(at_ms(one.now_ms))
    assert one.machine.deadline_ns() is None
    assert one.machine.command(Trigger("qr"), at_ms(1))[0].value == "lost"
    one.open()
    assert one.seen() == [(Seen.BACK, ""), (Seen.LOST, "port"), (Seen.BACK, "")]


@pytest.mark.parametrize("protocol", ["gm65", "newland"])
@given(steps=st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 300)), max_size=10))
def test_hostile_bytes_never_raise(protocol: str, steps: list[tuple[bytes, int]]) -> None:
    one = World(protocol)
    one.open()
    for data, pause_ms in steps:
        one._send(data)
        one.run(pause_ms)
    assert all(value.isprintable() for _, value in one.seen())


def test_a_code_without_its_check_is_not_observed() -> None:
    one = World(codes=None)
    one.open()
    one.scanner.read_out("PARCEL-1")
    one.scanner.read_out(code(1))
    assert [v for s, v in one.seen() if s is Seen.CODE] == [code(1)]
