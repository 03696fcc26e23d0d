"""Scanners that can be asked: GM65 with its zones, Newland with its settings."""

from binascii import crc_hqx

from simulators.devices.scanner import HEARD_BYTES_MAX, Scanner


class AskedScanner(Scanner):
    """A scanner whose codes are text and that answers frames.

    Args:
        name: as in the box's settings.
        protocol: gm65 or newland.

    Attributes:
        zones: of a GM65, as written; zones in `stubborn` stay as they are.
        settings: of a Newland, as told; those in `unknown` are refused.
        triggered_count: how often it was made to look for a code.
        is_silent: whether it answers nothing.
    """

    def __init__(self, name: str, *, protocol: str = "gm65") -> None:
        super().__init__(name)
        self.zones: dict[int, int] = {}
        self.stubborn: set[int] = set()
        self.settings: list[str] = []
        self.unknown: set[str] = set()
        self.triggered_count = 0
        self.is_silent = False
        self._protocol = protocol
        self._asked = bytearray()

    def hear(self, data: bytes) -> None:
        """Answer whole frames."""
        self._asked += data
        del self._asked[:-HEARD_BYTES_MAX]
        while (start := self._asked.find(0x7E)) >= 0:
            del self._asked[:start]
            used = self._gm65() if self._protocol == "gm65" else self._newland()
            if used == 0:
                return
            del self._asked[:used]

    def _reply(self, data: bytes) -> None:
        if not self.is_silent:
            self.send(data)

    def _gm65(self) -> int:
        """Obey the frame that begins here; gives its bytes, 1 if it is none, 0 to wait."""
        asked = bytes(self._asked)
        if len(asked) < 4:
            return 0
        kind, length = asked[2], asked[3]
        whole = 6 + (1 if kind == 7 else length) + 2
        if asked[1] or kind not in {7, 8, 9} or whole > HEARD_BYTES_MAX:
            return 1
        if len(asked) < whole:
            return 0
        body, crc = asked[2 : whole - 2], asked[whole - 2 : whole]
        if crc not in {b"\xab\xcd", crc_hqx(body, 0).to_bytes(2)}:
            return 1
        zone, data = int.from_bytes(body[2:4]), body[4:]
        if kind == 7:
            self._say_zones(bytes(self.zones.get(zone + n, 0) for n in range(data[0])))
        else:
            if kind == 8 and zone not in self.stubborn:
                self.zones |= {zone + n: byte for n, byte in enumerate(data)}
            self.triggered_count += kind == 8 and zone == 2
            self._say_zones(b"\x00")
        return whole

    def _say_zones(self, data: bytes) -> None:
        body = bytes([0, len(data)]) + data
        self._reply(b"\x02\x00" + body + crc_hqx(body, 0).to_bytes(2))

    def _newland(self) -> int:
        asked = bytes(self._asked)
        end = asked.find(b";\x03")
        if end < 0:
            return 0
        if asked[:6] == b"\x7e\x010000" and asked[6:7] in {b"@", b"#"}:
            command = asked[7:end].decode("ascii", "replace")
            is_known = command not in self.unknown
            if is_known:
                self.settings.append(command)
            answer = b"\x06" if is_known else b"\x05"
            self._reply(b"\x02\x010000" + asked[6:end] + answer + b";\x03")
        return end + 2
