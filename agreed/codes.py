"""Codes that people scan: letters with a check, so that a wire cannot turn one into another.

The last six letters are the remainder of a BCH code over 32 letters. It notices any four wrong
letters in up to 89, and lets one in 2 ** 30 of anything worse pass. Source: BIP-173 for the
generator, BIP-350 for the constant; the letters are our own: no 0 and O, no 1 and I.
"""

from collections.abc import Iterable
from typing import Final

LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CHECK_LENGTH: Final = 6
CODE_LENGTH_MAX: Final = 89
REMAINDER: Final = 0x2BC830A3

_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_VALUES: Final = {letter: value for value, letter in enumerate(LETTERS)}


def with_check(body: str) -> str:
    """Write the check behind a code's own letters.

    Args:
        body: of LETTERS, 1 to CODE_LENGTH_MAX - CHECK_LENGTH.
    """
    values = [_VALUES[letter] for letter in body]
    number = remainder([*values, *[0] * CHECK_LENGTH]) ^ REMAINDER
    places = range(5 * (CHECK_LENGTH - 1), -1, -5)
    return body + "".join(LETTERS[number >> place & 31] for place in places)


def is_whole(text: str) -> bool:
    """Whether a text is a code as it was made; any text may be asked about."""
    if not CHECK_LENGTH < len(text) <= CODE_LENGTH_MAX:
        return False
    values = [_VALUES.get(letter, -1) for letter in text]
    return min(values) >= 0 and remainder(values) == REMAINDER


def remainder(values: Iterable[int]) -> int:
    """Divide by the generator of BIP-173; values are 0 to 31, the answer has 30 bits."""
    left = 1
    for value in values:
        top = left >> 25
        left = (left & 0x1FFFFFF) << 5 ^ value
        for place, part in enumerate(_GENERATOR):
            left ^= part if top >> place & 1 else 0
    return left
