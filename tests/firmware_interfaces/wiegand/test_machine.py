import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.observations import Admit, Seen
from firmware_interfaces.wiegand.machine import WiegandMachine
from firmware_interfaces.wiegand.settings import WiegandLine
from tests.firmware_interfaces.worlds import at_ms

CARD = "26:850d9640"  # 0A1B2C between its two parity bits


def machine(**device: object) -> WiegandMachine:
    table = {
        "family": "wiegand",
        "port": "/dev/a",
        "devices": [{"name": "card", "reads": 1} | device],
    }
    fresh = WiegandMachine(WiegandLine.model_validate(table))
    assert [o.seen for o in fresh.line_opened(at_ms(0))] == [Seen.BACK]
    return fresh


@pytest.mark.parametrize(
    ("device", "text"),
    [
        ({}, b"0A1B2C\r"),
        ({"form": "decimal"}, b"0000662316\r\n"),
        ({"form": "hex", "carries": "frame"}, b"2143659\r"),
        ({"form": "bits", "carries": "frame"}, b"10000101000011011001011001\r"),
        ({"form": "bits"}, b"000010100001101100101100\r"),
    ],
    ids=str,
)
def test_one_card_is_the_same_behind_every_converter(
    device: dict[str, object], text: bytes
) -> None:
    (said,) = machine(**device).bytes_received(text, at_ms(5))
    assert (said.device, said.seen, said.value, said.at) == ("card", Seen.CARD, CARD, at_ms(5))


def test_bits_of_which_nothing_is_known_are_a_card_as_they_are() -> None:
    one = machine(form="stx", format="raw")
    (said,) = one.bytes_received(b"\x0262E3086CED08\x03", at_ms(1))
    assert said.value == "40:62e3086ced"


@pytest.mark.parametrize("text", [b"2143658\r", b"4000000\r", b"FFFFFFFF\r"])
def test_wrong_parity_is_no_card_and_is_counted(text: bytes) -> None:
    one = machine(carries="frame")
    assert one.bytes_received(text, at_ms(1)) == []
    assert one.garbled_count == 1


def test_a_frame_of_another_length_is_no_card() -> None:
    one = machine(form="bits", carries="frame")
    assert one.bytes_received(b"0" * 12 + b"1" + b"\r", at_ms(1)) == []


def test_a_key_is_observed() -> None:
    (said,) = machine(form="bits").bytes_received(b"1001\r\n", at_ms(1))
    assert (said.seen, said.value) == (Seen.KEYS, "9")


def test_a_card_that_is_held_is_one_tap() -> None:
    one = machine(repeat_ms=300)
    assert len(one.bytes_received(b"0A1B2C\r", at_ms(0))) == 1
    assert one.bytes_received(b"0A1B2C\r", at_ms(200)) == []
    assert one.bytes_received(b"0A1B2C\r", at_ms(400)) == []
    assert len(one.bytes_received(b"0A1B2C\r", at_ms(700))) == 1
    assert len(one.bytes_received(b"0A1B2D\r", at_ms(701))) == 1


def test_silence_drops_half_a_card() -> None:
    one = machine(idle_ms=100)
    one.bytes_received(b"0A1", at_ms(0))
    assert one.deadline_ns() == at_ms(100).mono_ns
    assert one.time_passed(at_ms(100)) == []
    assert one.deadline_ns() is None
    assert len(one.bytes_received(b"0A1B2C\r", at_ms(101))) == 1


def test_half_a_card_before_a_loss_is_no_card() -> None:
    one = machine()
    one.bytes_received(b"0A1", at_ms(0))
    assert [o.seen for o in one.line_lost(at_ms(1))] == [Seen.LOST]
    assert one.line_lost(at_ms(2)) == []
    one.line_opened(at_ms(3))
    assert [o.value for o in one.bytes_received(b"0A1B2C\r", at_ms(4))] == [CARD]


def test_a_converter_cannot_be_told_anything() -> None:
    one = machine()
    assert one.command(Admit("card"), at_ms(1))[0].seen is Seen.REFUSED_BY_DEVICE
    assert one.bytes_to_send() == b""


@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 300)), max_size=20))
def test_hostile_bytes_never_raise(steps: list[tuple[bytes, int]]) -> None:
    one, now_ms = machine(form="bits"), 0
    for data, pause_ms in steps:
        for said in one.bytes_received(data, at_ms(now_ms)):
            assert said.value.isprintable()
        now_ms += pause_ms
        assert one.time_passed(at_ms(now_ms)) == []


def test_a_card_counts_once_it_was_read_often_enough() -> None:
    one = machine(reads=None)
    assert one.bytes_received(b"0A1B2C\r", at_ms(0)) == []
    assert one.bytes_received(b"0A1B2D\r", at_ms(60)) == []  # spoiled
    assert one.bytes_received(b"0A1B2C\r", at_ms(120)) == []
    (said,) = one.bytes_received(b"0A1B2C\r", at_ms(180))
    assert (said.value, said.at) == (CARD, at_ms(180))
    assert one.bytes_received(b"0A1B2C\r", at_ms(240)) == []


def test_a_spoiled_reading_of_a_held_card_makes_no_second_tap() -> None:
    one = machine(form="stx", format="raw", reads=None)
    tag, spoiled = b"\x0262E3086CED08\x03", b"\x0262E3086CEC09\x03"
    said = [
        one.bytes_received(data, at_ms(60 * place))
        for place, data in enumerate([tag, tag, spoiled, tag, tag, tag, tag])
    ]
    assert [len(each) for each in said] == [0, 1, 0, 0, 0, 0, 0]


def test_readings_that_are_too_far_apart_do_not_add_up() -> None:
    one = machine(carries="frame", reads=None, again_ms=500)
    assert one.bytes_received(b"2143659\r", at_ms(0)) == []
    assert one.bytes_received(b"2143659\r", at_ms(501)) == []
    assert len(one.bytes_received(b"2143659\r", at_ms(900))) == 1


def test_a_key_without_a_check_is_taken_only_where_one_reading_counts() -> None:
    one = machine(form="bits", reads=None)
    assert one.bytes_received(b"1001\r\n", at_ms(1)) == []
    (said,) = one.bytes_received(b"01101001\r\n", at_ms(2))
    assert (said.seen, said.value) == (Seen.KEYS, "9")


@pytest.mark.parametrize("text", [b"A1B2C\r", b"0A1!B2C\r"])
def test_a_number_with_a_digit_missing_is_no_card(text: bytes) -> None:
    assert machine().bytes_received(text, at_ms(1)) == []


def test_noise_before_a_number_costs_nothing() -> None:
    assert len(machine().bytes_received(b"\x800A1B2C\r", at_ms(1))) == 1
