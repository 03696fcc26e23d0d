"""Noise and misfortune on a wire, by seed: the same seed spoils the same bytes."""

import random
from dataclasses import dataclass
from typing import Final

FLOOD_BYTES: Final = 600
RESET_S: Final = 0.4


@dataclass(frozen=True, slots=True)
class Faults:
    """How bad a wire is: per million bytes in either direction, or per million messages of devices.

    Attributes:
        seed: replays the same noise for the same traffic.
        flipped_ppm: bytes with one bit flipped.
        dropped_ppm: bytes that vanish.
        inserted_ppm: random bytes that appear.
        doubled_ppm: bytes that come twice.
        cut_ppm: messages that end in their midst.
        slow_ppm: messages that come `slow_ms` too late.
        slow_ms: how late.
        flooded_ppm: messages before which FLOOD_BYTES of garbage come.
        reset_ppm: messages at which the device loses its power for RESET_S instead of speaking.
    """

    seed: int = 0
    flipped_ppm: int = 0
    dropped_ppm: int = 0
    inserted_ppm: int = 0
    doubled_ppm: int = 0
    cut_ppm: int = 0
    slow_ppm: int = 0
    slow_ms: int = 400
    flooded_ppm: int = 0
    reset_ppm: int = 0


class _Dice:
    """The dice of one direction of one wire."""

    def __init__(self, faults: Faults, direction: str) -> None:
        self._faults = faults
        self._dice = random.Random(f"{faults.seed} {direction}")

    def _happens(self, ppm: int) -> bool:
        return ppm > 0 and self._dice.randrange(1_000_000) < ppm


class Noise(_Dice):
    """What becomes of single bytes."""

    def spoil(self, data: bytes) -> bytes:
        """Give what arrives when `data` is sent; bytes[n] to bytes[m], m may be 0."""
        spoiled = bytearray()
        for byte in data:
            spoiled += self._spoil_byte(byte)
        return bytes(spoiled)

    def _spoil_byte(self, byte: int) -> bytes:
        if self._happens(self._faults.dropped_ppm):
            return b""
        if self._happens(self._faults.flipped_ppm):
            byte ^= 1 << self._dice.randrange(8)
        if self._happens(self._faults.inserted_ppm):
            return bytes([byte, self._dice.randrange(256)])
        return bytes([byte] * (1 + self._happens(self._faults.doubled_ppm)))


class Misfortune(_Dice):
    """What becomes of whole messages of devices."""

    def is_reset(self) -> bool:
        """Whether the device loses its power now."""
        return self._happens(self._faults.reset_ppm)

    def delay_s(self) -> float:
        """How much too late the message comes, seconds."""
        return self._faults.slow_ms / 1_000 if self._happens(self._faults.slow_ppm) else 0.0

    def befall(self, data: bytes) -> bytes:
        """Cut a message, or let garbage flood the wire before it."""
        if data and self._happens(self._faults.cut_ppm):
            data = data[: self._dice.randrange(len(data))]
        if self._happens(self._faults.flooded_ppm):
            return self._dice.randbytes(FLOOD_BYTES) + data
        return data
