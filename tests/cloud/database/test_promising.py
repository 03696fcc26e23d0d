from agreed.promises import Match, Verdict
from cloud.database import promising
from cloud.database.engine import reading, writing
from tests.cloud.world import HOUR, LATER, PLACE, T0, World, finished, passed

ARRIVE, FINISH = ("o-1", "arrive"), ("o-1", "finish")


def test_only_what_could_be_proved_is_touched(world: World) -> None:
    world.order("o-1")
    world.order("o-2", worker="w-2")
    with reading(world.engine) as connection:
        by_order = promising.touched_by_orders(connection, PLACE, ["o-1", "none"])
        day = (T0, T0 + HOUR)
        by_worker = promising.touched_by_workers(connection, PLACE, ["w-1", "r-1"], *day)
        too_late = promising.touched_by_workers(connection, PLACE, ["w-1"], LATER, LATER)
        by_time = promising.touched_by_coverage(connection, PLACE, T0 + 2 * HOUR)
    assert by_order == {FINISH}
    assert by_worker == {ARRIVE}
    assert too_late == set()
    assert by_time == {ARRIVE, ("o-2", "arrive")}


def test_the_verdict_in_force_is_the_last(world: World) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR))
    with reading(world.engine) as connection:
        arrive, finish = promising.standings(connection, PLACE, {ARRIVE, FINISH})
    assert (arrive.key, arrive.revision) == (ARRIVE, 1)
    assert arrive.decided is not None
    assert arrive.decided.was_verdict == Verdict.KEPT
    assert (finish.key, finish.revision, finish.decided) == (FINISH, 0, None)
    assert finish.promise.match is Match.BY_ORDER
    assert (finish.pack, finish.pack_version, finish.rate_fen) == ("cleaning", 1, 2_501)


def test_open_orders_are_told_to_new_boxes(world: World) -> None:
    for order in ("o-1", "o-2", "o-3"):
        world.order(order)
    world.tell(passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"))
    with writing(world.engine) as connection:
        promising.end_orders(connection, PLACE, ["o-3"], "cancelled", T0)
        assert [row.order_id for row in promising.open_orders(connection, PLACE)] == ["o-2"]
        nodes = promising.promised_nodes(connection, PLACE, ["o-1", "o-2"])
        verdicts = promising.verdicts_of_open_orders(connection, PLACE, ["o-1", "o-2"])
    assert [n.node for n in nodes["o-2"]] == ["arrive", "finish"]
    assert list(verdicts) == ["o-2"]
    assert (Match.BY_ORDER, Verdict.OPEN) in verdicts["o-2"]
