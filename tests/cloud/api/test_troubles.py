import pytest
from sqlalchemy import Connection, event

from tests.cloud.api.conftest import Office
from tests.cloud.world import CLEANING, T0

V1 = "/api/v1"
ORDER = {"pack": "cleaning", "worker": "w-1", "booked_from_ms": T0}

# As a pack, but for what must happen.
FLYING = CLEANING.model_dump(mode="json")
FLYING["nodes"][0]["node_kind"] = "flying"

CASES: list[tuple[str, dict[str, object], int, str]] = [
    ("/sites", {}, 422, "site"),
    ("/sites", {"site": "Nord Est", "name": "x"}, 422, "site"),
    ("/packs", {"key": "x"}, 422, "name_zh"),
    ("/sites/north/orders", ORDER | {"booked_from_ms": "soon"}, 422, "booked_from_ms"),
    ("/sites/north/orders", ORDER | {"income_fen": 1.5}, 422, "income_fen"),
    (
        "/sites/north/orders",
        ORDER | {"nodes": [{"key": "x", "hi": 1}]},
        422,
        "nodes.0.hi",
    ),
    ("/sites/north/orders", ORDER | {"pack": "none"}, 404, "pack"),
    ("/sites/south/orders", ORDER, 404, "site"),
    ("/sites/north/orders", ORDER | {"worker": "w-10"}, 404, "worker"),
    ("/packs", FLYING, 422, "nodes.0.node_kind"),
    ("/sites/north/pool", {"key": "k", "amount_fen": 0}, 422, "amount_fen"),
    ("/orders/north/none/cancel", {}, 404, "order_id"),
    ("/boxes/north/none/retire", {}, 404, "box"),
]


def test_field_and_remedy_are_named(office: Office) -> None:
    for path, body, status, field in CASES:
        response = office.client.post(V1 + path, json=body)
        assert response.status_code == status, response.text
        trouble = response.json()["errors"][0]
        assert trouble["field"] == field
        assert trouble["message"].endswith((".", "。"))
        assert trouble["remedy"].endswith((".", "。"))


def test_the_same_order_twice_is_a_conflict(office: Office) -> None:
    order = ORDER | {"order_id": "o-1"}
    assert office.client.post(f"{V1}/sites/north/orders", json=order).status_code == 201
    again = office.client.post(f"{V1}/sites/north/orders", json=order)
    assert again.status_code == 409
    assert again.json()["errors"][0]["field"] == "order_id"


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_said(office: Office, content: bytes) -> None:
    response = office.client.post(f"{V1}/sites", content=content)
    assert response.status_code in {400, 422}
    assert response.json()["errors"][0]["field"] == "body"


def test_addresses_and_methods_that_do_not_exist_are_said_in_the_same_form(office: Office) -> None:
    for method, path, status, field in [
        ("GET", "/nothing", 404, "address"),
        ("PUT", "/packs", 405, "method"),
    ]:
        response = office.client.request(method, V1 + path)
        [trouble] = response.json()["errors"]
        assert (response.status_code, trouble["field"]) == (status, field)
        assert "openapi.json" in trouble["remedy"]
    assert office.client.request("PUT", V1 + "/packs").headers["allow"]


def test_a_person_reads_what_is_wrong_in_chinese(office: Office) -> None:
    order = ORDER | {"booked_until_ms": T0 - 1}
    response = office.client.post(f"{V1}/sites/north/orders", json=order)
    [trouble] = response.json()["errors"]
    assert trouble["field"] == "booked_until_ms"
    assert trouble["message"] == "booked_until_ms：不得早于 booked_from_ms。"


def test_a_store_that_fails_is_said_and_keeps_what_it_had(office: Office) -> None:
    engine = office.world.engine
    # Full on the one engine, restarted on the other.
    failing, sign = {
        "sqlite": ("PRAGMA max_page_count = 1", "full"),
        "postgresql": ("SELECT pg_terminate_backend(pg_backend_pid())", "terminat"),
    }[engine.dialect.name]

    def fail(connection: Connection) -> None:
        connection.exec_driver_sql(failing)

    event.listen(engine, "begin", fail)
    sites = ({"site": f"site-{number}", "name": "N" * 60} for number in range(1_000))
    responses = (office.client.post(f"{V1}/sites", json=site) for site in sites)
    refused = next(response for response in responses if response.status_code != 201)
    event.remove(engine, "begin", fail)
    assert refused.status_code == 503, refused.text
    trouble = refused.json()["errors"][0]
    assert sign in trouble["message"]
    assert trouble["remedy"].endswith((".", "。"))
    engine.dispose()
    assert office.client.post(f"{V1}/sites", json={"site": "last", "name": "x"}).status_code == 201
