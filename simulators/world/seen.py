"""What the world itself saw, for the judge: accepted, acted upon, forged, broken."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

BROKEN_SHOWN_MAX: Final = 8


@dataclass(slots=True)
class Seen:
    """Written while a world is played; nothing here comes from counters of the code under test.

    Attributes:
        accepted: details of the records that a box said it has, by box, in order.
        unsure: details of those whose box died before it could say.
        true_ms: the true time of each, by detail.
        acted: numbers of directives that a box acted upon, by (box, stream), in order.
        offered: blocks of another history that headquarters was offered.
        foreign: blocks that it was offered under a signature of somebody else.
        unsigned: how many of them it took note of.
        forged: how many of those offered it took note of.
        faults: how often each kind of fault happened.
        broken: rules that were broken on the way.
    """

    accepted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unsure: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    true_ms: dict[str, int] = field(default_factory=dict)
    acted: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    offered: set[bytes] = field(default_factory=set)
    foreign: set[bytes] = field(default_factory=set)
    unsigned: int = 0
    forged: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def blame(self, sentence: str) -> None:
        """Note a broken rule."""
        if len(self.broken) < BROKEN_SHOWN_MAX:
            self.broken.append(sentence)
