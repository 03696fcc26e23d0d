"""Whole OSDP frames out of a noisy stream.

`[FF] 53 ADDR LEN LEN CTRL [security block] CODE DATA [MAC] CRC`, and a reader sets 80 in ADDR.

Only the framing is ours; what is inside belongs to libosdp. Source: IEC 60839-11-5, the packet
format; CRC-16, polynomial 1021, initial value 1D0F, low byte first, the mark FF not counted.
"""

from binascii import crc_hqx
from dataclasses import dataclass

MARK = 0xFF
START = 0x53
REPLY_BIT = 0x80
ADDRESS_MASK = 0x7F
SEQUENCE_MASK = 0x03
CRC_BIT = 0x04
SECURITY_BIT = 0x08
HEADER_BYTES = 5
FRAME_BYTES_MIN = HEADER_BYTES + 3  # a code and the CRC
FRAME_BYTES_MAX = 256  # a card of 512 bits needs 95; more would only delay finding the next frame

POLL = 0x60
ASK_IDENTITY = 0x61
ASK_CAPABILITIES = 0x62
DRIVE_OUTPUT = 0x68
CHALLENGE = 0x76
SERVER_CRYPTOGRAM = 0x77

ACK = 0x40
NAK = 0x41
IDENTITY = 0x45
CAPABILITIES = 0x46
LOCAL_STATUS = 0x48
RAW_CARD = 0x50
KEYPAD = 0x53
BUSY = 0x79

# Types of security blocks: from these on a frame ends in a MAC, and the last two hide its data.
WITH_MAC = range(0x15, 0x19)
HIDDEN = range(0x17, 0x19)
MAC_BYTES = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose CRC was right.

    Attributes:
        address: 0 to 127, without the reply bit.
        is_reply: whether a reader sent it.
        sequence: 0 to 3; 0 restarts a conversation.
        code: the command or reply code.
        raw: the frame as it was, without the mark.
    """

    address: int
    is_reply: bool
    sequence: int
    code: int
    raw: bytes

    @property
    def security(self) -> bytes:
        """The security block without its length: type and data; empty when there is none."""
        has_block = self.raw[4] & SECURITY_BIT
        return (
            self.raw[HEADER_BYTES + 1 : HEADER_BYTES + self.raw[HEADER_BYTES]] if has_block else b""
        )

    @property
    def is_hidden(self) -> bool:
        """Whether its data is encrypted."""
        return self.security[:1] != b"" and self.security[0] in HIDDEN

    @property
    def data(self) -> bytes:
        """What follows the code; encrypted if the frame is hidden."""
        security = self.security
        begin = HEADER_BYTES + (1 + len(security) if security else 0) + 1
        has_mac = security[:1] != b"" and security[0] in WITH_MAC
        return self.raw[begin : -2 - (MAC_BYTES if has_mac else 0)]

    @property
    def is_challenge_with_default_key(self) -> bool:
        """Whether it opens a secure channel with the key that anybody knows."""
        return self.code == CHALLENGE and self.security[1:2] == b"\x00"


def crc16(data: bytes) -> int:
    """CRC-16 of a frame from its start byte on, 0 to 65535."""
    return crc_hqx(data, 0x1D0F)


def read_frame(raw: bytes) -> Frame | None:
    """Read one whole frame without its mark; None when it is none."""
    if (
        len(raw) < FRAME_BYTES_MIN
        or raw[0] != START
        or int.from_bytes(raw[2:4], "little") != len(raw)
    ):
        return None
    control = raw[4]
    if not control & CRC_BIT or crc16(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        return None
    code_index = HEADER_BYTES + (raw[5] if control & SECURITY_BIT else 0)
    if code_index >= len(raw) - 2:
        return None
    return Frame(
        address=raw[1] & ADDRESS_MASK,
        is_reply=bool(raw[1] & REPLY_BIT),
        sequence=control & SEQUENCE_MASK,
        code=raw[code_index],
        raw=raw,
    )


class FrameReader:
    """Finds whole frames in any split of a noisy stream; keeps less than one longest frame."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def reset(self) -> None:
        """Forget an unfinished frame, because what follows cannot be its end."""
        self._rest.clear()

    def feed(self, data: bytes) -> list[Frame]:
        """Take in bytes; what is no frame is passed over."""
        frames = []
        self._rest += data
        while True:
            self._skip_to_start()
            if len(self._rest) < HEADER_BYTES:
                break
            length = int.from_bytes(self._rest[2:4], "little")
            if not FRAME_BYTES_MIN <= length <= FRAME_BYTES_MAX:
                del self._rest[0]
            elif len(self._rest) < length:
                break
            elif (frame := read_frame(bytes(self._rest[:length]))) is None:
                del self._rest[0]
            else:
                frames.append(frame)
                del self._rest[:length]
        return frames

    def _skip_to_start(self) -> None:
        start = self._rest.find(START)
        del self._rest[: len(self._rest) if start < 0 else start]
