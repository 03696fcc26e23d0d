from agreed.promises import Verdict
from cloud.database.engine import reading
from cloud.database.fleet import BoxName
from cloud.database.read_orders import (
    OrderFilter,
    evidence,
    order_view,
    orders,
    records_between,
    verdicts,
)
from tests.cloud.world import BOX, HOUR, LATER, MINUTE, T0, World, finished, passed


def test_an_order_with_everything_behind_it(world: World) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR + 20 * MINUTE))
    view = world.view("o-1", T0 + 2 * HOUR)
    assert view.order.promises.late == view.order.promises.open == 1
    assert view.order.score_bp is None
    assert (view.order.pack_name_zh, view.covered_until_ms) == (
        "空调清洗",
        T0 + HOUR + 20 * MINUTE - 50,
    )
    late, still_open = view.nodes
    assert (late.verdict, late.score_bp, late.is_at_risk) == (Verdict.LATE, 8_000, False)
    assert late.decided == late.history[-1]
    assert late.evidence is not None
    assert late.evidence.record.subject == "w-1"
    assert (late.evidence.block_first, late.evidence.block_last) == (1, 1)
    assert (still_open.decided, still_open.evidence, still_open.lines) == (None, None, [])
    assert view.earned_fen == 400
    assert world.view("o-1", T0 + HOUR + 91 * MINUTE).nodes[1].is_at_risk


def test_a_missed_critical_node_empties_the_order(world: World) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR), passed(T0 + 99 * HOUR, "w-2"))
    assert world.view("o-1").order.score_bp == 0
    world.order("o-2", T0 + HOUR)
    world.tell(finished(T0 + 150 * MINUTE, "o-2"))
    assert world.view("o-2").order.score_bp == 10_000


def test_lists_are_narrowed_and_paged(world: World) -> None:
    for i in range(5):
        world.order(f"o-{i}", T0 + i)
    with reading(world.engine) as connection:
        page = orders(connection, "acme", OrderFilter(offset=1, limit=2))
        assert [row.order_id for row in page] == ["o-3", "o-2"]
        none = orders(connection, "acme", OrderFilter(verdict=Verdict.KEPT))
        assert none == orders(connection, "other") == []
        assert order_view(connection, "acme", "north", "none", T0) is None


def test_every_revision_is_listed(world: World) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR))
    with reading(world.engine) as connection:
        [one] = verdicts(connection, "acme", site="north")
        assert (one.node, one.revision, one.verdict) == ("arrive", 1, Verdict.KEPT)
        assert verdicts(connection, "acme", since_ms=LATER + 1) == []


def test_records_are_read_back(world: World) -> None:
    world.tell(passed(T0), passed(T0 + 1), passed(T0 + 2))
    with reading(world.engine) as connection:
        found = records_between(connection, BOX, b"e" * 16, 2, 3)
        assert [r.wall_ms for r in found] == [T0 + 1, T0 + 2]
        assert evidence(connection, *BOX, epoch="00" * 16, sequence=1) is None
        other = BoxName("acme", "north", "other")
        assert records_between(connection, other, b"e" * 16, 1, 9) == []
