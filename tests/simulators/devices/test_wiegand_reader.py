from collections.abc import Callable

import pytest

from firmware_interfaces.observations import Seen
from simulators.devices.wiegand_reader import WiegandReader


def shown(card: str, *, form: str, is_whole: bool = False, is_noisy: bool = False) -> WiegandReader:
    reader = WiegandReader("card", form=form, is_whole=is_whole)
    sent: list[bytes] = []

    def send(data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
        sent.append(data)
        if crossed is not None:
            crossed(data[1:] if is_noisy else data)

    reader.send = send
    reader.show(card)
    assert sent == [WANTED[form]]
    return reader


CARD = "26:850d9640"
WANTED = {
    "hex": b"0A1B2C\r",
    "decimal": b"0000662316\r\n",
    "bits": b"000010100001101100101100\r\n",
    "stx": b"\x0200000A1B2C3D\x03",
    "em18": b"00000A1B2C3D",
}


@pytest.mark.parametrize("form", WANTED)
def test_a_card_is_written_in_every_form_and_emitted_when_it_crossed(form: str) -> None:
    assert [(e.seen, e.value) for e in shown(CARD, form=form).emitted] == [(Seen.CARD, CARD)]
    assert shown(CARD, form=form, is_noisy=True).emitted == []


def test_a_key_is_four_bits() -> None:
    reader = WiegandReader("card", form="bits")
    sent: list[bytes] = []
    reader.send = lambda data, _=None: sent.append(data)
    reader.press("#")
    assert sent == [b"1011\r\n"]


def test_a_card_that_is_held_is_said_again_and_emitted_once_enough_of_it_crossed() -> None:
    reader = WiegandReader("card", times=4, needed=2)
    sent: list[bytes] = []
    spoils = iter([False, True, False, False])

    def send(data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
        sent.append(data)
        assert crossed is not None
        crossed(b"" if next(spoils) else data)

    reader.send = send
    reader.show(CARD)
    while len(sent) < 4:
        emitted_count = len(reader.emitted)
        assert emitted_count == (len(sent) >= 3)
        reader.time_passed()
    assert len(reader.emitted) == 1
