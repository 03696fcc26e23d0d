from dataclasses import replace

from agreed.anchors import Anchor, AnchorSource
from agreed.records import CLOCK_ANCHOR, ClockState
from cloud.database.engine import reading
from cloud.database.read_statements import statement, workers
from tests.cloud.world import HOUR, MINUTE, T0, World, alive, fact, finished, passed


def test_a_statement_is_of_a_time(world: World) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"))
    with reading(world.engine) as connection:
        first = statement(connection, "acme", "w-1", T0, T0 + HOUR + 1)
        second = statement(connection, "acme", "w-1", T0 + HOUR + 1, T0 + 9 * HOUR)
        listed = workers(connection, "acme")
    assert [line.node for line in first.lines] == ["arrive"]
    assert [line.node for line in second.lines] == ["finish"]
    assert (first.earned_fen, second.earned_fen, first.balance_fen) == (500, 2_501, 3_001)
    assert (first.promises.kept, second.promises.kept) == (1, 1)
    assert [(w.worker, w.balance_fen) for w in listed] == [("w-1", 3_001), ("w-2", 0)]


def test_late_lines_say_how(world: World) -> None:
    world.order("o-1")
    world.tell(finished(T0 + HOUR + 90 * MINUTE + 50 * MINUTE, "o-1"), alive(T0 + 9 * HOUR))
    missed, late = sorted(world.statement().lines, key=lambda line: line.node)
    assert (missed.amount_fen, missed.status) == (0, "nothing")
    # 120 - 50 of 120 - 15 minutes are left: 6,667 bp of 25.01 yuan.
    assert late.reason.score_bp == 6_667
    assert late.amount_fen == 1_667


def test_nothing_that_pays_is_said(world: World) -> None:
    pack_node = {"key": "finish"}
    world.order("o-1", worker="w-2", nodes=[pack_node | {"worker": ""}])
    world.tell(alive(T0 + 9 * HOUR))
    emptiness = world.statement("w-2").emptiness
    assert emptiness is not None
    assert emptiness.code == "no_promises"


def test_a_time_that_was_put_right_stands_with_both_times(world: World) -> None:
    world.order("o-1")
    world.fund(10_000)
    unset = ClockState.UNSET
    early = replace(passed(T0 + HOUR), clock_state=unset, bound_ms=0, wall_ms=3_600_000)
    world.tell(early)
    true_ns, error_ns = (T0 + 2 * HOUR) * 1_000_000, 5_000_000
    said = Anchor(AnchorSource.KERNEL, 2 * HOUR * 1_000_000, true_ns - error_ns, true_ns + error_ns)
    world.tell(fact(T0 + 2 * HOUR, CLOCK_ANCHOR, device="", bound_ms=5, detail=str(said)))
    corrected = [x for x in world.statement().lines if x.node == "arrive" and x.correction]
    assert corrected
    correction = corrected[-1].correction
    assert correction is not None
    assert correction.claimed_at_ms == 3_600_000
    assert abs(correction.corrected_at_ms - (T0 + HOUR)) <= correction.bound_ms  # type: ignore[operator]
