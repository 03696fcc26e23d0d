"""Names that change, and whose they are: Eddystone-EID with a key and the time.

Source: Eddystone-EID specification, "EID Computation".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from agreed.machine import NS_PER_S

KEY_BYTES: Final = 16
EXPONENT_MAX: Final = 15
COUNTER_MAX: Final = 2**32 - 1
PERIODS_AROUND: Final = 4
"""Beacons change their name somewhere in a period, and their clock is off by up to 150 ppm."""

_SALT: Final = 0xFF


def eid(key: bytes, exponent: int, counter_s: int) -> bytes:
    """Compute the name of a beacon.

    Args:
        key: its identity key, 16 bytes.
        exponent: it changes its name every 2**exponent seconds, 0 to 15.
        counter_s: its time counter, 0 to 2**32 - 1.

    Returns:
        8 bytes.
    """
    top = (counter_s >> 16).to_bytes(2)
    temporary = _aes(key, bytes(11) + bytes([_SALT]) + bytes(2) + top)
    cleared = (counter_s >> exponent) << exponent
    return _aes(temporary, bytes(11) + bytes([exponent]) + cleared.to_bytes(4))[:8]


def _aes(key: bytes, block: bytes) -> bytes:
    # One block under one key is what the specification asks for, so the mode has no say in it.
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(block) + encryptor.finalize()


@dataclass(slots=True)
class Badge:
    """One beacon whose key is known.

    Attributes:
        name: of the person's badge or the beacon.
        key: 16 bytes.
        exponent: see `eid`.
        began_s: when its counter was 0, seconds since the epoch.
    """

    name: str
    key: bytes = field(repr=False)
    exponent: int
    began_s: int
    _period: int = -1
    _names: frozenset[bytes] = frozenset()

    def is_called(self, name: bytes, wall_ns: int) -> bool:
        """Whether this beacon calls itself so about now."""
        period = (wall_ns // NS_PER_S - self.began_s) >> self.exponent
        if period != self._period:
            self._period = period
            around = range(period - PERIODS_AROUND, period + PERIODS_AROUND + 1)
            counters = (one << self.exponent for one in around)
            self._names = frozenset(
                eid(self.key, self.exponent, counter)
                for counter in counters
                if 0 <= counter <= COUNTER_MAX
            )
        return name in self._names


def owner(badges: Sequence[Badge], name: bytes, wall_ns: int) -> str | None:
    """Say whose name that is about now; None when it is nobody's whom we know."""
    return next((badge.name for badge in badges if badge.is_called(name, wall_ns)), None)
