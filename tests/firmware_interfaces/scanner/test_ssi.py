from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.observations import Admit, Answer, Observation, Seen, Trigger
from firmware_interfaces.scanner.settings import ScannerLine
from firmware_interfaces.scanner.ssi import AGAIN_MS_MAX, SsiMachine
from simulators.devices.ssi_scanner import packet
from tests.firmware_interfaces.worlds import at_ms

ACK = bytes.fromhex("04d00400ff28")
REVISION = packet(0xA4, b"NBRFMAAC")


def code(text: str, status: int = 0) -> bytes:
    return packet(0xF3, b"\x03" + text.encode(), status)


def machine(**device: Any) -> SsiMachine:
    shared = {"name": "qr", "protocol": "ssi"}
    table = {"family": "scanner", "port": "/dev/a", "devices": [shared | device]}
    fresh = SsiMachine(ScannerLine.model_validate(table))
    assert fresh.line_opened(at_ms(0)) == []
    assert [o.seen for o in fresh.bytes_received(REVISION, at_ms(0))] == [Seen.BACK]
    fresh.bytes_to_send()
    return fresh


def values(said: list[Observation]) -> list[str]:
    return [o.value for o in said if o.seen is Seen.CODE]


def test_a_code_is_observed_and_acknowledged() -> None:
    one = machine()
    assert values(one.bytes_received(code("PARCEL"), at_ms(5))) == ["PARCEL"]
    assert one.bytes_to_send() == ACK


def test_a_repeat_is_acknowledged_and_is_no_second_scan() -> None:
    one = machine()
    one.bytes_received(code("PARCEL"), at_ms(0))
    assert one.bytes_received(code("PARCEL", status=1), at_ms(2_000)) == []
    assert one.bytes_to_send() == ACK * 2
    assert one.repeated_count == 1


def test_a_second_scan_of_the_same_code_is_a_second_scan() -> None:
    one = machine()
    first = one.bytes_received(code("PARCEL"), at_ms(0))
    second = one.bytes_received(code("PARCEL"), at_ms(600))
    third = one.bytes_received(code("PARCEL", status=1), at_ms(601 + AGAIN_MS_MAX))
    assert values(first + second + third) == ["PARCEL"] * 3


def test_a_repeat_of_what_never_arrived_is_the_scan() -> None:
    one = machine()
    one.bytes_received(code("FIRST"), at_ms(0))
    spoiled = bytearray(code("SECOND"))
    spoiled[7] ^= 1
    assert one.bytes_received(bytes(spoiled), at_ms(100)) == []
    one.time_passed(at_ms(300))
    assert values(one.bytes_received(code("SECOND", status=1), at_ms(2_100))) == ["SECOND"]


def test_a_code_in_several_packets() -> None:
    one = machine()
    assert one.bytes_received(code("PAR", status=2), at_ms(0)) == []
    assert values(one.bytes_received(code("CEL"), at_ms(20))) == ["PARCEL"]


@pytest.mark.parametrize("text", [b"\x03A\x00B", b"\x03\xff", b"\x03" + b"A" * 41])
def test_what_is_no_code_is_acknowledged_counted_and_dropped(text: bytes) -> None:
    one = machine(length_max=40)
    assert one.bytes_received(packet(0xF3, text), at_ms(0)) == []
    assert one.bytes_to_send() == ACK
    assert one.garbled_count == 1


def test_silence_frees_a_packet_behind_noise() -> None:
    one = machine(idle_ms=100)
    assert one.bytes_received(b"\x60\x00\x00" + code("PARCEL"), at_ms(0)) == []
    assert values(one.time_passed(at_ms(100))) == ["PARCEL"]


def test_a_scanner_that_is_silent_is_lost() -> None:
    one, said = machine(), []
    for ms in range(0, 12_000, 100):
        said += one.time_passed(at_ms(ms))
        one.bytes_to_send()
    assert [(o.seen, o.value) for o in said] == [(Seen.LOST, "silent")]
    assert [o.seen for o in one.bytes_received(REVISION, at_ms(12_000))] == [Seen.BACK]


def test_commands() -> None:
    one = machine()
    one.command(Answer("qr", is_good=True), at_ms(1))
    one.command(Answer("qr", is_good=False), at_ms(1))
    one.command(Trigger("qr"), at_ms(1))
    assert one.bytes_to_send().hex() == "05e6040000ff11" + "05e6040006ff0b" + "04e40400ff14"
    assert one.command(Admit("qr"), at_ms(1))[0].value == "not a command for this device"
    assert one.command(Trigger("other"), at_ms(1))[0].device == "other"
    assert [o.seen for o in one.line_lost(at_ms(2))] == [Seen.LOST]
    assert one.command(Trigger("qr"), at_ms(3))[0].value == "lost"
    assert one.bytes_to_send() == b""
    assert one.deadline_ns() is None


@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 300)), max_size=20))
def test_hostile_bytes_never_raise(steps: list[tuple[bytes, int]]) -> None:
    one, now_ms = machine(), 0
    for data, pause_ms in steps:
        said = one.bytes_received(data, at_ms(now_ms))
        now_ms += pause_ms
        said += one.time_passed(at_ms(now_ms))
        assert all(o.value.isprintable() for o in said)
