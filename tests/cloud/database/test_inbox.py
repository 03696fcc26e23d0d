from typing import Any

from sqlalchemy import event

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


def test_a_worker_is_found_at_both_ends_of_any_span(world: World) -> None:
    hour = 3_600_000
    at = [T0 - 1, T0, T0 + hour, T0 + 40 * hour, T0 + 40 * hour + 1]
    world.tell(*map(passed, at), passed(T0, "w-2"), alive(T0))
    with reading(world.engine) as connection:
        for spans, wanted in (
            ({"w-1": (T0, at[3])}, [2, 3, 4]),
            ({"w-1": (0, 2**60), "w-2": (T0, T0)}, [1, 2, 3, 4, 5, 6]),
            ({"w-1": (T0, T0), "w-2": (at[3], at[4]), "w-3": (0, 2**60)}, [2]),
        ):
            found = inbox.witnesses_of_workers(connection, PLACE, spans, {"gate_passed"})
            assert sorted(w.sequence for w in found) == wanted


def test_a_worker_is_found_in_every_journal_of_the_site(world: World) -> None:
    world.tell(passed(T0))
    later = Chain(epoch=b"f" * 16).block(passed(T0 + 1), passed(T0 + 2, "w-2"))
    with writing(world.engine) as connection:
        begin_journal(connection, BOX, b"f" * 16, T0)
        inbox.add_blocks(connection, [inbox.Stored(decode_block(later), later)], T0)
        begin_journal(connection, BOX, b"g" * 16, T0)  # it holds nothing
    with reading(world.engine) as connection:
        spans = {"w-1": (T0, T0 + 5)}
        found = inbox.witnesses_of_workers(connection, PLACE, spans, {"gate_passed"})
    assert {(w.epoch, w.sequence) for w in found} == {(b"e" * 16, 1), (b"f" * 16, 1)}


def test_before_any_record_nobody_is_found(world: World) -> None:
    with reading(world.engine) as connection:
        spans = {"w-1": (0, 2**60)}
        assert inbox.witnesses_of_workers(connection, PLACE, spans, {"gate_passed"}) == []


def test_what_a_site_has_long_recorded_is_not_read_again(small_world: World) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    event.listen(small_world.engine, "before_cursor_execute", note)
    small_world.tell(passed(T0), passed(T0 + 86_400_000))
    with reading(small_world.engine) as connection:
        asked.clear()
        inbox.witnesses_of_orders(connection, PLACE, ["o-1", "o-2"])
        inbox.witnesses_of_workers(connection, PLACE, {"w-1": (T0, T0), "w-2": (0, T0)}, {"a"})
        all_day = {f"w-{number}": (T0, T0 + 86_400_000) for number in range(200)}
        inbox.witnesses_of_workers(connection, PLACE, all_day, {"a"})
        plans = [
            row.detail
            for statement, values in list(asked)
            if not statement.startswith("BEGIN")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    reads = [plan for plan in plans if plan.startswith(("SCAN ", "SEARCH "))]
    assert any("ix_records_reference" in plan for plan in reads)
    assert any("ix_records_journal_hour" in plan for plan in reads)
    assert any("ix_corrections_subject" in plan for plan in reads)
    whole_site = "USING PRIMARY KEY (company=? AND site=?)"
    whole_journal = "records USING PRIMARY KEY (company=? AND site=? AND box=? AND epoch=?)"
    assert [plan for plan in reads if whole_site in plan or whole_journal in plan] == []
    assert [plan for plan in reads if plan.startswith("SCAN rec")] == []


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
