"""What follows from facts: restated when they change, explained back to the record."""

from agreed.promises import Verdict
from agreed.records import ClockState, Evidence
from cloud.database import books
from cloud.database.engine import writing
from cloud.database.fleet import BoxName
from cloud.office.boxes import accept_box, add_box
from cloud.office.orders import publish_pack
from cloud.settlement.packs import Pack
from cloud.settlement.periods import after, period_of
from cloud.settlement.waterfall import BANK, Move, commission
from tests.cloud.world import (
    HOUR,
    LATER,
    MINUTE,
    PLACE,
    STREAM,
    T0,
    Chain,
    World,
    alive,
    finished,
    passed,
)


def test_a_line_is_explained_back_to_its_record(world: World) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR + 35 * MINUTE))
    [line] = world.statement().lines
    reason = line.reason
    assert (reason.pack, reason.pack_version, reason.node) == ("cleaning", 1, "arrive")
    assert (reason.promised_at_ms, reason.actual_at_ms) == (T0 + HOUR, T0 + HOUR + 35 * MINUTE)
    assert (reason.bound_ms, reason.deviation_ms) == (50, 35 * MINUTE)
    assert (reason.verdict, reason.score_bp, reason.amount_fen) == ("late", 5_000, 250)
    assert reason.evidence is not None
    assert (reason.evidence.box, reason.evidence.sequence) == ("gate-box", 1)
    assert reason.evidence.block_hash == world.chain.previous.hex()
    node = world.view("o-1").nodes[0]
    assert node.evidence is not None
    assert node.evidence.block_hash == reason.evidence.block_hash
    assert node.lines == [line]


def test_late_evidence_restates_by_reverse_and_repost(world: World) -> None:
    """A second box comes back after a week with an earlier arrival."""
    name = BoxName("acme", "north", "back-gate")
    world.order("o-1")
    world.tell(passed(T0 + HOUR + 35 * MINUTE), alive(T0 + 9 * HOUR))
    assert world.balance("commission:w-1") == 250
    add_box(world.engine, name, STREAM, T0)
    accept_box(world.engine, name, STREAM, T0)
    world.know(name)
    other = Chain(box=name)
    world.send(other.block(passed(T0 + HOUR)), box=name)
    assert world.verdicts("o-1")["arrive"] is Verdict.KEPT
    kinds = [(line.kind, line.amount_fen, line.revision) for line in world.statement().lines]
    assert sorted(kinds) == [("pay", 0, 1), ("pay", 250, 1), ("pay", 500, 2), ("reversal", -250, 1)]
    assert world.balance("commission:w-1") == world.statement().earned_fen == 500
    history = world.view("o-1").nodes[0].history
    assert [v.verdict for v in history] == [Verdict.LATE, Verdict.KEPT]
    assert world.check().faults == []


def test_missed_is_restated_when_the_fact_arrives(world: World) -> None:
    world.order("o-1")
    world.tell(alive(T0 + 9 * HOUR))
    missed = world.statement()
    assert [line.status for line in missed.lines] == ["nothing", "nothing"]
    assert missed.lines[0].reason.covered_until_ms == T0 + 9 * HOUR - 50
    world.tell(finished(T0 + 2 * HOUR, "o-1"))
    assert world.verdicts("o-1")["finish"] is Verdict.KEPT
    assert world.balance("commission:w-1") == 2_501


def test_undecidable_is_paid_and_counted_apart(world: World) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR + 10 * MINUTE + 10))
    blind = finished(0, "o-1", clock_state=ClockState.UNSET)
    world.tell(blind)
    assert set(world.verdicts("o-1").values()) == {Verdict.UNDECIDABLE}
    told = world.statement()
    assert told.earned_fen == told.paid_as_undecidable_fen == 3_001
    assert told.promises.undecidable == 2


def test_a_second_record_of_the_same_node_changes_nothing(world: World) -> None:
    world.order("o-1")
    world.tell(finished(T0 + 2 * HOUR - MINUTE, "o-1"))
    assert world.tell(finished(T0 + 2 * HOUR, "o-1")).verdicts == 0
    assert world.balance("commission:w-1") == 2_501


PATROL = Pack.model_validate(
    {
        "key": "patrol",
        "name_zh": "巡更",
        "name_en": "Patrol",
        "price_fen": 0,
        "nodes": [
            {
                "key": f"round-{i}",
                "name_zh": f"第{i}轮",
                "name_en": f"Round {i}",
                "node_kind": "gate_passed",
                "match": "turn",
                "place": "gate-1",
                "weakest_evidence": "kiosk",
                "offset_minutes": 60 * i,
                "opens_minutes": 50,
                "tolerance_minutes": 10,
                "hard_minutes": 50,
            }
            for i in range(4)
        ],
    }
)


def test_rounds_take_one_record_each_and_hand_it_on(world: World) -> None:
    """An earlier record from a second box moves every later round on by one."""
    name = BoxName("acme", "north", "back-gate")
    add_box(world.engine, name, STREAM, T0)
    accept_box(world.engine, name, STREAM, T0)
    world.know(name)
    publish_pack(world.engine, "acme", PATROL, T0)
    world.order("p-1", pack="patrol")
    begin = T0 + HOUR
    passes = [passed(begin + m * MINUTE) for m in (20, 80, 140)]
    # Neither a claim nor a pass elsewhere is a round.
    world.tell(*passes, passed(begin, evidence=Evidence.MANUAL), passed(begin, device="gate-2"))
    late = Verdict.LATE
    rounds = [f"round-{i}" for i in range(4)]
    assert [world.verdicts("p-1")[n] for n in rounds] == [late, late, late, Verdict.OPEN]
    other = Chain(box=name)
    world.send(other.block(passed(begin - MINUTE)), box=name)
    kept = Verdict.KEPT
    assert [world.verdicts("p-1")[n] for n in rounds] == [kept, kept, kept, kept]


def test_an_empty_statement_says_why(world: World) -> None:
    def why(worker: str) -> str | None:
        emptiness = world.statement(worker).emptiness
        return None if emptiness is None else emptiness.code

    assert why("nobody") == "unknown_worker"
    assert why("w-1") == "no_promises"
    world.order("o-1")
    assert why("w-1") == "all_open"
    world.tell(passed(T0 + HOUR))
    assert why("w-1") is None
    assert why("w-2") == "no_promises"


def test_a_box_that_returns_after_its_month_was_closed_changes_the_open_one(world: World) -> None:
    """Paid as late, closed and paid out; then the other box shows that it was missed or kept."""
    name = BoxName("acme", "north", "back-gate")
    month = period_of(T0, 480)
    world.order("o-1")
    world.fund(10_000)
    world.tell(passed(T0 + HOUR + 35 * MINUTE), alive(T0 + 9 * HOUR))
    with writing(world.engine) as connection:
        books.close_month(connection, PLACE, month)
        out = Move("payout/1", "payout", commission("w-1"), BANK, 250, LATER, "", {})
        books.post(connection, PLACE, [out], LATER, period=month)
    add_box(world.engine, name, STREAM, T0)
    accept_box(world.engine, name, STREAM, T0)
    world.know(name)
    other = Chain(box=name)
    world.send(other.block(passed(T0 + HOUR)), box=name)
    assert world.balance("commission:w-1") == 250
    assert world.balance("receivable:w-1") == world.balance("unrecovered") == 0
    moved = [(line.kind, line.amount_fen, line.period) for line in world.statement().lines]
    first = [("pay", 0, month), ("pay", 250, month)]
    assert sorted(moved) == sorted(
        [*first, ("pay", 500, after(month)), ("reversal", -250, after(month))]
    )
    kept = [line for line in world.statement().lines if line.amount_fen == 500]
    assert kept[0].reason.set_off_fen == 250
    assert world.check().faults == []
