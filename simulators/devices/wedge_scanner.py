"""A scanner that plays a keyboard: the events that the kernel would give the box."""

from struct import pack

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice

KEYS = dict(
    zip(
        "1234567890-=qwertyuiop[]asdfghjkl;'`\\zxcvbnm,./ ",
        [*range(2, 14), *range(16, 28), *range(30, 42), *range(43, 54), 57],
        strict=True,
    )
)
SHIFTED = dict(
    zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./", strict=True),
)
LEFT_SHIFT, ENTER = 42, 28


def event(kind: int, code: int, value: int) -> bytes:
    """One `struct input_event` of a 64-bit system."""
    return pack("<qqHHi", 1_700_000_000, 123_456, kind, code, value)


def press(code: int) -> bytes:
    """A key goes down and up, each with the report that ends it."""
    return b"".join(event(1, code, value) + event(0, 0, 0) for value in (1, 0))


def keys(text: str) -> bytes:
    """The events of a text on a US keyboard."""
    typed = b""
    for letter in text:
        plain = SHIFTED.get(letter, letter.lower())
        stroke = press(KEYS[plain])
        if plain != letter:
            stroke = event(1, LEFT_SHIFT, 1) + stroke + event(1, LEFT_SHIFT, 0)
        typed += stroke
    return typed


class WedgeScanner(FarDevice):
    """One scanner with a US keyboard."""

    def read_out(self, text: str) -> None:
        """Type a code and Enter."""
        whole = keys(text) + press(ENTER)

        def crossed(data: bytes) -> None:
            if data == whole:
                self.emit(Seen.CODE, text)

        self.send(whole, crossed)
