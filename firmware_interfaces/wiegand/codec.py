"""Text from a Wiegand converter: untrusted bytes in, card bits out.

hex      hexadecimal digits, then CR or LF: `0A1B2C` CR.
decimal  ten digits, then CR or LF.
bits     one character a bit, then CR or LF: `01000010...` CR.
stx      `02`, ten hexadecimal digits, two of their XOR, perhaps CR LF, `03`.
em18     the twelve digits of stx without a frame.

Source: hex, decimal, bits: manuals of common converters; stx: RDM6300 and Innovations ID-12LA data
sheets; em18: EM-18 data sheet. hex, decimal and bits carry no check of their own.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

HELD_BYTES_MAX: Final = 128
STX: Final = 0x02
ETX: Final = 0x03
TAG_DIGITS: Final = 12  # five bytes and the XOR of them
DECIMAL_DIGITS: Final = 10
NUMBER_BITS: Final = 32  # what ten decimal digits stand for
LINE_ENDS: Final = b"\r\n"

_HEX: Final = re.compile(rb"[0-9A-Fa-f]+")
_TAG: Final = re.compile(rb"[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class Bits:
    """A number as its bits, the first one sent is the highest.

    Attributes:
        count: how many bits.
        number: their value, 0 to 2 ** count - 1.
    """

    count: int
    number: int


class CardReader:
    """Cuts a stream into numbers; keeps at most HELD_BYTES_MAX bytes.

    Attributes:
        garbled_count: what was dropped because it was no number of this form.
    """

    def __init__(self, form: str) -> None:
        self.garbled_count = 0
        self._cut = _CUTS[form]
        self._held = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether no unfinished number is held."""
        return not self._held

    def feed(self, data: bytes) -> list[Bits]:
        """Take in bytes; gives the numbers that they finish."""
        found = []
        for byte in data:
            self._held.append(byte)
            bits, is_over = self._cut(self._held)
            if bits is not None:
                found.append(bits)
            elif is_over or len(self._held) >= HELD_BYTES_MAX:
                self.garbled_count += 1
                is_over = True
            if is_over:
                self._held.clear()
        return found

    def forget(self) -> None:
        """Drop an unfinished number, because silence came in its midst."""
        self.garbled_count += bool(self._held)
        self._held.clear()


# A cut looks at what is held: the number if it is whole, and whether what is held is done with.
_Cut = Callable[[bytearray], tuple[Bits | None, bool]]


def _line(read: Callable[[bytes], Bits | None], digits: bytes) -> _Cut:
    def cut(held: bytearray) -> tuple[Bits | None, bool]:
        if held[-1] not in LINE_ENDS + digits:
            # Noise: what came before it is half a number, what comes may be a whole one.
            if len(held) == 1:
                held.clear()
            return None, bool(held)
        if held[-1] not in LINE_ENDS:
            return None, False
        if len(held) == 1:
            held.clear()  # the second character of CR LF
            return None, False
        return read(bytes(held[:-1])), True

    return cut


def _read_hex(text: bytes) -> Bits | None:
    return Bits(4 * len(text), int(text, 16)) if _HEX.fullmatch(text) else None


def _read_decimal(text: bytes) -> Bits | None:
    if len(text) != DECIMAL_DIGITS or not text.isdigit() or int(text) >> NUMBER_BITS:
        return None
    return Bits(NUMBER_BITS, int(text))


def _read_bits(text: bytes) -> Bits | None:
    return Bits(len(text), int(text, 2)) if not text.strip(b"01") else None


def _read_tag(text: bytes) -> Bits | None:
    if not _TAG.fullmatch(text):
        return None
    xor = 0
    for byte in bytes.fromhex(text.decode()):
        xor ^= byte
    return Bits(40, int(text[:-2], 16)) if xor == 0 else None


def _cut_stx(held: bytearray) -> tuple[Bits | None, bool]:
    if held[-1] == STX:
        del held[:-1]
        return None, False
    if held[0] != STX:
        held.clear()
        return None, False
    if held[-1] != ETX:
        return None, False
    return _read_tag(bytes(held[1:-1]).removesuffix(LINE_ENDS)), True


def _cut_em18(held: bytearray) -> tuple[Bits | None, bool]:
    if len(held) < TAG_DIGITS:
        return None, False
    bits = _read_tag(bytes(held))
    if bits is None:
        del held[0]  # a byte of noise may stand before the number
    return bits, bits is not None


_CUTS: Final[dict[str, _Cut]] = {
    "hex": _line(_read_hex, b"0123456789abcdefABCDEF"),
    "decimal": _line(_read_decimal, b"0123456789"),
    "bits": _line(_read_bits, b"01"),
    "stx": _cut_stx,
    "em18": _cut_em18,
}
