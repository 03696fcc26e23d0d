"""What the bits of a card mean: where its parity bits stand and what they guard.

Bits are numbered from 1, the first one sent. Source: HID, "Understanding Card Data Formats":
H10301 (26 bits), H10306 (34 bits), H10302 and H10304 (37 bits, same parity). A keypad sends four
bits a key, or eight with the upper four inverted. Source: the same, and Dorado keypads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from firmware_interfaces.wiegand.codec import Bits

KEYS: Final = "0123456789*#"
KEY_BITS: Final = 4
KEY_BITS_GUARDED: Final = 8


@dataclass(frozen=True, slots=True)
class Parity:
    """One parity bit.

    Attributes:
        at: where it stands.
        first, last: the bits it guards, both included.
        is_odd: whether it makes the count of ones odd.
    """

    at: int
    first: int
    last: int
    is_odd: bool


@dataclass(frozen=True, slots=True)
class Format:
    """How many bits a card has and which of them are parity.

    Attributes:
        bits: of the whole frame.
        parities: in the order in which they are computed.
    """

    bits: int
    parities: Sequence[Parity]

    @property
    def data_bits(self) -> int:
        """How many bits are left without parity."""
        return self.bits - len(self.parities)


FORMATS: Final = {
    "26": Format(26, (Parity(1, 2, 13, is_odd=False), Parity(26, 14, 25, is_odd=True))),
    "34": Format(34, (Parity(1, 2, 17, is_odd=False), Parity(34, 18, 33, is_odd=True))),
    "37": Format(37, (Parity(1, 2, 19, is_odd=False), Parity(37, 19, 36, is_odd=True))),
}


def whole_frame(bits: Bits, form: Format) -> Bits | None:
    """Take a whole frame, perhaps with zeros before it; None when its parity is wrong."""
    if bits.number >> form.bits:
        return None
    frame = Bits(form.bits, bits.number)
    return frame if all(_is_right(frame, parity) for parity in form.parities) else None


def framed(bits: Bits, form: Format) -> Bits | None:
    """Put back the parity that a converter took away; None when the number is too large."""
    if bits.number >> form.data_bits:
        return None
    number, left = 0, form.data_bits
    places = {parity.at for parity in form.parities}
    for place in range(1, form.bits + 1):
        number <<= 1
        if place not in places:
            left -= 1
            number |= bits.number >> left & 1
    for parity in form.parities:
        if not _is_right(Bits(form.bits, number), parity):
            number |= 1 << form.bits - parity.at
    return Bits(form.bits, number)


def card_value(frame: Bits) -> str:
    """Write a card as "count:hex", left-aligned in whole bytes, as readers of any family do."""
    bytes_count = (frame.count + 7) // 8
    aligned = frame.number << 8 * bytes_count - frame.count
    return f"{frame.count}:{aligned.to_bytes(bytes_count).hex()}"


def key_value(bits: Bits) -> str:
    """Read one pressed key; "" when these bits are none."""
    key = bits.number & 0xF
    if bits.count == KEY_BITS_GUARDED and bits.number >> KEY_BITS != key ^ 0xF:
        return ""
    if bits.count not in {KEY_BITS, KEY_BITS_GUARDED} or key >= len(KEYS):
        return ""
    return KEYS[key]


def _is_right(frame: Bits, parity: Parity) -> bool:
    guarded = frame.number >> frame.count - parity.last & (1 << parity.last - parity.first + 1) - 1
    ones_count = guarded.bit_count() + (frame.number >> frame.count - parity.at & 1)
    return ones_count % 2 == parity.is_odd
