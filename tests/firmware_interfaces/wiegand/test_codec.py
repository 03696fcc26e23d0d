from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.wiegand.codec import HELD_BYTES_MAX, Bits, CardReader
from simulators.devices.wiegand_reader import WiegandReader
from tests.firmware_interfaces.vectors import vectors

FORMS = ["hex", "decimal", "bits", "stx", "em18"]
CHECKED_FORMS = ["stx", "em18"]
forms = st.sampled_from(FORMS)
numbers = st.integers(1, 2**32 - 1)


def written(form: str, number: int) -> bytes:
    sent: list[bytes] = []
    reader = WiegandReader("device", form=form, is_whole=True)
    reader.send = lambda data, _=None: sent.append(data)
    reader.show(f"32:{number:08x}")
    return sent[0]


def read(form: str, data: bytes) -> list[Bits]:
    return CardReader(form).feed(data)


@pytest.mark.parametrize("case", vectors("wiegand")["texts"], ids=lambda case: case["what"])
def test_texts_are_read_as_their_data_sheets_say(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"] + case.get("tail", ""))
    wanted = [Bits(case["count"], case["number"])] if case["count"] else []
    assert read(case["form"], data) == wanted


@given(forms, st.lists(st.one_of(numbers, st.binary(max_size=20)), max_size=6), st.data())
def test_any_split_gives_the_same_cards(
    form: str, parts: list[int | bytes], draw: st.DataObject
) -> None:
    stream = b"".join(written(form, p) if isinstance(p, int) else p for p in parts)
    cuts = draw.draw(st.lists(st.integers(0, len(stream)), max_size=6))
    reader, found, at = CardReader(form), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        found += reader.feed(stream[at:cut])
        at = max(at, cut)
    assert found == read(form, stream)


@pytest.mark.parametrize("form", FORMS)
@given(number=numbers)
def test_every_truncation_asks_for_more(form: str, number: int) -> None:
    data = written(form, number).removesuffix(b"\n")
    for cut in range(len(data)):
        reader = CardReader(form)
        assert reader.feed(data[:cut]) == []
        assert [bits.number for bits in reader.feed(data[cut:])] == [number]


@pytest.mark.parametrize("form", CHECKED_FORMS)
@given(number=numbers)
def test_one_flipped_bit_is_never_believed_where_there_is_a_checksum(
    form: str, number: int
) -> None:
    data = written(form, number)
    for bit in range(len(data) * 8):
        spoiled = bytearray(data)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert read(form, bytes(spoiled)) == []


def test_a_number_that_is_none_is_counted_once() -> None:
    reader = CardReader("decimal")
    assert reader.feed(b"9999999999\r\n00000000AB\r\n\r\n0000000007\r\n") == [Bits(32, 7)]
    assert reader.garbled_count == 2


def test_silence_drops_half_a_card() -> None:
    reader = CardReader("em18")
    reader.feed(b"62E3")
    reader.forget()
    reader.forget()
    assert reader.is_empty
    assert reader.garbled_count == 1
    assert len(reader.feed(written("em18", 5))) == 1


def test_a_byte_of_noise_before_an_unframed_card_costs_nothing() -> None:
    assert [bits.number for bits in read("em18", b"\x80" + written("em18", 5))] == [5]


@given(forms, st.binary(max_size=500))
def test_hostile_bytes_neither_raise_nor_pile_up(form: str, data: bytes) -> None:
    reader = CardReader(form)
    for bits in reader.feed(data):
        assert 0 <= bits.number < 1 << bits.count
    assert len(reader._held) < HELD_BYTES_MAX
