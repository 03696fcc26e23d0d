"""Virtual time: what happens next, decided by a seed; every happening goes into the trace."""

import heapq
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from random import Random
from typing import Final

from agreed.machine import NS_PER_MS, NS_PER_S

EVENTS_MAX: Final = 1_000_000
"""More happenings than this in one seed mean that something never comes to rest."""


class NeverAtRestError(Exception):
    """A seed had more happenings than a world can have."""


class Scheduler:
    """Runs acts in the order of their virtual time, ties in the order in which they were asked for.

    Attributes:
        now_ns: ns since the world began.
        dice: the only randomness of a world.
        events: how many acts were run.
    """

    def __init__(self, seed: int) -> None:
        self.now_ns = 0
        self.dice = Random(seed)
        self.events = 0
        self._numbers = count()
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._trace = sha256(str(seed).encode())

    def after(self, delay_ns: int, act: Callable[[], None]) -> None:
        """Run an act later; a delay below 0 is 0."""
        entry = self.now_ns + max(0, delay_ns), next(self._numbers), act
        heapq.heappush(self._waiting, entry)

    def after_s(self, delay_s: float, act: Callable[[], None]) -> None:
        """Run an act some seconds later."""
        self.after(int(delay_s * NS_PER_S), act)

    def run(self, until_ns: int, is_done: Callable[[], bool] = lambda: False) -> None:
        """Run everything up to a time, or until it is done.

        Raises:
            NeverAtRestError: there was far too much to do.
        """
        while self._waiting and self._waiting[0][0] <= until_ns and not is_done():
            self.now_ns, _, act = heapq.heappop(self._waiting)
            self.events += 1
            if self.events > EVENTS_MAX:
                raise NeverAtRestError(f"{self.events} happenings by {self.now_ns} ns")
            act()
        if not is_done():
            self.now_ns = max(self.now_ns, until_ns)

    def note(self, *words: object) -> None:
        """Put a happening into the trace."""
        line = " ".join(map(str, (self.now_ns // NS_PER_MS, *words)))
        self._trace.update(line.encode() + b"\n")

    def trace(self) -> str:
        """Give the hash of everything noted so far: the same seed gives the same hash."""
        return self._trace.hexdigest()[:16]
