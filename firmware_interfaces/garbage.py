"""Whether a line that gives no answer is silent, or says what nobody understands."""

from typing import Final

GARBLED: Final = "garbled"
BYTES_COUNT_MIN: Final = 8  # a few stray bytes are on every long cable


class Garbage:
    """Counts what came on one line since the last whole frame; the echo of our own is no garbage.

    A wrong baud, A and B swapped and two masters on one line all look like this.
    """

    def __init__(self) -> None:
        self._bytes_count = 0
        self._echo = b""

    def line_opened(self) -> None:
        """Begin anew."""
        self._bytes_count = 0
        self._echo = b""

    def sent(self, data: bytes) -> None:
        """Know what an adapter that hears itself would give back."""
        if data:
            self._echo = data

    def heard(self, data: bytes, *, is_understood: bool) -> None:
        """Take in what arrived; `is_understood`: a whole frame ended in it."""
        if is_understood:
            self._bytes_count = 0
            self._echo = b""
            return
        echoed_count = 0
        for ours, theirs in zip(self._echo, data, strict=False):
            if ours != theirs:
                break
            echoed_count += 1
        self._echo = self._echo[echoed_count:]
        self._bytes_count += len(data) - echoed_count

    def reason(self, otherwise: str) -> str:
        """Why a device is lost: GARBLED where only garbage came, else `otherwise`."""
        return GARBLED if self._bytes_count >= BYTES_COUNT_MIN else otherwise
