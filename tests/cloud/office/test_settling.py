"""A month goes from preview to payout, by two people, once."""

from itertools import permutations

import pytest
from sqlalchemy import Engine, select, update

from agreed.words import language
from cloud.database import schema
from cloud.database.engine import reading, writing
from cloud.database.fleet import BoxName, Place
from cloud.office.boxes import accept_box, add_box
from cloud.office.people import OPERATOR, Duty, Person
from cloud.office.plans import publish_plan
from cloud.office.refusals import ConflictError, ForbiddenError, InvalidError, UnknownError
from cloud.office.settling import (
    PlannedOf,
    Run,
    Settling,
    find_run,
    list_runs,
    next_command,
    next_step,
)
from cloud.settlement.periods import after, period_of, span_ms
from cloud.settlement.running import Extra, Planned, RunLine
from tests.cloud.settlement.small_month import plan
from tests.cloud.world import (
    BOX,
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

LIN = Person("lin", "Lin", frozenset({Duty.CLERK}))
WANG = Person("wang", "Wang", frozenset({Duty.APPROVER}))
MONTH = period_of(T0, 480)
NOW = span_ms(MONTH, 480)[1] + HOUR


@pytest.fixture(autouse=True)
def _english() -> None:
    language.set("en")


def work(world: World) -> None:
    world.order("o-1")
    world.order("o-2", worker="w-2")
    world.fund(20_000)
    facts = passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"), passed(T0 + HOUR, worker="w-2")
    world.tell(*facts, alive(T0 + 9 * HOUR))


def through(desk: Settling, period: str = MONTH, now_ms: int = NOW) -> Run:
    desk.preview(period, LIN, now_ms)
    desk.review(period, LIN, now_ms)
    desk.approve(period, WANG, now_ms)
    desk.post(period, LIN, now_ms)
    return desk.pay(period, LIN, now_ms)


def test_a_month_is_settled_and_paid(world: World) -> None:
    work(world)
    run = through(Settling(world.engine, PLACE))
    paid = {line.payee: line.amount_fen for line in run.lines if line.rule == "payable"}
    assert paid == {"commission:w-1": 3_001, "commission:w-2": 500, "supplier:clean-co": 12_000}
    assert (run.status, run.prepared_by, run.approved_by) == ("paid", "lin", "wang")
    assert [act.status for act in run.acts] == [
        "previewed",
        "reviewed",
        "approved",
        "posted",
        "paid",
    ]
    assert world.balance("commission:w-1") == world.balance("supplier:clean-co") == 0
    assert world.balance("bank") == 15_501
    assert world.check().faults == []


def test_every_step_again_changes_nothing(world: World) -> None:
    work(world)
    desk = Settling(world.engine, PLACE)
    first = desk.preview(MONTH, LIN, NOW)
    assert desk.preview(MONTH, LIN, NOW + 1) == first
    for step in (desk.review, lambda p, _w, n: desk.approve(p, WANG, n), desk.post, desk.pay):
        assert step(MONTH, LIN, NOW) == step(MONTH, LIN, NOW + 9)


def test_nobody_approves_what_he_prepared(world: World) -> None:
    work(world)
    desk = Settling(world.engine, PLACE)
    desk.preview(MONTH, OPERATOR, NOW)
    desk.review(MONTH, OPERATOR, NOW)
    with pytest.raises(ConflictError, match="a second person"):
        desk.approve(MONTH, OPERATOR, NOW)
    with pytest.raises(ForbiddenError, match="approver"):
        desk.approve(MONTH, LIN, NOW)
    with pytest.raises(ForbiddenError, match="clerk"):
        desk.preview(MONTH, WANG, NOW)
    assert desk.approve(MONTH, WANG, NOW).approved_by == "wang"


def test_steps_are_not_skipped(world: World) -> None:
    work(world)
    desk = Settling(world.engine, PLACE)
    with pytest.raises(UnknownError, match="no run"):
        desk.review(MONTH, LIN, NOW)
    desk.preview(MONTH, LIN, NOW)
    with pytest.raises(ConflictError, match="is previewed, not reviewed"):
        desk.approve(MONTH, WANG, NOW)
    with pytest.raises(ConflictError, match="not approved"):
        desk.post(MONTH, LIN, NOW)
    with pytest.raises(ConflictError, match="not posted"):
        desk.pay(MONTH, LIN, NOW)


def test_records_that_come_in_between_ask_for_another_preview(world: World) -> None:
    work(world)
    desk = Settling(world.engine, PLACE)
    first = desk.preview(MONTH, LIN, NOW)
    desk.review(MONTH, LIN, NOW)
    world.tell(finished(T0 + 2 * HOUR, "o-2"))
    with pytest.raises(ConflictError, match="preview it again"):
        desk.approve(MONTH, WANG, NOW)
    again = desk.preview(MONTH, LIN, NOW)
    assert (again.run, again.status) == (2, "previewed")
    assert again.hash != first.hash


def test_a_month_must_be_over_and_its_forerunner_settled(world: World) -> None:
    work(world)
    desk = Settling(world.engine, PLACE)
    with pytest.raises(InvalidError, match="not over"):
        desk.preview(MONTH, LIN, NOW - 2 * HOUR)
    with pytest.raises(InvalidError, match="no month"):
        desk.preview("2026-13", LIN, NOW)
    with pytest.raises(ConflictError, match=f"{MONTH} is not settled"):
        desk.preview(after(MONTH), LIN, NOW + 40 * 24 * HOUR)
    through(desk)
    with pytest.raises(ConflictError, match="closed already"):
        desk.preview(MONTH, LIN, NOW)


def test_what_waits_for_the_pool_must_be_funded_first(world: World) -> None:
    world.order("o-1", income_fen=0)
    world.tell(passed(T0 + HOUR), alive(T0 + 9 * HOUR))
    desk = Settling(world.engine, PLACE)
    assert desk.preview(MONTH, LIN, NOW).held_fen == 500
    desk.review(MONTH, LIN, NOW)
    with pytest.raises(ConflictError, match=r"5\.00 yuan are earned and wait"):
        desk.approve(MONTH, WANG, NOW)
    desk.discard(MONTH, WANG, NOW, "pool short")
    world.fund(500)
    assert through(desk).payable_fen == 500


def test_a_plan_pays_only_what_is_funded(world: World) -> None:
    work(world)

    def plan(fen: int) -> PlannedOf:
        line = RunLine("commission:w-1", "override", fen, f"{fen} fen", {})
        return lambda _c, _p, _m: Planned("team/1", (Extra(line),))

    with pytest.raises(ConflictError, match="fund it first"):
        through(Settling(world.engine, PLACE, plan(10**6)))
    Settling(world.engine, PLACE).discard(MONTH, LIN, NOW, "too much")
    run = through(Settling(world.engine, PLACE, plan(700)))
    assert run.plan == "team/1"
    assert {line.payee: line.amount_fen for line in run.lines if line.rule == "payable"}[
        "commission:w-1"
    ] == 3_701
    assert world.check().faults == []


def test_a_box_that_returns_after_payout_costs_a_fifth_a_month(world: World) -> None:
    """Refund after payout: two boxes; the second one shows that arrivals were not kept."""
    work(world)
    desk = Settling(world.engine, PLACE)
    through(desk)
    name = BoxName("acme", "north", "back-gate")
    add_box(world.engine, name, STREAM, T0)
    accept_box(world.engine, name, STREAM, T0)
    world.know(name)
    later = Chain(box=name).block(
        finished(T0 + HOUR + 30 * MINUTE - 70 * MINUTE, "o-1"), alive(T0 + 9 * HOUR)
    )
    world.send(later, box=name, now_ms=LATER)
    # The earlier finish counts; the pay of the closed month and the new one set each other off.
    assert world.balance("receivable:w-1") == 0
    april = T0 + 25 * 24 * HOUR
    world.order("o-3", at_ms=april)
    world.tell(passed(april), finished(april + HOUR, "o-3"), alive(april + 9 * HOUR))
    run = through(desk, after(MONTH), NOW + 31 * 24 * HOUR)
    payee = {line.rule: line.amount_fen for line in run.lines if line.payee == "commission:w-1"}
    assert payee["payable"] == 3_001
    assert world.check().faults == []


NAMES = [BoxName("acme", "north", f"box-{i}") for i in range(4)]
FACTS = [
    (passed(T0 + HOUR + 35 * MINUTE), alive(T0 + 9 * HOUR)),
    (passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-2"), alive(T0 + 9 * HOUR)),
    (passed(T0 + HOUR + 5 * MINUTE, worker="w-2"), alive(T0 + 9 * HOUR)),
    (finished(T0 + 3 * HOUR, "o-1"), alive(T0 + 9 * HOUR)),
]
HASH = "d3ed139604ba1e4d46b1d386110d19bbeabadbb525fc630e3ad00d155efb6362"


def arrived(engine: Engine, order: tuple[int, ...]) -> str:
    world = World(engine)
    world.order("o-1")
    world.order("o-2", worker="w-2")
    world.fund(20_000)
    for name in NAMES:
        add_box(engine, name, STREAM, T0)
        accept_box(engine, name, STREAM, T0)
        world.know(name)
    world.tell(alive(T0 + 9 * HOUR))
    for number in order:
        world.send(Chain(box=NAMES[number]).block(*FACTS[number]), box=NAMES[number])
    return Settling(engine, PLACE).preview(MONTH, LIN, NOW).hash


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0)], ids=str)
def test_a_run_is_the_same_on_both_engines(store: Engine, order: tuple[int, ...]) -> None:
    assert arrived(store, order) == HASH


@pytest.mark.parametrize("order", sorted(permutations(range(4)))[1:-1:6], ids=str)
def test_a_run_is_the_same_in_any_arrival_order(
    sqlite_store: Engine, order: tuple[int, ...]
) -> None:
    assert arrived(sqlite_store, order) == HASH


def test_a_second_person_is_told_with_what_to_approve(world: World) -> None:
    work(world)
    desk = Settling(world.engine, PLACE)
    desk.preview(MONTH, LIN, NOW)
    step = next_step(desk.review(MONTH, LIN, NOW))
    assert (step.role, step.status) == (Duty.APPROVER, "approved")
    assert step.command == f"duifu cloud settle approve {MONTH} --token TOKEN --site north"
    assert step.address == f"POST /api/v1/runs/north/{MONTH}/approve"
    assert next_step(desk.discard(MONTH, LIN, NOW, "x")).command.startswith("duifu cloud settle pr")


def test_a_run_is_read_back(world: World) -> None:
    work(world)
    desk = Settling(world.engine, PLACE)
    run = desk.preview(MONTH, LIN, NOW)
    with reading(world.engine) as connection:
        assert desk.show(connection, MONTH) == find_run(connection, PLACE, MONTH) == run
        assert [row.hash for row in list_runs(connection, "acme", "north")] == [run.hash]
    assert next_command(run) == f"duifu cloud settle review {MONTH} --site north"
    with reading(world.engine) as connection, pytest.raises(UnknownError):
        desk.show(connection, "2020-01")
    with pytest.raises(UnknownError):
        Settling(world.engine, Place("acme", "nowhere")).preview(MONTH, LIN, NOW)
    assert BOX.place == PLACE


def test_what_is_posted_is_drawn_from_nothing(small_world: World) -> None:
    work(small_world)
    desk = Settling(small_world.engine, PLACE)
    publish_plan(small_world.engine, PLACE.company, plan(from_period=MONTH), "lin", 0)
    before = desk.preview(MONTH, LIN, NOW)
    with writing(small_world.engine) as connection:
        sums = schema.month_sums
        content = connection.execute(select(sums.c.content)).scalar_one()
        wrong = [[*key, fen + 100 * (key[:2] == ["work", "piece_fen"])] for *key, fen in content]
        connection.execute(update(sums).values(content=wrong))
    assert desk.preview(MONTH, LIN, NOW).hash != before.hash
    desk.review(MONTH, LIN, NOW)
    desk.approve(MONTH, WANG, NOW)
    with pytest.raises(ConflictError, match="preview it again"):
        desk.post(MONTH, LIN, NOW)
    assert desk.preview(MONTH, LIN, NOW).hash == before.hash
    assert through(desk).hash == before.hash
