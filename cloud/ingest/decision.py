"""What to make of a block that a box sent: pure, from what headquarters holds of its chain."""

from dataclasses import dataclass

from agreed.stream import Outcome, receive
from agreed.wire import NO_HASH, Block


@dataclass(frozen=True, slots=True)
class Holding:
    """How far headquarters holds one journal.

    Attributes:
        through: last sequence, 0 for none.
        head: 32 bytes, hash of the block that ends there; NO_HASH for none.
        is_refused: a fork was seen and no person has looked yet.
    """

    through: int = 0
    head: bytes = NO_HASH
    is_refused: bool = False


def decide(holding: Holding, block: Block, stored_hash: bytes | None) -> Outcome:
    """Decide about one block.

    Args:
        holding: what we hold of the same journal.
        block: decoded and verified.
        stored_hash: hash of the block that we hold at the same first sequence, None for none.

    Source: docs/headquarters.md#what-is-taken.
    """
    outcome = receive(
        through=holding.through,
        head=holding.head,
        first=block.columns.first_sequence,
        last=block.columns.last_sequence,
        previous=block.previous,
    )
    if outcome is Outcome.DUPLICATE and stored_hash != block.hash:
        return Outcome.FORKED
    return outcome


def advanced(holding: Holding, block: Block) -> Holding:
    """Give what we hold once the block is stored."""
    return Holding(block.columns.last_sequence, block.hash, holding.is_refused)
