"""A box's journal without the box: facts numbered, chained and signed for headquarters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from agreed.records import ClockState, Evidence, Record, to_columns
from agreed.signing import end_statement
from agreed.wire import NO_HASH, Origin, block_hash, encode_block
from cloud.database.fleet import BoxName
from cloud.ingest.checking import Arrival
from edge.key import BoxKey

_EPOCH: Final = b"e" * 16
_BOOT: Final = b"b" * 16


def fact(wall_ms: int, kind: str, subject: str = "", reference: str = "") -> Record:
    """Give a record of a set clock without its number; without a subject it is of no device."""
    return Record(
        sequence=1,
        mono_ns=wall_ms,
        wall_ms=wall_ms,
        bound_ms=50,
        clock_state=ClockState.SYNCED,
        evidence=Evidence.DEVICE,
        device="gate-1" if subject else "",
        node_kind=kind,
        subject=subject,
        reference=reference,
    )


@dataclass(slots=True)
class Telling:
    """Where the chain of a box is.

    Args:
        name: of the box.
        key: it signs with it.
    """

    name: BoxName
    key: BoxKey
    previous: bytes = NO_HASH
    sequence: int = 1

    def block(self, facts: Sequence[Record]) -> Arrival:
        """Put facts behind what was told before, signed, as one block."""
        numbered = [replace(of, sequence=s) for s, of in enumerate(facts, self.sequence)]
        origin = Origin(*self.name, _EPOCH, _BOOT)
        data = encode_block(origin, self.previous, to_columns(numbered))
        self.previous, self.sequence = block_hash(data), self.sequence + len(facts)
        return Arrival(self.name, [data], self.key.sign(end_statement(data)))
