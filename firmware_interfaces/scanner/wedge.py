"""Keys of a scanner that plays a keyboard: the kernel's events in, bounded printable codes out.

A code is what all of its keys say, or nothing: a key that the layout does not have, one pressed
with Ctrl or Alt, and events that the kernel had to drop spoil the whole code. Keys that are held
do not repeat. Which shifts are down and whether caps lock is on is known from the grab on, where
none is and it is off: the raw keys of a grabbed keyboard owe nothing to the lamps of another.

An event is 24 bytes: seconds and microseconds (8 each), type, code (2 each), value (4). Source:
Linux, include/uapi/linux/input.h and input-event-codes.h; 64-bit systems.
"""

from struct import Struct
from typing import Final

from firmware_interfaces.scanner.codec import CodeReader

EVENT: Final = Struct("<qqHHi")
SYNC_TYPE, KEY_TYPE = 0, 1
SYNC_DROPPED: Final = 3
KEY_UP, KEY_DOWN, KEY_HELD = 0, 1, 2
TYPE_MAX: Final = 0x1F
CODE_MAX: Final = 0x2FF
SHIFTS: Final = frozenset({42, 54})
CAPS_LOCK: Final = 58
ENDS: Final = frozenset({28, 96, 15})  # Enter, that of the keypad, Tab
CHORDS: Final = frozenset({29, 97, 56, 100, 125, 126})  # Ctrl, Alt and Meta, left and right
LOCKS: Final = frozenset({69, 70})  # Num Lock and Scroll Lock: the keypad means digits all the same
SPOILED: Final = b"\0"  # no code with it in is printable

# (plain, with shift) by the code of the first key of each row of a keyboard.
_US: Final = {
    2: ("1234567890-=", "!@#$%^&*()_+"),
    16: ("qwertyuiop[]", "QWERTYUIOP{}"),
    30: ("asdfghjkl;'`", 'ASDFGHJKL:"~'),
    43: ("\\zxcvbnm,./", "|ZXCVBNM<>?"),
    57: (" ", " "),
}
_DE: Final = {
    2: ("1234567890ß", '!"§$%&/()=?'),
    16: ("qwertzuiopü+", "QWERTZUIOPÜ*"),
    30: ("asdfghjklöä^", "ASDFGHJKLÖÄ°"),
    43: ("#yxcvbnm,.-", "'YXCVBNM;:_"),
    57: (" ", " "),
    86: ("<", ">"),
}
_KEYPAD: Final = {71: "789-456+1230."}


def _layout(rows: dict[int, tuple[str, str]]) -> dict[int, tuple[str, str]]:
    keys = {
        first + place: (plain, shifted)
        for first, (plains, shifteds) in rows.items()
        for place, (plain, shifted) in enumerate(zip(plains, shifteds, strict=True))
    }
    for first, plains in _KEYPAD.items():
        keys |= {first + place: (plain, plain) for place, plain in enumerate(plains)}
    return keys


LAYOUTS: Final = {"us": _layout(_US), "de": _layout(_DE)}


class WedgeReader:
    """Turns key events into codes; keeps at most one event and one code.

    Attributes:
        text: what cuts and bounds the codes.
    """

    def __init__(self, text: CodeReader, layout: str) -> None:
        self.text = text
        self._keys = LAYOUTS[layout]
        self._rest = bytearray()
        self._held: set[int] = set()
        self._is_caps = False

    @property
    def garbled_count(self) -> int:
        """Codes that were dropped."""
        return self.text.garbled_count

    @property
    def is_empty(self) -> bool:
        """Whether no unfinished code is held."""
        return self.text.is_empty

    def feed(self, data: bytes) -> list[str]:
        """Take in events; gives the codes that they finish."""
        codes = []
        self._rest += data
        while len(self._rest) >= EVENT.size:
            _, micro, kind, code, value = EVENT.unpack_from(self._rest)
            if not (0 <= micro < 1_000_000 and kind <= TYPE_MAX and code <= CODE_MAX):
                del self._rest[0]
                continue
            del self._rest[: EVENT.size]
            if kind == KEY_TYPE and value in {KEY_UP, KEY_DOWN}:
                codes += self._key(code, is_down=value == KEY_DOWN)
            elif (kind, code) == (SYNC_TYPE, SYNC_DROPPED):
                self._held.clear()
                codes += self.text.feed(SPOILED)
        return codes

    def flush(self) -> list[str]:
        """Finish what is held after silence."""
        return self.text.flush()

    def _key(self, code: int, *, is_down: bool) -> list[str]:
        if code in SHIFTS | CHORDS:
            (self._held.add if is_down else self._held.discard)(code)
        elif is_down and code == CAPS_LOCK:
            self._is_caps = not self._is_caps
        elif is_down and code not in LOCKS:
            return self.text.feed(self._typed(code))
        return []

    def _typed(self, code: int) -> bytes:
        """What one key means with those that are held."""
        if code in ENDS:
            return b"\r"
        if code not in self._keys or self._held & CHORDS:
            return SPOILED
        plain, shifted = self._keys[code]
        is_shifted = bool(self._held & SHIFTS) != (self._is_caps and plain.upper() == shifted)
        return (shifted if is_shifted else plain).encode()
