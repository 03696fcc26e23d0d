from tests.cloud.api.conftest import Office
from tests.cloud.world import T0

V1 = "/api/v1/sites/north"
CARD = {"subject": "w-1", "role": "worker", "valid_from_ms": T0, "valid_until_ms": T0 + 1}


def test_workers(office: Office) -> None:
    assert office.client.post(f"{V1}/workers", json={"worker": "w-9", "name": "李"}).is_success
    found = office.client.get("/api/v1/workers", params={"site": "north"}).json()
    assert [w["worker"] for w in found] == ["w-1", "w-2", "w-9"]


def test_cards(office: Office) -> None:
    assert office.client.put(f"{V1}/credentials/c-1", json=CARD).status_code == 204
    assert office.client.delete(f"{V1}/credentials/c-1").status_code == 204
    assert office.client.delete(f"{V1}/credentials/c-1").status_code == 404
    wrong = office.client.put(f"{V1}/credentials/c-1", json=CARD | {"role": "king"})
    assert wrong.json()["errors"][0]["field"] == "role"
    assert len(office.wakes) == 2
