"""Events to records, and records to a chain of blocks: what a box would have sent."""

from hashlib import sha256
from typing import Final

from agreed.records import ClockState, Evidence, Record, to_columns
from agreed.wire import NO_HASH, Origin, block_hash, encode_block
from cloud.replay.cases import CasePromise
from cloud.replay.events import Event
from cloud.replay.mapping import Mapping

BOX: Final = "replay"
DEVICE: Final = "import"
BLOCK_RECORDS: Final = 2_000
"""Whatever its texts, a block of so many records stays below the limits of a block."""


def origin_of(mapping: Mapping, digest: bytes) -> Origin:
    """Name the chain of one log under one mapping: the same again is the same chain.

    Args:
        mapping: with its company and site.
        digest: SHA-256 of the log's text.
    """
    epoch = sha256(digest + mapping.model_dump_json().encode()).digest()[:16]
    return Origin(mapping.company, mapping.site, BOX, epoch, epoch)


class Chain:
    """Number records and close blocks, one after the other."""

    def __init__(self, origin: Origin, bound_ms: int) -> None:
        """Begin a chain.

        Args:
            origin: whose chain.
            bound_ms: every time may be off by this much.
        """
        self._origin = origin
        self._bound_ms = bound_ms
        self._previous = NO_HASH
        self._sequence = 0
        self._open: list[Record] = []

    @property
    def last_sequence(self) -> int:
        """Number of the last record; 0 for none."""
        return self._sequence

    def add_event(self, event: Event) -> bytes | None:
        """Record a step; gives a block when one is full."""
        return self._add(event.at_ms, event.step, event.actor, event.case, event.line)

    def add_fact(self, promise: CasePromise) -> bytes | None:
        """Record what the whole log says of a promise, if anything; gives a block when full."""
        fact = promise.fact
        if fact is None:
            return None
        kind = promise.rule.node_kind
        return self._add(fact.at_ms, kind, fact.actor, promise.case, fact.line)

    def close(self) -> bytes | None:
        """Give the last block; None when nothing is left."""
        if not self._open:
            return None
        data = encode_block(self._origin, self._previous, to_columns(self._open))
        self._previous = block_hash(data)
        self._open = []
        return data

    def _add(self, at_ms: int, kind: str, subject: str, case: str, line: int) -> bytes | None:
        self._sequence += 1
        self._open.append(
            Record(
                self._sequence,
                0,  # a log has no monotonic clock
                at_ms,
                self._bound_ms,
                ClockState.HOLDING,
                Evidence.MANUAL,
                DEVICE,
                kind,
                subject,
                case,
                f"line {line}",
            )
        )
        return self.close() if len(self._open) >= BLOCK_RECORDS else None
