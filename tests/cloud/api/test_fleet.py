from tests.cloud.api.conftest import Office
from tests.cloud.world import T0, alive

V1 = "/api/v1"


def test_a_box_is_added_accepted_and_retired(office: Office) -> None:
    client = office.client
    assert client.put(f"{V1}/boxes/north/new").status_code == 201
    again = client.put(f"{V1}/boxes/north/new")
    assert (again.status_code, again.json()["status"]) == (200, "pending")
    accepted = client.post(f"{V1}/boxes/north/new/accept").json()
    assert accepted["login"] == {
        "url": "mqtt://127.0.0.1:1883",
        "user": "acme/north/new",
        "password": "password-1",
    }
    assert client.post(f"{V1}/boxes/north/new/accept").json()["login"]["password"] == "password-2"
    assert "password" not in client.get(f"{V1}/boxes/north/new").text
    assert client.post(f"{V1}/boxes/north/new/retire").status_code == 204
    assert client.post(f"{V1}/boxes/north/new/retire").status_code == 409
    assert client.get(f"{V1}/boxes/north/none").status_code == 404
    assert client.put(f"{V1}/boxes/south/new").status_code == 404


def test_incidents_are_shown_and_resolved(office: Office) -> None:
    office.world.send(b"damage")
    [incident] = office.client.get(f"{V1}/incidents", params={"site": "north"}).json()
    assert incident["kind"] == "malformed"
    assert office.client.get(f"{V1}/boxes").json()[0]["incident"] == "malformed"
    assert office.client.post(f"{V1}/boxes/north/gate-box/resolve").json() == {"resolved": 1}


def test_sites_and_the_company(office: Office) -> None:
    office.world.tell(alive(T0))
    created = office.client.post(f"{V1}/sites", json={"site": "south", "name": "South"})
    assert created.status_code == 201
    assert [s["site"] for s in office.client.get(f"{V1}/sites").json()] == ["north", "south"]
    assert office.client.get(f"{V1}/overview").json()["records_committed"] == 1
