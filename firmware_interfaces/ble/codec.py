"""Advertisements: from a port to its machine as frames, and from their bytes to an identity.

A frame is our own, between the radio's port and its machine: `B1 LEN2 ADDRESS6 RSSI DATA SUM`, the
data being the advertisement's structures as they are on the air: `LENGTH TYPE VALUE`, repeated.

Source: Bluetooth Core Specification Supplement, part A (structures); Apple's proximity beacon
layout as public drivers agree on it (0x004C, 02 15); Eddystone protocol specification (0xFEAA).
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final
from uuid import UUID

MARK: Final = 0xB1
_HEAD: Final = Struct(">BH6sb")
DATA_BYTES_MAX: Final = 255  # extended advertisements may be longer; beacons are not
FRAME_BYTES_MIN: Final = _HEAD.size + 1

MANUFACTURER: Final = 0xFF
SERVICE_16: Final = 0x16
APPLE: Final = 0x004C
EDDYSTONE: Final = 0xFEAA
_IBEACON: Final = Struct(">2s16sHHb")
_UID: Final = Struct(">Bb10s6s")
_EID: Final = Struct(">Bb8s")
UID_FRAME: Final = 0x00
EID_FRAME: Final = 0x30


@dataclass(frozen=True, slots=True)
class Report:
    """One advertisement that was heard.

    Attributes:
        address: of the sender, 6 bytes; many change it.
        rssi_dbm: how strongly it was heard, -127 to 20.
        data: its structures.
    """

    address: bytes
    rssi_dbm: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """A name that changes: only whoever has the key knows whose it is; 8 bytes."""

    eid: bytes


def structure(kind: int, value: bytes) -> bytes:
    """Write one structure of an advertisement."""
    return bytes([len(value) + 1, kind]) + value


def written(report: Report) -> bytes:
    """Write one frame."""
    length = len(report.data)
    frame = _HEAD.pack(MARK, length, report.address, report.rssi_dbm) + report.data
    return frame + bytes([_sum(frame)])


def _sum(frame: bytes | bytearray) -> int:
    return ~sum(frame) & 0xFF


class ReportReader:
    """Finds whole frames in any split of a stream; keeps less than one longest frame."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def reset(self) -> None:
        """Forget an unfinished frame."""
        self._rest.clear()

    def feed(self, data: bytes) -> list[Report]:
        """Take in bytes; what is no frame is passed over."""
        found = []
        self._rest += data
        while len(self._rest) >= FRAME_BYTES_MIN:
            mark, length, address, rssi_dbm = _HEAD.unpack_from(self._rest)
            end = _HEAD.size + length
            if mark != MARK or length > DATA_BYTES_MAX:
                del self._rest[0]
            elif len(self._rest) <= end:
                break
            elif self._rest[end] != _sum(self._rest[:end]):
                del self._rest[0]
            else:
                found.append(Report(address, rssi_dbm, bytes(self._rest[_HEAD.size : end])))
                del self._rest[: end + 1]
        return found


def identity(data: bytes) -> str | Ephemeral | None:
    """Say who an advertisement says it is.

    Returns:
        "ibeacon:UUID:MAJOR:MINOR", "uid:NAMESPACE:INSTANCE" (hexadecimal), a name that changes, or
        None: it is no beacon, or a broken one.
    """
    at = 0
    while at + 1 < len(data) and data[at]:
        end = at + 1 + data[at]
        if end > len(data):
            return None
        found = _of_structure(data[at + 1], data[at + 2 : end])
        if found is not None:
            return found
        at = end
    return None


def _of_structure(kind: int, value: bytes) -> str | Ephemeral | None:
    if len(value) < 3:
        return None
    owner, rest = int.from_bytes(value[:2], "little"), value[2:]
    if (kind, owner) == (MANUFACTURER, APPLE) and len(rest) == _IBEACON.size:
        mark, uuid, major, minor, _ = _IBEACON.unpack(rest)
        return f"ibeacon:{UUID(bytes=uuid)}:{major}:{minor}" if mark == b"\x02\x15" else None
    if (kind, owner) != (SERVICE_16, EDDYSTONE):
        return None
    if rest[0] == UID_FRAME and len(rest) >= _UID.size:
        _, _, namespace, instance = _UID.unpack_from(rest)
        return f"uid:{namespace.hex()}:{instance.hex()}"
    if rest[0] == EID_FRAME and len(rest) >= _EID.size:
        return Ephemeral(_EID.unpack_from(rest)[2])
    return None
