"""A gate that another controller moves: the box hears its cards and decides nothing."""

from dataclasses import dataclass
from typing import Final

from agreed.machine import NS_PER_S, Moment
from agreed.records import CARD_SEEN, GATE_PASSED
from edge.access import whose
from edge.decisions import NOTHING, Decision, Digest, Draft
from edge.known import Known

BY_CONTROLLER: Final = "other_controller"
DECIDES_S_MAX: Final = 5
"""A controller that opens later than this after a card does not open for it."""


@dataclass(frozen=True, slots=True)
class _Card:
    subject: str
    who: str
    at: Moment


class OverheardGate:
    """One direction of a gate whose reader the box only listens to.

    A card is evidence that it was held there (`card_seen`). That its controller then switched the
    gate's output, and the reader confirmed it, is evidence of a passage (`gate_passed`). Keys that
    are typed for somebody else are nobody's business, and are not written down.

    Attributes:
        reader: the reader's name.
    """

    def __init__(self, reader: str, known: Known, digest: Digest) -> None:
        self.reader = reader
        self._known = known
        self._digest = digest
        self._last: _Card | None = None

    def card(self, card: str, at: Moment) -> Decision:
        """Take in a card; whether it opens anything is not ours to say."""
        subject, who = whose(card, self._known, self._digest)
        self._last = _Card(subject, who, at)
        return Decision((Draft(self.reader, CARD_SEEN, subject, detail=who),))

    def moved(self, at: Moment) -> Decision:
        """Take in that the controller opened: for the last card, or for no card at all."""
        card, self._last = self._last, None
        if card is None or at.mono_ns - card.at.mono_ns > DECIDES_S_MAX * NS_PER_S:
            return NOTHING
        detail = f"{card.who} {BY_CONTROLLER}"
        return Decision((Draft(self.reader, GATE_PASSED, card.subject, detail=detail),))
