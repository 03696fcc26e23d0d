"""What a box hears on a line whose master is a controller of somebody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.observations import Admit, Observation, Seen
from firmware_interfaces.osdp.codec import crc16
from firmware_interfaces.osdp.listener import SILENCE_MS_MAX, OsdpListener
from firmware_interfaces.osdp.settings import OsdpLine
from tests.firmware_interfaces.osdp.pairs import Pair
from tests.firmware_interfaces.vectors import vectors
from tests.firmware_interfaces.worlds import at_ms

POLL, RAW, ACK, KEYPAD, LSTATR, OUT = 0x60, 0x50, 0x40, 0x53, 0x48, 0x68
CARD = "00001a000a1b2c80"
SECURE = {case["what"]: bytes.fromhex(case["hex"]) for case in vectors("osdp")["frames"]}


def frame(code: int, data: str = "", *, sequence: int = 1, is_reply: bool = False) -> bytes:
    """One frame in plain text, by the drawing in the standard."""
    body = bytes([code]) + bytes.fromhex(data)
    head = bytes([0x53, 0x80 if is_reply else 0, 5 + len(body) + 2, 0, 0x04 | sequence])
    return b"\xff" + head + body + crc16(head + body).to_bytes(2, "little")


def exchange(asked: bytes, code: int, data: str = "", *, sequence: int = 1) -> bytes:
    return asked + frame(code, data, sequence=sequence, is_reply=True)


def listener() -> OsdpListener:
    table = {"family": "osdp", "port": "/dev/a", "mode": "listen"}
    devices = [{"name": "gate", "address": 0, "output": 1}]
    one = OsdpListener(OsdpLine.model_validate(table | {"devices": devices}))
    assert one.line_opened(at_ms(0)) == []
    return one


def seen(said: list[Observation]) -> list[tuple[Seen, str]]:
    return [(o.seen, o.value) for o in said]


def test_a_card_in_plain_text_is_observed() -> None:
    said = listener().bytes_received(exchange(frame(POLL), RAW, CARD), at_ms(5))
    assert seen(said) == [(Seen.BACK, ""), (Seen.CARD, "26:0a1b2c80")]
    assert said[1].at == at_ms(5)


def test_a_card_that_the_master_asks_for_again_is_one_card() -> None:
    one = listener()
    said = one.bytes_received(exchange(frame(POLL), RAW, CARD) * 3, at_ms(5))
    said += one.bytes_received(exchange(frame(POLL, sequence=2), RAW, CARD, sequence=2), at_ms(90))
    assert [o.seen for o in said] == [Seen.BACK, Seen.CARD, Seen.CARD]


def test_keys_tamper_and_power_are_observed() -> None:
    one = listener()
    said = one.bytes_received(exchange(frame(POLL), KEYPAD, "00023135"), at_ms(1))
    said += one.bytes_received(
        exchange(frame(POLL, sequence=2), LSTATR, "0101", sequence=2), at_ms(2)
    )
    assert seen(said)[1:] == [(Seen.KEYS, "15"), (Seen.TAMPERED, ""), (Seen.POWER_LOST, "")]


@pytest.mark.parametrize(
    ("data", "is_seen"),
    [
        ("01051e00", True),
        ("01020000", True),
        ("01011e00", False),
        ("00051e00", False),
        ("01", False),
    ],
)
def test_the_gates_output_switched_on_is_an_admission(data: str, is_seen: bool) -> None:
    said = listener().bytes_received(exchange(frame(OUT, data), ACK), at_ms(1))
    assert ((Seen.ADMITTED, "") in seen(said)) is is_seen


def test_what_a_secure_channel_hides_is_said_once_and_counted() -> None:
    one = listener()
    said = []
    for ms in range(3):
        said += one.bytes_received(SECURE["osdp_RAW in a secure channel"], at_ms(ms))
        said += one.bytes_received(SECURE["osdp_KEYPAD in a secure channel"], at_ms(ms))
    assert [o.seen for o in said] == [Seen.BACK, Seen.UNREADABLE]
    assert one.hidden_count == 6


def test_a_real_secure_conversation_gives_presence_and_no_card() -> None:
    pair, one = Pair(), listener()
    assert pair.until(pair.is_online)
    pair.readers[0].show("26:0a1b2c80")
    pair.run(0.3)
    said = []
    for asked, reply in zip(pair.sent, pair.replied, strict=False):
        said += one.bytes_received(asked + reply, at_ms(1))
    assert [o.seen for o in said] == [Seen.BACK, Seen.UNREADABLE]


def test_silence_is_a_loss_once_and_an_answer_is_back() -> None:
    one = listener()
    one.bytes_received(exchange(frame(POLL), ACK), at_ms(10))
    assert one.deadline_ns() == at_ms(10 + SILENCE_MS_MAX).mono_ns
    assert one.time_passed(at_ms(SILENCE_MS_MAX)) == []
    said = []
    for ms in range(SILENCE_MS_MAX, 5 * SILENCE_MS_MAX, 1_000):
        said += one.bytes_received(frame(POLL), at_ms(ms))
        said += one.time_passed(at_ms(ms))
    assert seen(said) == [(Seen.LOST, "silent")]
    back = one.bytes_received(exchange(frame(POLL), ACK), at_ms(99_999))
    assert seen(back) == [(Seen.BACK, "")]


def test_a_line_of_which_nothing_is_understood_is_garbled_and_not_silent() -> None:
    one = listener()
    assert one.bytes_received(bytes(range(200, 240)), at_ms(10)) == []
    assert seen(one.time_passed(at_ms(2 * SILENCE_MS_MAX))) == [(Seen.LOST, "garbled")]


def test_it_never_speaks() -> None:
    one = listener()
    (said,) = one.command(Admit("gate"), at_ms(1))
    assert (said.seen, said.value) == (Seen.REFUSED_BY_DEVICE, "only listening")
    one.bytes_received(frame(POLL), at_ms(2))
    one.time_passed(at_ms(99_999))
    assert one.bytes_to_send() == b""


def test_a_lost_line_loses_every_reader_once() -> None:
    one = listener()
    one.bytes_received(exchange(frame(POLL), ACK), at_ms(1))
    assert seen(one.line_lost(at_ms(2))) == [(Seen.LOST, "port")]
    assert one.line_lost(at_ms(3)) == []
    assert one.deadline_ns() is None
    assert one.time_passed(at_ms(99_999)) == []


@given(st.lists(st.binary(max_size=60), max_size=10), st.integers(0, 10_000))
def test_a_flipped_bit_invents_nothing_and_hostile_bytes_never_raise(
    noise: list[bytes], bit: int
) -> None:
    one = listener()
    spoiled = bytearray(exchange(frame(POLL), RAW, CARD))
    spoiled[bit // 8 % len(spoiled)] ^= 1 << bit % 8
    said = one.bytes_received(bytes(spoiled), at_ms(0))
    assert {o.value for o in said if o.seen is Seen.CARD} <= {"26:0a1b2c80"}
    for data in noise:
        one.bytes_received(data, at_ms(1))
