"""Who may pass a gate: decided in memory, in microseconds, with the network down."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agreed.records import CARD_SEEN, EXIT_PRESSED, GATE_PASSED, GATE_REFUSED
from edge.decisions import NOTHING, Decision, Digest, Draft
from edge.known import Credential, Known
from firmware_interfaces.observations import Admit, Refuse

DEVICE_REFUSED: Final = "device_refused"
KEYS_REFUSED: Final = "keys_not_used"
ADMITTED_COUNT_MAX: Final = 64
"""Admissions of one gate that its reader has not yet confirmed."""


class Admission(StrEnum):
    """What becomes of a card, in order of precedence."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    ADMITTED = "admitted"


def judge_card(credential: Credential | None, earliest_ms: int, latest_ms: int) -> Admission:
    """Judge a card; what the clock cannot decide is decided for the person.

    Args:
        credential: what is known of the card.
        earliest_ms: it is not before this, ms since the epoch.
        latest_ms: it is not after this, ms since the epoch.
    """
    if credential is None:
        return Admission.UNKNOWN
    if earliest_ms >= credential.valid_until_ms:
        return Admission.EXPIRED
    if latest_ms < credential.valid_from_ms:
        return Admission.NOT_YET
    return Admission.ADMITTED


def whose(card: str, known: Known, digest: Digest) -> tuple[str, str]:
    """Say whose card it is (subject, role); of a stranger's only a digest is written down."""
    credential = known.credentials.get(card)
    return ("", digest(card)) if credential is None else (credential.subject, credential.role)


@dataclass(frozen=True, slots=True)
class GateWiring:
    """Which devices one direction of a gate has.

    Attributes:
        reader: who reads the cards, and what records are about.
        opener: who moves it.
        open_ms: how long the opener is driven.
        shows_refusal: whether the reader can show red.
    """

    reader: str
    opener: str
    open_ms: int = 3_000
    shows_refusal: bool = True


class Gate:
    """One direction of one gate.

    Attributes:
        reader: the reader's name.
        opener: who moves it.
    """

    def __init__(self, wiring: GateWiring, known: Known, digest: Digest) -> None:
        self.reader, self.opener = wiring.reader, wiring.opener
        self._known = known
        self._digest = digest
        self._admit = (Admit(wiring.opener, wiring.open_ms),)
        self._refuse = (Refuse(wiring.reader),) if wiring.shows_refusal else ()
        self._awaited: deque[str] = deque(maxlen=ADMITTED_COUNT_MAX)

    def card(self, card: str, earliest_ms: int, latest_ms: int) -> Decision:
        """Decide about a card: the gate moves at once, the record is written beside it."""
        credential = self._known.credentials.get(card)
        admission = judge_card(credential, earliest_ms, latest_ms)
        if credential is None:
            draft = Draft(self.reader, GATE_REFUSED, detail=self._digest(card))
            return Decision((draft,), at_once=self._refuse)
        if admission is Admission.ADMITTED:
            self._awaited.append(credential.subject)
            draft = Draft(self.reader, GATE_PASSED, credential.subject, detail=credential.role)
            return Decision((draft,), at_once=self._admit)
        draft = Draft(self.reader, GATE_REFUSED, credential.subject, detail=admission)
        return Decision((draft,), at_once=self._refuse)

    def card_before(self, card: str, told: str) -> Decision:
        """Record a card that opens nothing here: the device decided, at a time that it tells."""
        subject, who = whose(card, self._known, self._digest)
        return Decision((Draft(self.reader, CARD_SEEN, subject, detail=f"{who} {told}".strip()),))

    def pressed(self, button: str) -> Decision:
        """Let out whoever presses the exit button: nobody asks who."""
        self._awaited.append("")
        return Decision((Draft(button, EXIT_PRESSED),), at_once=self._admit)

    def keys(self) -> Decision:
        """Refuse typed digits: no gate is opened by them, and they are not written down."""
        draft = Draft(self.reader, GATE_REFUSED, detail=KEYS_REFUSED)
        return Decision((draft,), at_once=self._refuse)

    def moved(self) -> Decision:
        """Take in that the gate did as the oldest admission told it; that is journaled already."""
        if self._awaited:
            self._awaited.popleft()
        return NOTHING

    def refused_by_device(self) -> Decision:
        """Record that the gate did not move although it was told to."""
        if not self._awaited:
            return NOTHING
        subject = self._awaited.popleft()
        return Decision((Draft(self.reader, GATE_REFUSED, subject, detail=DEVICE_REFUSED),))
