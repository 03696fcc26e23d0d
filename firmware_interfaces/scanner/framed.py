"""Frames of scanners that can be asked: GM65, Newland, Zebra SSI.

GM65     `7E 00 TYPE LEN ADDR ADDR DATA CRC CRC` out, `02 00 00 LEN DATA CRC CRC` back; the CRC is
         CRC-16/XMODEM from TYPE on. Codes come as text between the answers.
Newland  `7E 01 "0000" @ COMMAND ; 03` out, `02 01 "0000" @ COMMAND 06|15|05 ; 03` back (taken, out
         of range, unknown). Codes come as text between the answers.
SSI      `LEN OP SOURCE STATUS DATA SUM SUM`, the sum's two's complement, both ways; a code that is
         not acknowledged is sent again with status bit 1.

Source: GM65 User Manual, "Serial Command"; Newland UniCommands; Zebra Simple Serial Interface
Programmer Guide.
"""

from binascii import crc_hqx
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware_interfaces.scanner.codec import CodeReader
from firmware_interfaces.scanner.dialogue import Reply

GM65_HEAD: Final = b"\x02\x00\x00"
GM65_DATA_BYTES_MAX: Final = 16
GM65_READ, GM65_WRITE, GM65_SAVE = 0x07, 0x08, 0x09
GM65_TRIGGER_ZONE: Final = 0x0002

NEWLAND_HEAD: Final = b"\x02\x010000"
NEWLAND_END: Final = b";\x03"
NEWLAND_BYTES_MAX: Final = 64
NEWLAND_TAKEN: Final = b"\x06"

SSI_BYTES_MIN: Final = 6
SSI_ACK, SSI_NAK, SSI_CODE = 0xD0, 0xD1, 0xF3
SSI_START, SSI_BEEP, SSI_ASK_REVISION = 0xE4, 0xE6, 0xA3
SSI_HOST, SSI_SCANNER = 4, 0
SSI_AGAIN, SSI_GOES_ON = 1, 2


def gm65_frame(kind: int, zone: int, data: bytes, length: int | None = None) -> bytes:
    """Wrap a command; to read, `data` is how many zones and `length` is 1."""
    count = len(data) if length is None else length
    body = bytes([kind, count, zone >> 8, zone & 0xFF]) + data
    return b"\x7e\x00" + body + crc_hqx(body, 0).to_bytes(2)


def newland_frame(command: str) -> bytes:
    """Wrap a permanent setting such as SCNMOD3."""
    return b"\x7e\x010000@" + command.encode("ascii") + NEWLAND_END


def ssi_packet(code: int, data: bytes = b"", status: int = 0, source: int = SSI_HOST) -> bytes:
    """Wrap a packet of the host; at most 251 bytes of data."""
    body = bytes([4 + len(data), code, source, status]) + data
    return body + (-sum(body) & 0xFFFF).to_bytes(2)


@dataclass(frozen=True, slots=True)
class Packet:
    """One SSI packet whose sum was right.

    Attributes:
        code: what it is, for example SSI_CODE.
        is_again: whether the scanner sends it again because it saw no acknowledgement.
        goes_on: whether the next packet belongs to it.
        data: without the header; a code's first byte is its symbology.
    """

    code: int
    is_again: bool
    goes_on: bool
    data: bytes


class PacketReader:
    """Finds whole SSI packets in any split of a noisy stream; keeps at most one.

    Attributes:
        spoiled_count: bytes that were passed over.
    """

    def __init__(self) -> None:
        self.spoiled_count = 0
        self._rest = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether no unfinished packet is held."""
        return not self._rest

    def feed(self, data: bytes) -> list[Packet]:
        """Take in bytes; what is no packet is passed over."""
        found = []
        self._rest += data
        while self._rest:
            length = self._rest[0] + 2
            if not _can_begin(self._rest):
                self._pass_over()
            elif len(self._rest) < length:
                break
            elif -sum(self._rest[: length - 2]) & 0xFFFF != int.from_bytes(
                self._rest[length - 2 : length]
            ):
                self._pass_over()
            else:
                _, code, _, status, *data_bytes = self._rest[: length - 2]
                is_again, goes_on = bool(status & SSI_AGAIN), bool(status & SSI_GOES_ON)
                found.append(Packet(code, is_again, goes_on, bytes(data_bytes)))
                del self._rest[:length]
        return found

    def flush(self) -> list[Packet]:
        """Give up on an unfinished packet after silence; behind its start may stand another."""
        found: list[Packet] = []
        while self._rest:
            rest = bytes(self._rest[1:])
            self._rest.clear()
            self.spoiled_count += 1
            found += self.feed(rest)
        return found

    def _pass_over(self) -> None:
        del self._rest[0]
        self.spoiled_count += 1


def _can_begin(held: bytearray) -> bool:
    is_length = held[0] + 2 >= SSI_BYTES_MIN
    return is_length and (len(held) < 3 or held[2] == SSI_SCANNER)


class TextReader:
    """Parts codes that come as text from answers that come as frames.

    Attributes:
        text: what reads the codes.
    """

    def __init__(self, text: CodeReader, protocol: str) -> None:
        self.text = text
        self._read = _READS[protocol]
        self._held = bytearray()

    @property
    def garbled_count(self) -> int:
        """Codes that were dropped."""
        return self.text.garbled_count

    @property
    def is_empty(self) -> bool:
        """Whether nothing unfinished is held."""
        return not self._held and self.text.is_empty

    def feed(self, data: bytes) -> list[str | Reply]:
        """Take in bytes; gives codes and answers in order."""
        found: list[str | Reply] = []
        for byte in data:
            if not self._held and byte != 2:
                found += self.text.feed(bytes([byte]))
                continue
            self._held.append(byte)
            reply = self._read(bytes(self._held))
            if isinstance(reply, Reply):
                found.append(reply)
                self._held.clear()
            elif not reply:
                found += self._release()
        return found

    def flush(self) -> list[str | Reply]:
        """Finish what is held after silence."""
        found: list[str | Reply] = self._release()
        return found + list(self.text.flush())

    def _release(self) -> list[str | Reply]:
        """It was no frame: its start is passed over, and the rest may be text or a frame."""
        rest = bytes(self._held[1:])
        self._held.clear()
        return self.feed(rest)


# Reads what is held: an answer, True when more is needed, or False when it is none.
_Read = Callable[[bytes], Reply | bool]


def _read_gm65(held: bytes) -> Reply | bool:
    if len(held) < 4:
        return GM65_HEAD.startswith(held[:3])
    if not 1 <= held[3] <= GM65_DATA_BYTES_MAX or held[:3] != GM65_HEAD:
        return False
    if len(held) < 4 + held[3] + 2:
        return True
    if crc_hqx(held[2:-2], 0) != int.from_bytes(held[-2:]):
        return False
    return Reply(held[4:-2])


def _read_newland(held: bytes) -> Reply | bool:
    if len(held) <= len(NEWLAND_HEAD):
        return NEWLAND_HEAD.startswith(held)
    if not held.endswith(NEWLAND_END):
        return held[-1] != 3 and len(held) < NEWLAND_BYTES_MAX
    return Reply(held[-3:-2]) if len(held) >= len(NEWLAND_HEAD) + 4 else False


_READS: Final[dict[str, _Read]] = {"gm65": _read_gm65, "newland": _read_newland}
