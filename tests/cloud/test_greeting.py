"""A greeting offers a key, and a trail finds where two histories part."""

from agreed.messages import Hello, Parted
from agreed.wire import NO_HASH, block_hash
from cloud import reads
from cloud.database.engine import reading, writing
from cloud.greeting import common_place, note_set_back, offer_key
from cloud.ingest.decision import Holding
from tests.cloud.world import BOX, LATER, T0, World, alive

EPOCH = (b"e" * 16).hex()


def hello(*trail: tuple[int, str], key: str = "ab" * 32) -> Hello:
    places = [{"through": through, "head": head} for through, head in trail]
    said = {"epoch": EPOCH, "head_sequence": 9, "directive_stream": "00" * 16}
    return Hello.model_validate(said | {"applied_through": 0, "trail": places, "key": key})


def test_the_newest_place_that_both_hold_is_found(world: World) -> None:
    blocks = [world.chain.block(alive(T0), alive(T0)) for _ in range(3)]
    world.send(*blocks)
    heads = {2 * (i + 1): block_hash(data).hex() for i, data in enumerate(blocks)}
    with reading(world.engine) as connection:
        found = common_place(connection, BOX, hello((8, "11" * 32), (4, heads[4]), (2, heads[2])))
        assert found == Parted(epoch=EPOCH, asked_through=8, through=4, head=heads[4])
        # Another block that ends there, the right hash at the wrong place, and nothing at all.
        for trail in ([(6, "11" * 32)], [(5, heads[4])], [(7, heads[6])]):
            none = common_place(connection, BOX, hello(*trail))
            assert (none.through, none.head) == (0, NO_HASH.hex())


def test_a_box_that_was_set_back_is_shown_with_what_is_known(world: World) -> None:
    parted = Parted(epoch=EPOCH, asked_through=8, through=4, head="22" * 32)
    with writing(world.engine) as connection:
        note_set_back(connection, BOX, hello((8, "11" * 32)), Holding(6, b"h" * 32), parted, LATER)
    with reading(world.engine) as connection:
        [incident] = reads.incidents(connection, "acme")
    assert incident.kind == "set_back"
    assert (incident.detail["held_through"], incident.detail["box_through"]) == (6, 9)
    assert incident.detail["common_through"] == 4


def test_an_offered_key_waits_for_a_person(world: World) -> None:
    with writing(world.engine) as connection:
        offer_key(connection, BOX, hello(key="cd" * 32))
    with reading(world.engine) as connection:
        box = reads.box(connection, *BOX)
    assert box is not None
    assert box.offered_fingerprint is not None
    assert box.fingerprint != box.offered_fingerprint
