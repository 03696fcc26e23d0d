"""The seam that every state machine of ours has: bytes and time in, facts and bytes out."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

FactT = TypeVar("FactT")


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on two clocks that are never confused.

    Attributes:
        wall_ns: ns since the epoch, as far as this machine knows; for records only.
        mono_ns: ns since some moment of this boot; for deadlines and durations only.
    """

    wall_ns: int
    mono_ns: int


class Machine(Protocol[FactT]):
    """A decision that does no I/O and reads no clock; one shell loop drives any of them."""

    def bytes_received(self, data: bytes, now: Moment) -> list[FactT]:
        """Take in what arrived; any split of the stream gives the same facts."""
        ...

    def time_passed(self, now: Moment) -> list[FactT]:
        """Let every deadline up to `now` fall due."""
        ...

    def bytes_to_send(self) -> bytes:
        """Hand over what is to be written, once; empty when there is nothing."""
        ...

    def deadline_ns(self) -> int | None:
        """Say when `time_passed` is next wanted, in `Moment.mono_ns`; None for never."""
        ...


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """A wall clock that runs faster than life, shared by every process of a demonstration.

    Attributes:
        wall_ns_zero: ns since the epoch at the start of the day that is played.
        mono_ns_zero: the machine's monotonic clock, ns, at that start.
        speed: simulated seconds per real second, >= 1.
    """

    wall_ns_zero: int
    mono_ns_zero: int
    speed: int

    def wall_ns(self, mono_ns: int) -> int:
        """Give the day's wall clock at a reading of the machine's monotonic clock."""
        return self.wall_ns_zero + (mono_ns - self.mono_ns_zero) * self.speed

    def mono_ns(self, mono_ns: int) -> int:
        """Give the day's own monotonic clock: it runs at the day's speed."""
        return max(0, (mono_ns - self.mono_ns_zero) * self.speed)

    def __str__(self) -> str:
        """Write the form that `parse_simulated_day` reads."""
        return f"{self.wall_ns_zero}:{self.mono_ns_zero}:{self.speed}"


def parse_simulated_day(text: str) -> SimulatedDay:
    """Read "wall_ns_zero:mono_ns_zero:speed".

    Raises:
        ValueError: not three whole numbers, or a speed below 1.
    """
    wall_ns_zero, mono_ns_zero, speed = (int(part) for part in text.split(":"))
    if speed < 1:
        raise ValueError("speed: 1 or more")
    return SimulatedDay(wall_ns_zero, mono_ns_zero, speed)
