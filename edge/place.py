"""Who of the staff is at a place, and which beacons: said once when they come and when they go."""

from collections.abc import Iterable
from typing import Final

from agreed.directives import Role
from agreed.records import BEACON_GONE, BEACON_SEEN, STAFF_LEFT, STAFF_PRESENT
from edge.access import Admission, judge_card
from edge.decisions import NOTHING, Decision, Draft
from edge.known import Known

NEAR_COUNT_MAX: Final = 512
UNWATCHED: Final = "radio_unwatched"


class Place:
    """One place with its radio.

    Badges of staff are credentials that headquarters knows, like cards. Anybody else who passes
    with something that sends is nobody's business, and is not written down.
    """

    def __init__(self, radio: str, beacons: dict[str, str], known: Known) -> None:
        """Begin with nobody there.

        Args:
            radio: the radio's name.
            beacons: names by identity.
            known: cards and badges, as learned.
        """
        self._radio = radio
        self._beacons = beacons
        self._known = known
        self._near: dict[str, str | None] = {}  # subject that was said; None: nothing was said yet

    def settings_changed(self, beacons: dict[str, str]) -> None:
        """Call beacons by new names; who is there stays there."""
        self._beacons = beacons

    def unwatched(self) -> list[Decision]:
        """Nobody listens any more: whoever was there is not known to be."""
        near, self._near = self._near, {}
        subjects = [subject for subject in near.values() if subject is not None]
        return [
            Decision((Draft(self._radio, STAFF_LEFT, subject, detail=UNWATCHED),))
            for subject in subjects
        ]

    def entered(self, identity: str, earliest_ms: int, latest_ms: int) -> Decision:
        """Take in that a badge or beacon came near."""
        name = self._beacons.get(identity)
        if name is not None:
            return Decision((Draft(self._radio, BEACON_SEEN, detail=name),))
        if len(self._near) < NEAR_COUNT_MAX:
            self._near[identity] = None
        return self._say_present(identity, earliest_ms, latest_ms)

    def left(self, identity: str) -> Decision:
        """Take in that it is gone."""
        name = self._beacons.get(identity)
        if name is not None:
            return Decision((Draft(self._radio, BEACON_GONE, detail=name),))
        subject = self._near.pop(identity, None)
        if subject is None:
            return NOTHING
        return Decision((Draft(self._radio, STAFF_LEFT, subject),))

    def learned(self, earliest_ms: int, latest_ms: int) -> Iterable[Decision]:
        """Look again at who is there unknown, because headquarters may have told since."""
        unknown = [identity for identity, subject in self._near.items() if subject is None]
        return [self._say_present(identity, earliest_ms, latest_ms) for identity in unknown]

    def _say_present(self, identity: str, earliest_ms: int, latest_ms: int) -> Decision:
        credential = self._known.credentials.get(identity)
        admission = judge_card(credential, earliest_ms, latest_ms)
        if credential is None or credential.role is not Role.WORKER:
            return NOTHING
        if admission is not Admission.ADMITTED or identity not in self._near:
            return NOTHING
        self._near[identity] = credential.subject
        return Decision((Draft(self._radio, STAFF_PRESENT, credential.subject),))
