from agreed.signing import end_statement, is_signed
from agreed.wire import NO_HASH, block_hash, decode_block
from cloud.database.fleet import BoxName
from edge.key import make_key
from simulators.telling import Telling, fact

KEY = make_key(b"k" * 32)
NAME = BoxName("acme", "north", "gate")


def test_facts_are_numbered_chained_and_signed() -> None:
    telling = Telling(NAME, KEY)
    first = telling.block([fact(1_000, "box_alive"), fact(2_000, "gate_passed", "w-1")])
    second = telling.block([fact(3_000, "task_finished", "r", "o-1")])
    blocks = [decode_block(arrival.blocks[0]) for arrival in (first, second)]
    assert [block.columns.first_sequence for block in blocks] == [1, 3]
    assert [block.previous for block in blocks] == [NO_HASH, block_hash(first.blocks[0])]
    for arrival in (first, second):
        statement = end_statement(arrival.blocks[0])
        assert is_signed(KEY.public, statement, arrival.signature)


def test_a_fact_without_a_subject_is_of_no_device() -> None:
    assert fact(1, "box_alive").device == ""
    assert fact(1, "gate_passed", "w-1").device == "gate-1"
