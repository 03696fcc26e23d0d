"""Text from a scanner: untrusted bytes in, bounded printable codes out; and the beeps back."""

CR = 0x0D
LF = 0x0A

# What a code may end with, by the setting `ends`.
ENDS = {
    "cr": frozenset({CR}),
    "lf": frozenset({LF}),
    "cr_lf": frozenset({CR, LF}),
    "silence": frozenset[int](),
}

# (taken, not taken), by the setting `beeps`.
# honeywell: ESC 7 and ESC 8, "on file" and "not on file"; Source: Xenon/Granit User's Guide,
#   "ACK/NAK mode"; 2020 User's Guide, "Host Escape Commands".
# datalogic: SOH forces the good-read tone, F is "not on file"; Source: Magellan 9300i Product
#   Reference Guide, appendix E, "Host Commands".
BEEPS = {
    "honeywell": (b"\x1b7,", b"\x1b8,"),
    "datalogic": (b"\x01", b"F"),
    "none": (b"", b""),
}


# What makes a scanner look for a code, by the setting `beeps`; empty where there is no such thing.
# Source: Honeywell Xenon/Granit User's Guide, "Serial Trigger".
TRIGGERS = {"honeywell": b"\x16T\r", "datalogic": b"", "none": b""}


class CodeReader:
    """Cuts a stream into codes; keeps at most `length_max` bytes.

    Attributes:
        garbled_count: codes that were dropped: too long, not UTF-8, or not printable.
        is_empty: whether no unfinished code is held.
    """

    def __init__(self, ends: str, length_max: int) -> None:
        self.garbled_count = 0
        self._ends = ENDS[ends]
        self._length_max = length_max
        self._held = bytearray()
        self._is_too_long = False

    @property
    def is_empty(self) -> bool:
        """Whether no unfinished code is held."""
        return not self._held and not self._is_too_long

    def feed(self, data: bytes) -> list[str]:
        """Take in bytes; gives the codes that they finish."""
        codes = []
        for byte in data:
            if byte in self._ends:
                codes += self.flush()
            elif len(self._held) < self._length_max:
                self._held.append(byte)
            else:
                self._is_too_long = True
        return codes

    def flush(self) -> list[str]:
        """Finish what is held; no code, or one."""
        held = bytes(self._held).strip(b"\r\n")
        is_too_long = self._is_too_long
        self._held.clear()
        self._is_too_long = False
        if not held and not is_too_long:
            return []
        text = _printable(held)
        if is_too_long or not text:
            self.garbled_count += 1
            return []
        return [text]


def _printable(held: bytes) -> str:
    try:
        text = held.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""
