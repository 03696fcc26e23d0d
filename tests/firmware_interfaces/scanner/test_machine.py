from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.observations import Admit, Answer, Seen, Trigger
from firmware_interfaces.scanner.machine import ScannerMachine
from firmware_interfaces.scanner.settings import ScannerLine
from tests.firmware_interfaces.worlds import at_ms, code


def machine(**device: object) -> ScannerMachine:
    shared = {"name": "qr", "codes": "any"}
    table = {"family": "scanner", "port": "/dev/ttyUSB0", "devices": [shared | device]}
    fresh = ScannerMachine(ScannerLine.model_validate(table))
    assert [o.seen for o in fresh.line_opened(at_ms(0))] == [Seen.BACK]
    return fresh


def test_a_code_is_observed_when_its_end_arrives() -> None:
    one = machine()
    assert one.bytes_received(b"PARC", at_ms(1)) == []
    (said,) = one.bytes_received(b"EL\r\n", at_ms(2))
    assert (said.device, said.seen, said.value, said.at) == ("qr", Seen.CODE, "PARCEL", at_ms(2))
    assert one.deadline_ns() is None


def test_silence_finishes_a_code_without_an_end() -> None:
    one = machine(idle_ms=100)
    one.bytes_received(b"PAR", at_ms(0))
    one.bytes_received(b"CEL", at_ms(90))
    assert one.time_passed(at_ms(150)) == []
    assert one.deadline_ns() == at_ms(190).mono_ns
    assert [o.value for o in one.time_passed(at_ms(190))] == ["PARCEL"]
    assert one.deadline_ns() is None


def test_without_idle_nothing_but_an_end_finishes_a_code() -> None:
    one = machine(idle_ms=0)
    one.bytes_received(b"PAR", at_ms(0))
    assert one.deadline_ns() is None


def test_half_a_code_before_a_loss_is_no_code() -> None:
    one = machine()
    one.bytes_received(b"HALF", at_ms(0))
    assert [o.seen for o in one.line_lost(at_ms(1))] == [Seen.LOST]
    assert one.line_lost(at_ms(2)) == []
    assert one.deadline_ns() is None
    one.line_opened(at_ms(3))
    assert [o.value for o in one.bytes_received(b"WHOLE\r", at_ms(4))] == ["WHOLE"]


def test_answers_are_beeped_once() -> None:
    one = machine()
    assert one.command(Answer("qr", is_good=True), at_ms(1)) == []
    assert one.bytes_to_send() == b"\x1b7,"
    assert one.bytes_to_send() == b""
    one.command(Answer("qr", is_good=False), at_ms(2))
    assert one.bytes_to_send() == b"\x1b8,"


def test_a_scanner_may_be_kept_silent() -> None:
    one = machine(beeps="none")
    assert one.command(Answer("qr", is_good=True), at_ms(1)) == []
    assert one.bytes_to_send() == b""


def test_what_is_refused() -> None:
    one = machine()
    assert one.command(Admit("qr"), at_ms(1))[0].seen is Seen.REFUSED_BY_DEVICE
    assert one.command(Answer("other", is_good=True), at_ms(1))[0].device == "other"
    one.line_lost(at_ms(2))
    assert one.command(Answer("qr", is_good=True), at_ms(3))[0].value == "lost"
    assert one.bytes_to_send() == b""


@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 300)), max_size=20))
def test_hostile_bytes_never_raise(steps: list[tuple[bytes, int]]) -> None:
    one, now_ms = machine(length_max=30), 0
    for data, pause_ms in steps:
        said = one.bytes_received(data, at_ms(now_ms))
        now_ms += pause_ms
        said += one.time_passed(at_ms(now_ms))
        assert all(o.value.isprintable() and 0 < len(o.value) <= 30 for o in said)


def test_a_scanner_is_triggered_where_its_maker_has_a_command_for_it() -> None:
    one = machine()
    assert one.command(Trigger("qr"), at_ms(1)) == []
    assert one.bytes_to_send() == b"\x16T\r"
    other = machine(beeps="datalogic")
    assert other.command(Trigger("qr"), at_ms(1))[0].value == "scanner cannot be triggered"


def test_a_wedge_is_told_nothing() -> None:
    one = machine(protocol="wedge")
    assert one.command(Answer("qr", is_good=True), at_ms(1)) == []
    assert one.bytes_to_send() == b""
    assert one.command(Trigger("qr"), at_ms(1))[0].seen is Seen.REFUSED_BY_DEVICE


def test_a_code_without_its_check_is_beeped_away_and_not_observed() -> None:
    one = machine(codes=None)
    whole = code(7).encode()
    spoiled = bytes([whole[0] ^ 1]) + whole[1:]
    assert one.bytes_received(spoiled + b"\r", at_ms(1)) == []
    assert one.bytes_to_send() == b"\x1b8,"
    assert one.refused_count == 1
    assert [o.value for o in one.bytes_received(whole + b"\r", at_ms(2))] == [code(7)]
    assert one.bytes_to_send() == b""


def test_a_code_to_be_read_twice_is_neither_observed_nor_refused_the_first_time() -> None:
    one = machine(codes="twice")
    assert one.bytes_received(b"PARCEL\r", at_ms(1)) == []
    assert one.bytes_to_send() == b""
    assert [o.value for o in one.bytes_received(b"PARCEL\r", at_ms(500))] == ["PARCEL"]
