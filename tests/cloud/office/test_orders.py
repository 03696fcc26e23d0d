"""Orders are booked with what was agreed, and cancelled without a trace of money."""

import pytest
from pydantic import ValidationError

from agreed.directives import CodeAction, EndOrder, PutOrder, decode_directive
from agreed.promises import Verdict
from cloud import reads
from cloud.database.engine import reading
from cloud.database.fleet import Place, directives_after
from cloud.office.orders import OrderRequest, cancel_order, create_orders, publish_pack
from cloud.office.refusals import ConflictError, InvalidError, UnknownError
from tests.cloud.world import (
    BOX,
    CLEANING,
    HOUR,
    LATER,
    MINUTE,
    PLACE,
    STREAM,
    T0,
    World,
    alive,
    finished,
    passed,
)


def directives(world: World) -> list[object]:
    with reading(world.engine) as connection:
        found = directives_after(connection, BOX, STREAM, 0)
    return [decode_directive(text) for text in found]


def request(**more: object) -> OrderRequest:
    fields: dict[str, object] = {"pack": "cleaning", "booked_from_ms": T0, "worker": "w-1"}
    return OrderRequest.model_validate(fields | more)


def test_promises_come_from_the_pack(world: World) -> None:
    world.order("o-1", T0 + HOUR)
    arrive, finish = world.view("o-1").nodes
    assert (arrive.promised_at_ms, arrive.opens_at_ms) == (T0 + HOUR, T0 - HOUR)
    assert (finish.promised_at_ms, finish.due_at_ms) == (T0 + 150 * MINUTE, T0 + 165 * MINUTE)
    assert finish.is_critical
    [put] = directives(world)
    assert isinstance(put, PutOrder)
    assert put.promises()[1].promised_at_ms == finish.promised_at_ms
    [code] = put.codes
    assert (code.action, code.subject) == (CodeAction.FINISH, "r-1")
    assert world.view("o-1").codes == [code]


def test_what_was_agreed_goes_before_the_pack(world: World) -> None:
    agreed = {"key": "finish", "promised_at_ms": T0 + 9 * HOUR, "tolerance_minutes": 5}
    world.order("o-1", nodes=[agreed | {"hard_minutes": 30, "worker": "w-2"}])
    [finish] = world.view("o-1").nodes
    assert (finish.promised_at_ms, finish.tolerance_ms) == (T0 + 9 * HOUR, 5 * MINUTE)
    assert (finish.hard_ms, finish.worker, finish.rate_fen) == (30 * MINUTE, "w-2", 2_501)


def test_a_new_version_leaves_booked_orders_alone(world: World) -> None:
    world.order("o-1")
    cheaper = CLEANING.model_copy(update={"pool_bp": 1_000})
    assert publish_pack(world.engine, "acme", CLEANING, T0) == 1
    assert publish_pack(world.engine, "acme", cheaper, T0) == 2
    world.order("o-2")
    versions = [world.view(order).order.pack_version for order in ("o-1", "o-2")]
    assert versions == [1, 2]


def test_income_funds_the_pool(world: World) -> None:
    world.order("o-1")
    assert world.balance("pool") == 6_353
    world.order("o-2", income_fen=0)
    assert world.balance("pool") == 6_353
    assert world.balance("residents") == -19_900


def test_an_order_that_comes_after_its_records_is_judged_at_once(world: World) -> None:
    world.tell(passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"), alive(T0 + 9 * HOUR))
    world.order("o-1")
    assert set(world.verdicts("o-1").values()) == {Verdict.KEPT}
    assert world.balance("commission:w-1") == 3_001
    assert isinstance(directives(world)[-1], EndOrder)
    assert world.view("o-1").order.status == "done"


def test_all_orders_of_a_batch_or_none(world: World) -> None:
    batch = [request(order_id="o-1"), request(order_id="o-1")]
    with pytest.raises(ConflictError):
        create_orders(world.engine, PLACE, batch, lambda: "CODE123456", T0)
    with reading(world.engine) as connection:
        assert reads.orders(connection, "acme") == []
    assert world.balance("pool") == 0


def test_what_does_not_exist_is_named(world: World) -> None:
    def book(place: Place = PLACE, **more: object) -> None:
        create_orders(world.engine, place, [request(**more)], lambda: "CODE123456", T0)

    with pytest.raises(UnknownError) as site:
        book(Place("acme", "south"))
    with pytest.raises(UnknownError) as pack:
        book(pack="none")
    with pytest.raises(UnknownError) as node:
        book(nodes=[{"key": "none"}])
    with pytest.raises(InvalidError) as terms:
        book(nodes=[{"key": "finish", "tolerance_minutes": 500}])
    with pytest.raises(InvalidError) as window:
        book(nodes=[{"key": "finish", "opens_at_ms": T0 + 2, "promised_at_ms": T0 + 1}])
    with pytest.raises(InvalidError) as nobody:
        book(nodes=[{"key": "arrive", "worker": ""}])
    with pytest.raises(UnknownError, match="w-9") as stranger:
        book(worker="w-9")
    with pytest.raises(UnknownError) as other:
        book(nodes=[{"key": "finish", "worker": "w-9"}])
    with pytest.raises(UnknownError) as helper:
        book(nodes=[{"key": "finish", "crew": [{"worker": "w-9", "role": "help"}]}])
    refused = (site, pack, node, terms, window, nobody, stranger, other, helper)
    named = [error.value.field for error in refused]
    assert named == [
        "site",
        "pack",
        "nodes.key",
        "nodes.finish.hard_minutes",
        "nodes.finish.opens_at_ms",
        "nodes.arrive.worker",
        "worker",
        "nodes.finish.worker",
        "nodes.finish.crew",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"booked_until_ms": T0 - 1},
        {"nodes": [{"key": "finish"}, {"key": "finish"}]},
        {"worker": "a\0"},
        {"income_fen": -1},
        {"discount": 5},
    ],
)
def test_a_malformed_order_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        request(**wrong)


def test_an_order_without_an_id_gets_one(world: World) -> None:
    [order] = create_orders(world.engine, PLACE, [request()], lambda: "CODE123456", T0)
    assert order.order_id == "o-code123456"


def test_a_cancelled_order_gives_everything_back(world: World) -> None:
    world.order("o-1")
    cancel_order(world.engine, PLACE, "o-1", LATER)
    for account in ("pool", "residents", "platform", "retained", "supplier:clean-co"):
        assert world.balance(account) == 0
    assert isinstance(directives(world)[-1], EndOrder)
    world.tell(finished(T0 + 2 * HOUR, "o-1"), alive(T0 + 99 * HOUR))
    assert set(world.verdicts("o-1").values()) == {Verdict.OPEN}
    with pytest.raises(ConflictError):
        cancel_order(world.engine, PLACE, "o-1", LATER)
    with pytest.raises(UnknownError):
        cancel_order(world.engine, PLACE, "none", LATER)


def test_work_that_is_proved_cannot_be_cancelled(world: World) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR))
    with pytest.raises(ConflictError, match="o-1"):
        cancel_order(world.engine, PLACE, "o-1", LATER)


def test_income_that_is_spent_cannot_be_taken_back(world: World) -> None:
    world.order("o-1", income_fen=0)
    world.order("o-2", T0 + 50 * HOUR, income_fen=1_000)
    world.tell(passed(T0 + HOUR))
    assert world.balance("commission:w-1") == 0
    world.order("o-3", T0 + 50 * HOUR, income_fen=7_500)
    assert world.balance("commission:w-1") == 500
    with pytest.raises(ConflictError, match="ledger fund pool 500"):
        cancel_order(world.engine, PLACE, "o-3", LATER)
    assert world.view("o-3").order.status == "open"
    assert world.check().is_balanced
