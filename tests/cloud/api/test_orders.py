from tests.cloud.api.conftest import Office
from tests.cloud.world import HOUR, T0, finished

V1 = "/api/v1"


def test_lists_can_be_narrowed(office: Office) -> None:
    worker = {"worker": "w-3", "name": "W3"}
    assert office.client.post(f"{V1}/sites/north/workers", json=worker).is_success
    orders = [
        {"order_id": f"o-{i}", "pack": "cleaning", "worker": f"w-{i}", "booked_from_ms": T0 + i}
        for i in (1, 2, 3)
    ]
    made = office.client.post(f"{V1}/sites/north/orders/batch", json=orders)
    assert [o["order_id"] for o in made.json()] == ["o-1", "o-2", "o-3"]
    office.world.tell(finished(T0 + HOUR, "o-2"))

    def ids(**query: object) -> list[str]:
        found = office.client.get(f"{V1}/orders", params=query)
        return [o["order_id"] for o in found.json()]

    assert ids() == ["o-3", "o-2", "o-1"]
    assert ids(offset=1, limit=1) == ["o-2"]
    assert ids(worker="w-3") == ["o-3"]
    assert ids(verdict="kept") == ["o-2"]
    assert ids(from_ms=T0 + 2, until_ms=T0 + 3) == ["o-2"]
    assert ids(status="cancelled") == []
    assert ids(site="south") == []


def test_an_order_can_be_cancelled(office: Office) -> None:
    order = {"order_id": "o-1", "pack": "cleaning", "worker": "w-1", "booked_from_ms": T0}
    office.client.post(f"{V1}/sites/north/orders", json=order)
    assert office.client.post(f"{V1}/orders/north/o-1/cancel").status_code == 204
    assert office.client.get(f"{V1}/orders/north/o-1").json()["order"]["status"] == "cancelled"


def test_what_is_not_there_is_404(office: Office) -> None:
    assert office.client.get(f"{V1}/orders/north/none").status_code == 404
    evidence = f"{V1}/evidence/north/gate-box/{'00' * 16}/1"
    assert office.client.get(evidence).status_code == 404


def test_an_order_carries_segment_quantity_role_and_crew(office: Office) -> None:
    node = {"key": "finish", "role": "lead", "quantity": 3}
    crew = [{"worker": "w-2", "role": "mate"}]
    order = {
        "order_id": "o-1",
        "pack": "cleaning",
        "worker": "w-1",
        "segment": "vulnerable",
        "booked_from_ms": T0,
        "nodes": [node | {"crew": crew}],
    }
    assert office.client.post(f"{V1}/sites/north/orders", json=order).status_code == 201
    office.world.tell(finished(T0 + HOUR, "o-1"))
    shown = office.client.get(f"{V1}/orders/north/o-1").json()
    assert shown["order"]["segment"] == "vulnerable"
    [held] = shown["nodes"]
    assert (held["role"], held["quantity"], held["crew"]) == ("lead", 3, crew)
    [line] = held["lines"]
    assert (line["amount_fen"], line["reason"]["quantity"]) == (3 * 2_501, 3)
    assert line["reason"]["formula"] == "3 × 2501 fen × 10000 bp ÷ 10000 = 7503 fen"
    twice = order | {"order_id": "o-2", "nodes": [node | {"crew": crew * 2}]}
    assert office.client.post(f"{V1}/sites/north/orders", json=twice).status_code == 422
    none = order | {"order_id": "o-3", "nodes": [node | {"quantity": 0}]}
    assert office.client.post(f"{V1}/sites/north/orders", json=none).status_code == 422


def test_an_order_is_refunded_in_parts_once_per_key(office: Office) -> None:
    order = {"order_id": "o-1", "pack": "cleaning", "worker": "w-1", "booked_from_ms": T0}
    office.client.post(f"{V1}/sites/north/orders", json=order)
    refund = {"key": "k", "amount_fen": 900, "cause": "leaked"}
    for _ in range(2):
        made = office.client.post(f"{V1}/orders/north/o-1/refund", json=refund)
        assert made.status_code == 201
        assert (made.json()["income_fen"], made.json()["refunded_fen"]) == (19_900, 900)
    [shown] = office.client.get(f"{V1}/orders/north/o-1").json()["refunds"]
    assert (shown["amount_fen"], shown["cause"]) == (900, "leaked")
    too_much = refund | {"key": "more", "amount_fen": 19_001}
    refused = office.client.post(f"{V1}/orders/north/o-1/refund", json=too_much)
    assert refused.status_code == 422
    missing = office.client.post(f"{V1}/orders/north/none/refund", json=refund)
    assert missing.status_code == 404


def test_an_order_may_have_a_slash_in_its_name(office: Office) -> None:
    booking = {"order_id": "2026/07", "pack": "cleaning", "worker": "w-1", "booked_from_ms": T0}
    assert office.client.post(f"{V1}/sites/north/orders", json=booking).status_code == 201
    found = office.client.get(f"{V1}/orders/north/2026%2F07")
    assert found.json()["order"]["order_id"] == "2026/07"
    assert office.client.post(f"{V1}/orders/north/2026%2F07/cancel").status_code == 204
