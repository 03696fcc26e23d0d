"""How much one line may say before it is a flood: what keeps its neighbours and the box alive."""

from typing import Final

from agreed.machine import NS_PER_S, Moment

# A serial line at 115,200 baud carries 11,520 bytes a second and never reaches the first. A bank
# of boards may tell of every door at once, a network board of ten thousand events.
BYTES_PER_S_MAX: Final = 16_384
BYTES_BURST_MAX: Final = 16_384
OBSERVATIONS_PER_S_MAX: Final = 256
OBSERVATIONS_BURST_MAX: Final = 16_384


class Allowance:
    """A bucket that fills at a steady rate, and is spent.

    Args:
        per_s: how much it gains a second, > 0.
        burst_max: how much it holds, which is also what it holds at first.
    """

    def __init__(self, per_s: int, burst_max: int) -> None:
        self._per_s = per_s
        self._full_ns = burst_max * NS_PER_S // per_s
        self._left_ns = self._full_ns
        self._filled_ns: int | None = None

    def spend(self, count: int, now: Moment) -> bool:
        """Take `count` out; False where it does not hold so much, and nothing is taken."""
        if self._filled_ns is not None:
            self._left_ns = min(self._full_ns, self._left_ns + now.mono_ns - self._filled_ns)
        self._filled_ns = now.mono_ns
        cost_ns = count * NS_PER_S // self._per_s
        if cost_ns > self._left_ns:
            return False
        self._left_ns -= cost_ns
        return True


class Budget:
    """What one line may say, in bytes and in observations; kept over every opening of its port."""

    def __init__(self) -> None:
        self._bytes = Allowance(BYTES_PER_S_MAX, BYTES_BURST_MAX)
        self._observations = Allowance(OBSERVATIONS_PER_S_MAX, OBSERVATIONS_BURST_MAX)

    def has_room(self, bytes_count: int, now: Moment) -> bool:
        """Spend bytes that arrived; False: they are too many to be looked at."""
        return self._bytes.spend(bytes_count, now)

    def may_say(self, observations_count: int, now: Moment) -> bool:
        """Spend observations that were made of them; False: these are the last for now."""
        return self._observations.spend(observations_count, now)
