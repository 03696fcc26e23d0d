"""What the journal did not take: counted by reason and class until the journal itself says so."""

from collections import Counter
from typing import Final

from agreed.machine import NS_PER_S
from agreed.records import GAP, Durability
from edge.decisions import Draft

SAY_S: Final = 60
"""How often a refusal that lasts is written down: the counts grow, the card is not worn by it."""

Key = tuple[str, Durability]
Told = tuple[tuple[Key, int], ...]


class Refusals:
    """Counts of refused records, and the gap records that tell of them.

    Attributes:
        count: how many no gap record tells of yet.
    """

    def __init__(self) -> None:
        self._untold: Counter[Key] = Counter()
        self._due_ns = 0
        self.count = 0

    def note(self, reason: str, durability: Durability, count: int) -> None:
        """Count records that were refused."""
        self._untold[reason, durability] += count
        self.count += count

    def due(self, now_ns: int, *, is_last: bool = False) -> Told:
        """Give what is to be told now; nothing while the last telling is recent."""
        if not self.count or (now_ns < self._due_ns and not is_last):
            return ()
        return tuple(self._untold.items())

    def told(self, what: Told, now_ns: int) -> None:
        """Learn that the gap records of `what` are on the disk."""
        for key, count in what:
            self._untold[key] -= count
            self.count -= count
        self._untold = +self._untold
        self._due_ns = now_ns + SAY_S * NS_PER_S


def gap_drafts(what: Told) -> tuple[Draft, ...]:
    """Write counts as gap records: `refused REASON CLASS COUNT`."""
    return tuple(
        Draft("", GAP, detail=f"refused {reason} {durability.name.lower()} {count}")
        for (reason, durability), count in what
    )
