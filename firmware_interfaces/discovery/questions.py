"""The harmless question of each family, and how its answer is known.

No question moves a lock, a strike or a setting. What only talks by itself is listened to.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from firmware_interfaces.locker.codec import StatusReader
from firmware_interfaces.locker.kinds import KINDS, BoardKind
from firmware_interfaces.modbus.codec import ReplyReader, read_inputs
from firmware_interfaces.osdp.codec import (
    ASK_CAPABILITIES,
    ASK_IDENTITY,
    CAPABILITIES,
    CRC_BIT,
    IDENTITY,
    START,
    FrameReader,
    crc16,
)
from firmware_interfaces.osdp.reports import has_text, who_text
from firmware_interfaces.scanner.codec import CodeReader
from firmware_interfaces.scanner.dialogue import Reply
from firmware_interfaces.scanner.framed import (
    GM65_READ,
    SSI_ASK_REVISION,
    PacketReader,
    TextReader,
    gm65_frame,
    ssi_packet,
)

OSDP_BAUDS: Final = (9_600, 19_200, 38_400, 57_600, 115_200, 230_400)
SERIAL_BAUDS: Final = (9_600, 19_200, 38_400, 115_200)
ADDRESSES_COUNT: Final = 8  # asked unless more are wanted
ADDRESSES_COUNT_MAX: Final = 127
NOISE_BYTES_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask.

    Attributes:
        family: of box.toml.
        baud: bits per second.
        address: whom it asks; None where a wire has one device only.
        request: the bytes.
        is_answer: whether what was heard answers it.
        extra: lines of `[[line.devices]]` that this device needs beside its name.
        describe: who the device says it is and what it has, from what was heard; "" where it
            does not say.
        more: what else is asked of whoever answered, so that it says more of itself.
    """

    family: str
    baud: int
    address: int | None
    request: bytes
    is_answer: Callable[[bytes], bool]
    extra: tuple[str, ...] = ()
    describe: Callable[[bytes], str] = lambda _: ""
    more: bytes = b""

    def table(self, port: str, name: str, described: str = "") -> str:
        """Propose the settings, as a `[[line]]` of box.toml; who it says it is stands above."""
        lines = [f"# {described}"] if described else []
        lines += [
            "[[line]]",
            f'family = "{self.family}"',
            f'port = "{port}"',
            f"baud = {self.baud}",
        ]
        lines += ["", "[[line.devices]]", f'name = "{name}"', *self.extra]
        return "\n".join(lines) + "\n"


def questions(addresses_count: int = ADDRESSES_COUNT) -> list[Question]:
    """Give every question, in the order of bauds so that a port is seldom opened anew."""
    assert 1 <= addresses_count <= ADDRESSES_COUNT_MAX
    found = [*_osdp(addresses_count), *_lockers(addresses_count), *_modbus(addresses_count)]
    found += _scanners()
    return sorted(found, key=lambda question: question.baud)


def _osdp(addresses_count: int) -> Iterator[Question]:
    for baud in OSDP_BAUDS:
        for address in range(addresses_count):
            extra = (f"address = {address}", 'key_file = "..."  # the reader\'s own key')
            question = Question(
                "osdp", baud, address, identify(address), _is_reader(address), extra
            )
            more = _asked(address, ASK_CAPABILITIES)
            yield replace(question, describe=describe_reader, more=more)


def identify(address: int) -> bytes:
    """Ask an OSDP reader who it is, in plain text and from the start of a conversation."""
    return _asked(address, ASK_IDENTITY)


def _asked(address: int, code: int) -> bytes:
    body = bytes([START, address, 9, 0, CRC_BIT, code, 0])
    return b"\xff" + body + crc16(body).to_bytes(2, "little")


def describe_reader(heard: bytes) -> str:
    """Read who a reader says it is and what it has."""
    readers = {IDENTITY: who_text, CAPABILITIES: has_text}
    replies = [frame for frame in FrameReader().feed(heard) if frame.is_reply]
    said = {one.code: readers[one.code](one.data) for one in replies if one.code in readers}
    return ", ".join(filter(None, (said.get(code, "") for code in readers)))


def _is_reader(address: int) -> Callable[[bytes], bool]:
    def is_answer(heard: bytes) -> bool:
        frames = FrameReader().feed(heard)
        return any(frame.is_reply and frame.address == address for frame in frames)

    return is_answer


def _lockers(addresses_count: int) -> Iterator[Question]:
    for family, kind in KINDS.items():
        for number in kind.numbers[:addresses_count]:
            extra = (f"address = {number}", f"compartments = {kind.locks_count}")
            request = kind.ask_status(number, 0)
            yield Question(family, kind.baud, number, request, _is_board(kind, number), extra)


def _is_board(kind: BoardKind, number: int) -> Callable[[bytes], bool]:
    def is_answer(heard: bytes) -> bool:
        return any(status.board == number for status in StatusReader(kind.replies).feed(heard))

    return is_answer


def _modbus(addresses_count: int) -> Iterator[Question]:
    for baud in SERIAL_BAUDS:
        for unit in range(1, addresses_count + 1):
            extra = (f"unit = {unit}", "strike = 0", "contact = 0")
            yield Question("modbus", baud, unit, read_inputs(unit, 1), _is_unit(unit), extra)


def _is_unit(unit: int) -> Callable[[bytes], bool]:
    def is_answer(heard: bytes) -> bool:
        # Noise may look like the start of a longer reply, so every early byte is tried as a start.
        starts = range(min(len(heard), NOISE_BYTES_MAX))
        found = (reply for at in starts for reply in ReplyReader().feed(heard[at:]))
        return any(reply.unit == unit for reply in found)

    return is_answer


def _scanners() -> Iterator[Question]:
    for baud in SERIAL_BAUDS:
        zone = gm65_frame(GM65_READ, 0, b"\x01", length=1)
        yield Question("scanner", baud, None, zone, _is_gm65, ('protocol = "gm65"',))
        revision = ssi_packet(SSI_ASK_REVISION)
        yield Question("scanner", baud, None, revision, _is_ssi, ('protocol = "ssi"',))


def _is_gm65(heard: bytes) -> bool:
    found = TextReader(CodeReader("cr_lf", 512), "gm65").feed(heard)
    return any(isinstance(one, Reply) for one in found)


def _is_ssi(heard: bytes) -> bool:
    return bool(PacketReader().feed(heard))
