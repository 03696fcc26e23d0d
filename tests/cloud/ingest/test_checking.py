"""Blocks are one chain of the box that sent them, or they go no further."""

import pytest

from cloud.database.fleet import BoxName
from cloud.ingest.checking import Checked, Fault, check
from cloud.ingest.incidents import IncidentKind
from edge.key import make_key
from tests.cloud.world import KEY, T0, Chain, alive, arrival


def test_consecutive_blocks_are_covered_by_the_signature_over_the_last() -> None:
    chain = Chain()
    checked = check(arrival(chain.block(alive(T0)), chain.block(alive(T0), alive(T0))))
    assert isinstance(checked, Checked)
    assert (checked.epoch, checked.first, len(checked.blocks)) == (b"e" * 16, 1, 2)
    assert checked.is_signed_by(KEY.public)
    assert not checked.is_signed_by(make_key(b"o" * 32).public)


def test_a_signature_over_an_earlier_block_covers_nothing_behind_it() -> None:
    chain = Chain()
    first, second = chain.block(alive(T0)), chain.block(alive(T0))
    signed = arrival(first)
    signed.blocks.append(second)
    checked = check(signed)
    assert isinstance(checked, Checked)
    assert not checked.is_signed_by(KEY.public)


@pytest.mark.parametrize("kind", ["hole", "fork", "epoch", "order"])
def test_blocks_that_are_no_chain_are_malformed(kind: str) -> None:
    chain = Chain()
    first, fork = chain.block(alive(T0)), chain.fork()
    second = chain.block(alive(T0))
    third = chain.block(alive(T0))
    other = {
        "hole": [first, third],
        "fork": [second, fork.block(alive(T0 + 1))],
        "epoch": [first, Chain(epoch=b"f" * 16, next_sequence=2).block(alive(T0))],
        "order": [second, first],
    }
    found = check(arrival(*other[kind]))
    assert isinstance(found, Fault)
    assert found.kind is IncidentKind.MALFORMED


def test_damage_and_strangers_are_named() -> None:
    chain = Chain()
    block = chain.block(alive(T0))
    damaged = check(arrival(block[:-1] + bytes([block[-1] ^ 1])))
    assert isinstance(damaged, Fault)
    assert damaged.kind is IncidentKind.MALFORMED
    foreign = check(arrival(Chain(BoxName("acme", "south", "gate-box")).block(alive(T0))))
    assert foreign == Fault(IncidentKind.FOREIGN, "block of acme/south/gate-box")
