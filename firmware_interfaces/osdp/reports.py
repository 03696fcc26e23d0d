"""What readers report, by the fields of the standard: who they are, cards, keys, tamper and power.

Source: IEC 60839-11-5, osdp_PDID, osdp_PDCAP, osdp_RAW, osdp_KEYPAD and osdp_LSTATR.
"""

from struct import Struct
from typing import Final

from agreed.machine import Moment
from firmware_interfaces.observations import Observation, Seen

CARD_BITS_MAX: Final = 512
CARD_HEADER_BYTES: Final = 4  # reader, format, two of the bit count
KEYS_HEADER_BYTES: Final = 2  # reader, count
KEYS_COUNT_MAX: Final = 32

# Digits are ASCII, these two are not.
KEYS: Final = {0x7F: "*", 0x0D: "#"} | {ord(digit): digit for digit in "0123456789*#"}


# What a reader may have, for people, by its function code.
HAVINGS: Final = {2: "outputs", 1: "inputs", 4: "LED", 5: "buzzer", 6: "text"}
HAVING: Final = Struct("<BBB")  # function code, compliance level, how many
IDENTITY: Final = Struct("<3sBBI3s")  # maker (IEEE), model, version, serial, firmware


def who_text(identity: bytes) -> str:
    """Read the data of osdp_PDID, for people; "" when it is not whole."""
    if len(identity) != IDENTITY.size:
        return ""
    maker, model, version, serial, firmware = IDENTITY.unpack(identity)
    numbers = ".".join(map(str, firmware))
    return (
        f"maker {maker.hex()}, model {model}, version {version}, serial {serial:08x}, "
        f"firmware {numbers}"
    )


def has_text(data: bytes) -> str:
    """Read the data of osdp_PDCAP, for people; what is not whole is left out."""
    whole = data[: len(data) - len(data) % HAVING.size]
    levels = {code: max(count, 1) for code, level, count in HAVING.iter_unpack(whole) if level}
    return ", ".join(f"{name} {levels[code]}" for code, name in HAVINGS.items() if code in levels)


def card_text(bits: int, data: bytes) -> str:
    """Write a card as "bits:hex", left-aligned in whole bytes as sent; "" when it is none."""
    bytes_count = (bits + 7) // 8
    if not 0 < bits <= CARD_BITS_MAX or len(data) < bytes_count:
        return ""
    return f"{bits}:{data[:bytes_count].hex()}"


def keys_text(codes: bytes) -> str:
    """Write pressed keys; codes that are none are left out."""
    return "".join(KEYS.get(code, "") for code in codes[:KEYS_COUNT_MAX])


def card_value(data: bytes) -> str:
    """Read the data of osdp_RAW; "" when it is not whole."""
    if len(data) < CARD_HEADER_BYTES:
        return ""
    bits = int.from_bytes(data[2:4], "little")
    card = data[CARD_HEADER_BYTES:]
    return card_text(bits, card) if len(card) == (bits + 7) // 8 else ""


def keys_value(data: bytes) -> str:
    """Read the data of osdp_KEYPAD; "" when it is not whole."""
    if len(data) < KEYS_HEADER_BYTES or len(data) != KEYS_HEADER_BYTES + data[1]:
        return ""
    return keys_text(data[KEYS_HEADER_BYTES:])


class LocalStatus:
    """The case and the supply of one reader; each is said when it changes."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._is_tampered = False
        self._has_no_power = False

    def reported(self, report: bytes, now: Moment) -> list[Observation]:
        """Take in a local status: tamper, then power, 0 while all is well."""
        was_tampered, had_no_power = self._is_tampered, self._has_no_power
        self._is_tampered = any(report[:1])
        self._has_no_power = any(report[1:2])
        said = []
        if self._is_tampered != was_tampered:
            said.append(Seen.TAMPERED if self._is_tampered else Seen.UNTAMPERED)
        if self._has_no_power != had_no_power:
            said.append(Seen.POWER_LOST if self._has_no_power else Seen.POWER_BACK)
        return [Observation(self._device, seen, now) for seen in said]
