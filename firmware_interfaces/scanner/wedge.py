"""Keys of a scanner that plays a keyboard: the kernel's events in, bounded printable codes out.

An event is 24 bytes: seconds and microseconds (8 each), type, code (2 each), value (4). Source:
Linux, include/uapi/linux/input.h and input-event-codes.h; 64-bit systems.
"""

from struct import Struct
from typing import Final

from firmware_interfaces.scanner.codec import CodeReader

EVENT: Final = Struct("<qqHHi")
KEY_TYPE: Final = 1
KEY_UP, KEY_DOWN, KEY_HELD = 0, 1, 2
TYPE_MAX: Final = 0x1F
CODE_MAX: Final = 0x2FF
LEFT_SHIFT, RIGHT_SHIFT, ENTER, KEYPAD_ENTER = 42, 54, 28, 96

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
        self._shifts: set[int] = set()

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
        return codes

    def flush(self) -> list[str]:
        """Finish what is held after silence."""
        return self.text.flush()

    def _key(self, code: int, *, is_down: bool) -> list[str]:
        if code in {LEFT_SHIFT, RIGHT_SHIFT}:
            (self._shifts.add if is_down else self._shifts.discard)(code)
        elif is_down and code in {ENTER, KEYPAD_ENTER}:
            return self.text.feed(b"\r")
        elif is_down and code in self._keys:
            return self.text.feed(self._keys[code][bool(self._shifts)].encode())
        return []
