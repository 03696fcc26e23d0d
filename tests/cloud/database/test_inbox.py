from agreed.wire import decode_block
from cloud.database import inbox
from cloud.database.engine import reading, writing
from cloud.database.fleet import begin_journal
from tests.cloud.world import BOX, PLACE, T0, Chain, World, alive, finished, passed


def test_records_are_found_by_order_and_by_worker(world: World) -> None:
    world.tell(passed(T0), passed(T0 + 5, "w-2"), finished(T0 + 9, "o-1"), alive(T0 + 10))
    with reading(world.engine) as connection:
        by_order = inbox.witnesses_of_orders(connection, PLACE, ["o-1", "o-2"])
        spans = {"w-1": (T0, T0), "w-2": (T0, T0 + 4)}
        by_worker = inbox.witnesses_of_workers(connection, PLACE, spans, {"gate_passed"})
        others = inbox.witnesses_of_workers(connection, PLACE, spans, {"task_finished"})
    assert [w.sequence for w in by_order] == [3]
    assert [w.sequence for w in by_worker] == [1]
    assert others == []
    assert by_order[0].identity == ("gate-box", b"e" * 16, 3)


def test_hashes_are_found_by_place(world: World) -> None:
    data = world.chain.block(alive(T0))
    world.send(data)
    wanted = ("gate-box", b"e" * 16, 1)
    with reading(world.engine) as connection:
        found = inbox.hashes_of_blocks(connection, PLACE, {wanted, ("gate-box", b"e" * 16, 7)})
        stored = inbox.stored_hash(connection, BOX, b"e" * 16, 1)
        none = inbox.stored_hash(connection, BOX, b"x" * 16, 1)
    assert found == {wanted: world.chain.previous}
    assert stored == world.chain.previous
    assert none is None


def test_every_text_survives(world: World) -> None:
    odd = passed(T0, "业主\t"[:2], detail='"\\%$;--\u00e9\U0001f600')
    world.tell(odd)
    check = world.check()
    assert check.faults == []
    assert check.records == 1


def test_no_blocks_are_no_work(world: World) -> None:
    with writing(world.engine) as connection:
        inbox.add_blocks(connection, [], T0)


def test_blocks_are_stored_as_they_came(world: World) -> None:
    data = Chain(epoch=b"z" * 16).block(alive(T0))
    with writing(world.engine) as connection:
        begin_journal(connection, BOX, b"z" * 16, T0)
        inbox.add_blocks(connection, [inbox.Stored(decode_block(data), data)], T0)
    with reading(world.engine) as connection:
        kept = connection.exec_driver_sql("SELECT data FROM blocks").scalar_one()
    assert bytes(kept) == data


def test_lists_are_cut() -> None:
    assert [len(c) for c in inbox.chunks(list(range(1_100)))] == [500, 500, 100]
    assert list(inbox.chunks([])) == []
