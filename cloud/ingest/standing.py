"""Whether a box may speak, and how far its journals are held."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from agreed.messages import Refusal, Refused
from cloud.database.fleet import (
    PENDING_BOXES_MAX,
    BoxName,
    add_box,
    begin_journal,
    count_pending,
    find_box,
    find_journal,
)
from cloud.database.keys import KnownKey, known_key
from cloud.ingest.decision import Holding
from cloud.ingest.incidents import IncidentKind


@dataclass(frozen=True, slots=True)
class Standing:
    """A box that is in service.

    Attributes:
        key: what it must sign with; None before its first word.
        incident: kind of what waits for a person, None for nothing.
    """

    key: KnownKey | None
    incident: str | None


STRANGER: Final = Refused(refusal=Refusal.UNKNOWN_BOX, reason="not accepted at headquarters yet")
FORKED: Final = Refused(
    refusal=Refusal.FORKED,
    reason="another history is held for these sequences; headquarters must look",
)
UNSIGNED: Final = Refused(
    refusal=Refusal.UNSIGNED, reason="not signed by the key that headquarters knows"
)
OTHER_KEY: Final = Refused(
    refusal=Refusal.OTHER_KEY, reason="another key than the accepted one; headquarters must look"
)
BY_KIND: Final = {
    IncidentKind.FORKED: FORKED,
    IncidentKind.UNSIGNED: UNSIGNED,
    IncidentKind.OTHER_KEY: OTHER_KEY,
}


def refused(kind: IncidentKind, error: str) -> Refused:
    """Say why nothing of it was taken."""
    return BY_KIND.get(kind) or Refused(refusal=Refusal.MALFORMED, reason=error)


def standing_of(connection: Connection, name: BoxName, now_ms: int) -> Standing | None:
    """Read how a box stands; None if it is not accepted. One never heard of becomes pending."""
    box = find_box(connection, name)
    if box is None and count_pending(connection, name.place) < PENDING_BOXES_MAX:
        add_box(connection, name, bytes(16), now_ms)
    if box is None or box.status != "accepted":
        return None
    return Standing(known_key(connection, name), box.incident)


def hold_journal(connection: Connection, name: BoxName, epoch: bytes, now_ms: int) -> Holding:
    """Read how far a journal is held, and take note of a new one."""
    held = find_journal(connection, name, epoch)
    if held is None:
        begin_journal(connection, name, epoch, now_ms)
    return held or Holding()
