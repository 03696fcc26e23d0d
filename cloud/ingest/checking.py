"""What can be said of blocks before anything is read from the store: pure."""

from dataclasses import dataclass
from itertools import pairwise

from agreed.signing import head_statement, is_signed
from agreed.wire import Block, WireError, decode_block
from cloud.database.fleet import BoxName
from cloud.ingest.incidents import IncidentKind


@dataclass(frozen=True, slots=True)
class Arrival:
    """Blocks as they came; the box is that of the topic, not what the blocks say."""

    box: BoxName
    blocks: list[bytes]
    signature: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """Blocks that are whole, of this box and of one chain; whether it signed them is open.

    Attributes:
        box: see `Arrival`.
        blocks: at least one, each following the one before.
        data: as they came.
        signature: over the last of them.
    """

    box: BoxName
    blocks: list[Block]
    data: list[bytes]
    signature: bytes

    @property
    def epoch(self) -> bytes:
        """Give the journal's epoch."""
        return self.blocks[0].origin.epoch

    @property
    def first(self) -> int:
        """Give the first sequence."""
        return self.blocks[0].columns.first_sequence

    def is_signed_by(self, public: bytes) -> bool:
        """Say whether a key signed the end of these blocks, and with it all of them."""
        last = self.blocks[-1]
        statement = head_statement(self.epoch, last.columns.last_sequence, last.hash)
        return is_signed(public, statement, self.signature)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why blocks are not looked at any further."""

    kind: IncidentKind
    error: str


def check(arrival: Arrival) -> Checked | Fault:
    """Decode blocks, and see that they are one chain of the box that sent them."""
    try:
        blocks = [decode_block(data) for data in arrival.blocks]
    except WireError as error:
        return Fault(IncidentKind.MALFORMED, str(error))
    if not blocks:
        return Fault(IncidentKind.MALFORMED, "no block")
    for block in blocks:
        origin = block.origin
        if (origin.company, origin.site, origin.box) != arrival.box:
            name = f"{origin.company}/{origin.site}/{origin.box}"
            return Fault(IncidentKind.FOREIGN, f"block of {name}")
    for before, block in pairwise(blocks):
        place = (before.origin.epoch, before.columns.last_sequence + 1, before.hash)
        if (block.origin.epoch, block.columns.first_sequence, block.previous) != place:
            return Fault(IncidentKind.MALFORMED, "blocks of one message are no chain")
    return Checked(arrival.box, blocks, arrival.blocks, arrival.signature)
