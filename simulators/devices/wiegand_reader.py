"""A card reader behind a Wiegand converter, and the person who holds a card to it."""

import time
from collections import Counter, deque

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice

AGAIN_S = 0.06
WAITING_COUNT_MAX = 1_024


class WiegandReader(FarDevice):
    """One converter; what it writes is set by its own switches.

    Args:
        name: as in the box's settings.
        form: hex, decimal, bits, stx or em18.
        is_whole: whether it writes the first and the last bit, which are parity.
        times: how often it says a card that is held to it.
        needed: how many of them the box wants; the card is emitted when so many crossed.
    """

    def __init__(
        self,
        name: str,
        *,
        form: str = "hex",
        is_whole: bool = False,
        times: int = 1,
        needed: int = 1,
    ) -> None:
        super().__init__(name)
        self._form = form
        self._is_whole = is_whole
        self._times = times
        self._needed = needed
        self._waiting: deque[tuple[bytes, Seen, str, Counter[str]]] = deque(
            maxlen=WAITING_COUNT_MAX
        )
        self._due_s = 0.0

    def show(self, card: str) -> None:
        """Hold a card to it, "bits:hex" left-aligned, parity included."""
        count_text, _, digits = card.partition(":")
        count = int(count_text)
        bits = bin(int("1" + digits, 16))[3 : 3 + count]
        whole = self._write(bits if self._is_whole else bits[1:-1])
        crossed = Counter[str]()
        self._waiting.extend((whole, Seen.CARD, card, crossed) for _ in range(self._times))
        self.time_passed()

    def press(self, key: str) -> None:
        """Press one key of a reader that writes bits."""
        self._say(f"{'0123456789*#'.index(key):04b}\r\n".encode(), Seen.KEYS, key, Counter())

    def time_passed(self) -> None:
        """Say the card that is held once more."""
        now_s = time.monotonic()
        if self._waiting and now_s >= self._due_s:
            self._due_s = now_s + AGAIN_S
            self._say(*self._waiting.popleft())

    def _say(self, whole: bytes, seen: Seen, value: str, crossings: Counter[str]) -> None:
        def crossed(data: bytes) -> None:
            crossings[value] += data == whole
            if data == whole and crossings[value] == (self._needed if seen is Seen.CARD else 1):
                self.emit(seen, value)

        self.send(whole, crossed)

    def _write(self, bits: str) -> bytes:
        number = int(bits, 2)
        match self._form:
            case "hex":
                return f"{number:0{-(-len(bits) // 4)}X}\r".encode()
            case "decimal":
                return f"{number:010d}\r\n".encode()
            case "bits":
                return f"{bits}\r\n".encode()
            case _:
                tag = number.to_bytes(5)
                xor = tag[0] ^ tag[1] ^ tag[2] ^ tag[3] ^ tag[4]
                text = f"{tag.hex()}{xor:02x}".upper().encode()
                return text if self._form == "em18" else b"\x02" + text + b"\x03"
