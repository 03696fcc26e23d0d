import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.observations import Seen
from firmware_interfaces.osdp.reports import (
    CARD_BITS_MAX,
    LocalStatus,
    card_text,
    card_value,
    has_text,
    keys_text,
    keys_value,
)
from tests.firmware_interfaces.worlds import at_ms


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00001a000a1b2c80", "26:0a1b2c80"),
        ("00000100" + "80", "1:80"),
        ("00001a000a1b2c", ""),
        ("00001a000a1b2c8000", ""),
        ("00000000", ""),
        ("0000", ""),
        ("", ""),
    ],
)
def test_a_card_is_whole_or_none(data: str, value: str) -> None:
    assert card_value(bytes.fromhex(data)) == value


def test_a_card_has_no_more_bits_than_the_limit() -> None:
    assert card_text(CARD_BITS_MAX, bytes(64))
    assert card_text(CARD_BITS_MAX + 1, bytes(65)) == ""


@pytest.mark.parametrize(
    ("data", "value"), [("00023135", "15"), ("00027f0d", "*#"), ("000231", ""), ("00", "")]
)
def test_keys_are_whole_or_none(data: str, value: str) -> None:
    assert keys_value(bytes.fromhex(data)) == value


def test_codes_that_are_no_keys_are_left_out() -> None:
    assert keys_text(b"1\x002") == "12"


def test_tamper_and_power_are_said_when_they_change() -> None:
    status = LocalStatus("gate")
    reports = [b"\x00\x00", b"\x01\x00", b"\x01\x01", b"\x01\x01", b"\x00\x00", b""]
    said = [[o.seen for o in status.reported(report, at_ms(0))] for report in reports]
    assert said == [
        [],
        [Seen.TAMPERED],
        [Seen.POWER_LOST],
        [],
        [Seen.UNTAMPERED, Seen.POWER_BACK],
        [],
    ]


@given(st.binary(max_size=80))
def test_hostile_data_never_raises(data: bytes) -> None:
    assert card_value(data).isascii()
    assert keys_value(data).isascii()
    LocalStatus("gate").reported(data, at_ms(0))


def test_what_a_reader_has_is_read_as_far_as_it_is_whole() -> None:
    # The data of an osdp_PDCAP in tests/vectors/osdp.json.
    data = bytes.fromhex("0201010301010401010501010801000901000a0001100200")
    assert has_text(data) == has_text(data + b"\x06\x01") == "outputs 1, LED 1, buzzer 1"
    assert has_text(bytes([2, 0, 4])) == ""
    assert has_text(bytes([4, 1, 0])) == "LED 1"
