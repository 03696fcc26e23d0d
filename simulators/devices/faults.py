"""Noise on a wire, by seed: the same seed spoils the same bytes."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """How bad a wire is, per million bytes in either direction.

    Attributes:
        seed: replays the same noise for the same traffic.
        flipped_ppm: bytes with one bit flipped.
        dropped_ppm: bytes that vanish.
        inserted_ppm: random bytes that appear.
    """

    seed: int = 0
    flipped_ppm: int = 0
    dropped_ppm: int = 0
    inserted_ppm: int = 0


class Noise:
    """The dice of one direction of one wire."""

    def __init__(self, faults: Faults, direction: str) -> None:
        self._faults = faults
        self._dice = random.Random(f"{faults.seed} {direction}")

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
        return bytes([byte])

    def _happens(self, ppm: int) -> bool:
        return ppm > 0 and self._dice.randrange(1_000_000) < ppm
