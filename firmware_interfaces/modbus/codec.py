"""Modbus RTU frames: `UNIT FUNCTION DATA CRC CRC`.

Source: MODBUS over Serial Line V1.02 (RTU framing, CRC-16 polynomial A001, initial value FFFF, low
byte first); MODBUS Application Protocol V1.1b3 (functions 02 and 05, exceptions).
"""

from dataclasses import dataclass
from typing import Final

READ_INPUTS: Final = 0x02
WRITE_COIL: Final = 0x05
EXCEPTION_BIT: Final = 0x80
INPUTS_COUNT_MAX: Final = 64
FRAME_BYTES_MIN: Final = 5
ECHO_BYTES: Final = 8


def _crc_step(crc: int) -> int:
    for _ in range(8):
        crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


_CRC_TABLE: Final = tuple(_crc_step(byte) for byte in range(256))


def crc16(data: bytes) -> int:
    """CRC-16 of a frame, 0 to 65535."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def frame(unit: int, function: int, data: bytes) -> bytes:
    """Wrap a request or a reply."""
    body = bytes([unit, function]) + data
    return body + crc16(body).to_bytes(2, "little")


def read_inputs(unit: int, count: int) -> bytes:
    """Ask for discrete inputs 0 to count - 1."""
    return frame(unit, READ_INPUTS, (0).to_bytes(2) + count.to_bytes(2))


def write_coil(unit: int, coil: int, *, is_on: bool) -> bytes:
    """Switch one coil; the board answers with the same bytes."""
    return frame(unit, WRITE_COIL, coil.to_bytes(2) + (b"\xff\x00" if is_on else b"\x00\x00"))


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply whose CRC was right.

    Attributes:
        unit: who sent it.
        function: what it answers, without the exception bit.
        is_exception: whether the board says no; `data` is then one byte, why.
        data: what stands between the function and the CRC, without a count of bytes.
    """

    unit: int
    function: int
    is_exception: bool
    data: bytes

    def input_at(self, place: int) -> bool | None:
        """One discrete input; None when the reply does not reach so far."""
        if place >= 8 * len(self.data):
            return None
        return bool(self.data[place // 8] >> place % 8 & 1)


class ReplyReader:
    """Finds whole replies in any split of a noisy stream; keeps less than one longest frame."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def reset(self) -> None:
        """Forget an unfinished reply, because a new request goes out."""
        self._rest.clear()

    def feed(self, data: bytes) -> list[Reply]:
        """Take in bytes; what is no reply is passed over."""
        found = []
        self._rest += data
        while self._rest:
            length = _length(self._rest)
            if length > len(self._rest):
                break
            raw = bytes(self._rest[:length])
            if length and crc16(raw[:-2]) == int.from_bytes(raw[-2:], "little"):
                found.append(_reply(raw))
                del self._rest[:length]
            else:
                del self._rest[0]
        return found


def _length(held: bytearray) -> int:
    """How many bytes the reply that begins here has; 0 when none can."""
    if len(held) < 2:
        return FRAME_BYTES_MIN
    function = held[1]
    if function in {READ_INPUTS | EXCEPTION_BIT, WRITE_COIL | EXCEPTION_BIT}:
        return FRAME_BYTES_MIN
    if function == WRITE_COIL:
        return ECHO_BYTES
    if function != READ_INPUTS:
        return 0
    if len(held) < 3:
        return FRAME_BYTES_MIN
    return FRAME_BYTES_MIN + held[2] if 1 <= held[2] <= INPUTS_COUNT_MAX // 8 else 0


def _reply(raw: bytes) -> Reply:
    function = raw[1] & ~EXCEPTION_BIT
    is_exception = bool(raw[1] & EXCEPTION_BIT)
    has_count = function == READ_INPUTS and not is_exception
    return Reply(raw[0], function, is_exception, raw[3 if has_count else 2 : -2])
