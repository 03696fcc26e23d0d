from hypothesis import given
from hypothesis import strategies as st

from agreed.stream import Outcome
from agreed.wire import NO_HASH, Block, decode_block
from cloud.ingest.decision import Holding, advanced, decide
from tests.cloud.world import T0, Chain, alive


def chain_of(count: int) -> list[Block]:
    chain = Chain()
    return [decode_block(chain.block(alive(T0 + i), alive(T0 + i))) for i in range(count)]


BLOCKS = chain_of(5)


def held_after(count: int) -> Holding:
    held = Holding()
    for block in BLOCKS[:count]:
        held = advanced(held, block)
    return held


def test_what_continues_is_accepted() -> None:
    assert Holding() == Holding(0, NO_HASH)
    for i, block in enumerate(BLOCKS):
        assert decide(held_after(i), block, None) is Outcome.ACCEPTED


@given(st.integers(0, 5), st.integers(0, 4))
def test_every_place_has_one_answer(held: int, sent: int) -> None:
    block = BLOCKS[sent]
    stored = block.hash if sent < held else None
    wanted = (Outcome.DUPLICATE, Outcome.ACCEPTED, Outcome.AHEAD)
    place = 0 if sent < held else 1 if sent == held else 2
    assert decide(held_after(held), block, stored) is wanted[place]


def test_the_same_place_with_other_content_is_a_fork() -> None:
    assert decide(held_after(3), BLOCKS[1], BLOCKS[2].hash) is Outcome.FORKED
    assert decide(held_after(3), BLOCKS[1], None) is Outcome.FORKED


def test_another_past_is_a_fork() -> None:
    other = Chain(epoch=b"x" * 16)
    other.block(alive(T0 + 7), alive(T0))
    stranger = decode_block(other.block(alive(T0)))
    assert decide(held_after(1), stranger, None) is Outcome.FORKED


def test_a_block_that_overlaps_is_a_fork() -> None:
    other = Chain()
    long = decode_block(other.block(alive(T0), alive(T0), alive(T0)))
    assert decide(held_after(1), long, BLOCKS[0].hash) is Outcome.FORKED
