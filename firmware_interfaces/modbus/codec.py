"""Modbus RTU frames, written and read by pymodbus: `UNIT FUNCTION DATA CRC CRC`.

Source: MODBUS over Serial Line V1.02 (RTU framing); MODBUS Application Protocol V1.1b3 (functions
02 and 05, exceptions).
"""

from dataclasses import dataclass
from typing import Final

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import (
    ReadDiscreteInputsRequest,
    ReadDiscreteInputsResponse,
    WriteSingleCoilRequest,
    WriteSingleCoilResponse,
)

from firmware_interfaces.modbus.settings import INPUTS_COUNT_MAX

READ_INPUTS: Final = ReadDiscreteInputsRequest.function_code
WRITE_COIL: Final = WriteSingleCoilRequest.function_code
EXCEPTION_BIT: Final = 0x80
_FUNCTIONS: Final = {f | bit for f in (READ_INPUTS, WRITE_COIL) for bit in (0, EXCEPTION_BIT)}
_AROUND_BYTES: Final = 3  # the unit and the CRC


class _Decoder(DecodePDU):
    """Knows the two answers that we ask for, so that noise seldom looks like the start of one."""

    def __init__(self) -> None:
        super().__init__(is_server=False)
        self.pdu_table = {
            READ_INPUTS: (ReadDiscreteInputsRequest, ReadDiscreteInputsResponse),
            WRITE_COIL: (WriteSingleCoilRequest, WriteSingleCoilResponse),
        }


_DECODER: Final = _Decoder()
_FRAMER: Final = FramerRTU(_DECODER)


def frame(unit: int, body: bytes) -> bytes:
    """Wrap a function and its data."""
    return _FRAMER.encode(body, unit, 0)


def read_inputs(unit: int, count: int) -> bytes:
    """Ask for discrete inputs 0 to count - 1."""
    return _FRAMER.buildFrame(ReadDiscreteInputsRequest(dev_id=unit, address=0, count=count))


def write_coil(unit: int, coil: int, *, is_on: bool) -> bytes:
    """Switch one coil; the board answers with the same bytes."""
    return _FRAMER.buildFrame(WriteSingleCoilRequest(dev_id=unit, address=coil, bits=[is_on]))


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply whose CRC was right.

    Attributes:
        unit: who sent it.
        function: what it answers, without the exception bit.
        refusal: why the board says no, its exception code; 0 where it does not.
        inputs: of a reading, from input 0; () otherwise.
        coil: which one was switched; 0 otherwise.
        is_on: what it was switched to.
    """

    unit: int
    function: int
    refusal: int = 0
    inputs: tuple[bool, ...] = ()
    coil: int = 0
    is_on: bool = False

    def input_at(self, place: int) -> bool | None:
        """One discrete input; None when the reply does not reach so far."""
        return self.inputs[place] if place < len(self.inputs) else None


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
            if not _may_begin(self._rest):
                del self._rest[0]
                continue
            used_count, unit, _, body = _FRAMER.decode(bytes(self._rest))
            if not used_count:
                break
            reply = _reply(unit, body) if body else None
            if reply is not None:
                found.append(reply)
            # pymodbus gives up all it holds after a wrong CRC; a true reply may begin within.
            del self._rest[: len(body) + _AROUND_BYTES if body else 1]
        return found


def _may_begin(held: bytearray) -> bool:
    """Whether a reply to what we ask could begin here."""
    if len(held) < 2:
        return True
    if held[1] != READ_INPUTS or len(held) < 3:
        return held[1] in _FUNCTIONS
    return 1 <= held[2] <= INPUTS_COUNT_MAX // 8


def _reply(unit: int, body: bytes) -> Reply | None:
    function, refusal = body[0] & ~EXCEPTION_BIT, body[1] if body[0] & EXCEPTION_BIT else 0
    if body[0] & EXCEPTION_BIT:
        return Reply(unit, function, refusal) if refusal else None
    pdu = _DECODER.decode(body)
    if pdu is None:
        return None
    if function == READ_INPUTS:
        return Reply(unit, function, inputs=tuple(pdu.bits))
    return Reply(unit, function, coil=pdu.address, is_on=pdu.bits[0])
