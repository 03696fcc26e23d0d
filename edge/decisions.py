"""What follows from one observation: records to journal, commands to give, state to keep."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from typing import Final

from agreed.limits import TEXT_BYTES_MAX
from agreed.records import Durability, Evidence, RecordError, check_text
from firmware_interfaces.observations import Command

DIGEST_HEX_LENGTH: Final = 16

Digest = Callable[[str], str]
"""Turns a card or code that nobody knows into something that cannot be turned back."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it has a number and a time; fields as in `agreed.records.Record`."""

    device: str
    node_kind: str
    subject: str = ""
    reference: str = ""
    detail: str = ""
    evidence: Evidence = Evidence.DEVICE


@dataclass(frozen=True, slots=True)
class Decision:
    """What the box does about an observation.

    Attributes:
        drafts: what is journaled, in order.
        durability: whether somebody waits for it.
        at_once: commands given without waiting.
        when_durable: commands given once the drafts are on the disk.
        when_refused: commands given instead if the journal takes nothing.
        keep: texts stored in the same transaction, by name; None removes one.
    """

    drafts: tuple[Draft, ...] = ()
    durability: Durability = Durability.PASSAGE
    at_once: tuple[Command, ...] = ()
    when_durable: tuple[Command, ...] = ()
    when_refused: tuple[Command, ...] = ()
    keep: dict[str, str | None] = field(default_factory=dict)


NOTHING: Final = Decision()


def keyed_digest(key: bytes) -> Digest:
    """Make the digest of this box: the same value looks the same here, and nowhere else."""

    def of(value: str) -> str:
        return digest(key, value.encode(), sha256).hex()[:DIGEST_HEX_LENGTH]

    return of


def fit(text: str) -> str:
    """Make any text fit into a record: no control characters, whole characters, bounded."""
    if text.isascii() and text.isprintable() and len(text) <= TEXT_BYTES_MAX:
        return text
    kept = "".join(c for c in text[:TEXT_BYTES_MAX] if _is_allowed(c))
    return kept.encode()[:TEXT_BYTES_MAX].decode(errors="ignore")


def _is_allowed(character: str) -> bool:
    try:
        check_text("text", character)
    except RecordError:
        return False
    return True
