"""A card reader behind a Wiegand converter, and the person who holds a card to it."""

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice


class WiegandReader(FarDevice):
    """One converter; what it writes is set by its own switches.

    Args:
        name: as in the box's settings.
        form: hex, decimal, bits, stx or em18.
        is_whole: whether it writes the first and the last bit, which are parity.
    """

    def __init__(self, name: str, *, form: str = "hex", is_whole: bool = False) -> None:
        super().__init__(name)
        self._form = form
        self._is_whole = is_whole

    def show(self, card: str) -> None:
        """Hold a card to it, "bits:hex" left-aligned, parity included."""
        count_text, _, digits = card.partition(":")
        count = int(count_text)
        bits = bin(int("1" + digits, 16))[3 : 3 + count]
        whole = self._write(bits if self._is_whole else bits[1:-1])
        self._say(whole, Seen.CARD, card)

    def press(self, key: str) -> None:
        """Press one key of a reader that writes bits."""
        self._say(f"{'0123456789*#'.index(key):04b}\r\n".encode(), Seen.KEYS, key)

    def _say(self, whole: bytes, seen: Seen, value: str) -> None:
        def crossed(data: bytes) -> None:
            if data == whole:
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
