from tests.cloud.api.conftest import Office
from tests.cloud.world import HOUR, T0, finished

V1 = "/api/v1"


def test_lists_can_be_narrowed(office: Office) -> None:
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
    order = {"order_id": "o-1", "pack": "cleaning", "worker": "w", "booked_from_ms": T0}
    office.client.post(f"{V1}/sites/north/orders", json=order)
    assert office.client.post(f"{V1}/orders/north/o-1/cancel").status_code == 204
    assert office.client.get(f"{V1}/orders/north/o-1").json()["order"]["status"] == "cancelled"


def test_what_is_not_there_is_404(office: Office) -> None:
    assert office.client.get(f"{V1}/orders/north/none").status_code == 404
    evidence = f"{V1}/evidence/north/gate-box/{'00' * 16}/1"
    assert office.client.get(evidence).status_code == 404
